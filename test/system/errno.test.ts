import { describe, expect, test } from "bun:test";
import { lookup } from "node:dns/promises";
import { openSync } from "node:fs";
import { constants } from "node:os";
import { getSystemErrorMessage, getSystemErrorName } from "node:util";
import { errnoText, errnoWords, errorAdvice, errorCode, errorReason } from "../../src/system/errno.ts";
import { NameError } from "../../src/system/name-query.ts";
import { SystemCallError } from "../../src/system/socket.ts";
import { errorOf } from "../fakes/error-of.ts";
import { freeTcpPort } from "../fakes/free-port.ts";

const EADDRINUSE = 98;

test("the reason is the kernel's, whoever asked the kernel", () => {
  expect(errorReason(new SystemCallError("bind", EADDRINUSE))).toBe("address already in use");
  const missing = errorOf(() => openSync("/nowhere/file", "r"));
  expect(errorReason(missing)).toBe("no such file or directory");
  expect(errorCode(missing)).toBe("ENOENT");
});

test("other errors speak for themselves", () => {
  expect(errorReason(new Error("out of luck"))).toBe("out of luck");
  expect(errorReason("thrown text")).toBe("thrown text");
  expect(errorCode(new Error("out of luck"))).toBeUndefined();
  expect(errorCode("thrown text")).toBeUndefined();
});

/** Known to us, and to Bun too, whose table lacks a few. */
function isKnown(number: number): boolean {
  return !errnoText(number).startsWith("errno ") && !getSystemErrorMessage(-number).startsWith("Unknown");
}

test("words are those of the system", () => {
  const known = Object.values(constants.errno).filter((number) => isKnown(number));
  expect(known.length).toBeGreaterThan(30);
  for (const number of known) {
    expect(errnoWords(-number)).toBe(getSystemErrorMessage(-number));
    expect(errnoText(number)).toStartWith(getSystemErrorMessage(-number));
    expect(errnoText(number)).not.toContain(getSystemErrorName(-number));
  }
});

test("a number that is not in the table is told as it is", () => {
  expect(errnoText(4000)).toBe("errno 4000");
  expect(errorReason(new SystemCallError("ioctl", 4000))).toBe("errno 4000");
});

test.each([
  ["ENODEV", "ip link"],
  ["EADDRINUSE", "another port"],
  ["ENOBUFS", "igmp_max_memberships"],
] as const)("%s says what to do", (name, advice) => {
  expect(new SystemCallError("join", constants.errno[name]).message).toContain(advice);
});

describe("what fetch fails with is said in words, with what to do", () => {
  async function sentence(url: string): Promise<string> {
    return errorAdvice(await fetch(url, { tls: { rejectUnauthorized: false } }).catch((error: unknown) => error));
  }

  function server(answer: string) {
    return Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        data(socket) {
          socket.write(answer);
          socket.end();
        },
      },
    });
  }

  test("nobody listens", async () => {
    const said = "connection refused (nobody listens there; check the port)";
    expect(await sentence(`http://127.0.0.1:${await freeTcpPort()}/`)).toBe(said);
  });

  test("the name is unknown", async () => {
    expect(await sentence("http://no.such.host.invalid/")).toBe(
      "name or service not known (check how it is spelt, and the DNS server in /etc/resolv.conf)",
    );
  });

  test("the other side closes", async () => {
    using peer = server("");
    expect(await sentence(`http://127.0.0.1:${peer.port}/`)).toBe(
      "connection reset, or closed too early, by the other side",
    );
  });

  test("the other side speaks no TLS", async () => {
    using peer = server("HTTP/1.1 400 Bad Request\r\n\r\n");
    expect(await sentence(`https://127.0.0.1:${peer.port}/`)).toContain("the TLS handshake failed");
  });

  test.each(["NEW_CODE", "ECONNRESET", "ERR_X"])("advice for programmers is left out (%s)", (code) => {
    const error = Object.assign(
      new TypeError(`${code}: It broke. For more information, pass \`verbose: true\` to fetch()`),
      { code, errno: 0 },
    );
    expect(errorAdvice(error)).not.toMatch(/verbose|[A-Z]_?[A-Z]{3}/);
  });
});

test.each([
  ["EAI_AGAIN", "the name server does not answer (check the network, and the DNS server in /etc/resolv.conf)"],
  ["DNS_ETIMEOUT", "the name server does not answer (check the network, and the DNS server in /etc/resolv.conf)"],
  ["EBUSY", "too many names are being looked up"],
  ["ENEW", "the name cannot be looked up (ENEW) (check the network, and the DNS server in /etc/resolv.conf)"],
])("a resolver's %s", (code, said) => {
  expect(errorAdvice(new NameError(code, "tv.example"))).toBe(said);
});

test("an unknown name is told as such, whoever asked for it", async () => {
  const reasonOf = (promise: Promise<unknown>) => promise.then(() => "", errorReason);
  expect(await reasonOf(lookup("no.such.host.invalid"))).toBe("name or service not known");
  expect(await reasonOf(fetch("http://no.such.host.invalid/"))).toBe("name or service not known");
});
