import { describe, expect, test } from "bun:test";
import type { ForeignAnswer } from "../../../src/http/foreign-content.ts";
import { relayedHeaders, rewrittenHeaders } from "../../../src/upstream/http/relayed-headers.ts";
import type { HeaderField } from "../../../src/wire/http/header-fields.ts";

const fields = (text: string): HeaderField[] =>
  text.split("\n").map((line) => [line.split(": ", 1)[0]!, line.slice(line.indexOf(": ") + 2)]);
const lines = (headers: readonly HeaderField[]) => headers.map(([name, value]) => `${name}: ${value}`).join("\n");
/** A picture: nothing is said of it but what is said of everything. */
function answerOf(text: string): ForeignAnswer {
  const place = { upstreamPath: "/", hostPaths: ["/http/h"], channelPath: undefined, isCors: false };
  return { status: 200, headers: fields(`Content-Type: image/png\n${text}`), ...place };
}
const CONFINED =
  "Content-Security-Policy: sandbox\nX-Content-Type-Options: nosniff\nCross-Origin-Resource-Policy: same-site";
const without = (text: string) => text.replace("Content-Type: image/png\n", "").replace(`\n${CONFINED}`, "");
const relayed = (text: string) => without(lines(relayedHeaders(answerOf(text))));

describe("a body that passes through", () => {
  test("keeps its headers in order and spelling, but not those of the upstream's connection", () => {
    const kept =
      "sERVER: a\nSet-Cookie: a=1; Path=/http/h\nSet-Cookie: b=2; Path=/http/h\nContent-Range: bytes 0-1/2\nX-Empty: ";
    const hop = "connection: Keep-Alive, X-Hop\nKeep-Alive: timeout=5\nx-hop: 1\nUpgrade: h2c\nProxy-Connection: close";
    expect(relayed(`${hop}\n${kept.replaceAll("; Path=/http/h", "")}`)).toBe(`${kept}\nConnection: close`);
  });

  test("keeps its framing", () => {
    expect(relayed("Transfer-Encoding: gzip, Chunked")).toBe("Transfer-Encoding: gzip, Chunked\nConnection: close");
    expect(relayed("content-length: 5\nA: 1")).toBe("content-length: 5\nA: 1\nConnection: close");
  });

  test("has one framing only", () => {
    expect(relayed("Content-Length: 5\nTransfer-Encoding: chunked\nContent-Length: 6")).toBe(
      "Transfer-Encoding: chunked\nConnection: close",
    );
    expect(relayed("Content-Length: 5, 5\nA: 1\ncontent-length: 5")).toBe("Content-Length: 5\nA: 1\nConnection: close");
  });

  test("has no coding that is none", () => {
    expect(relayed("Transfer-Encoding: identity\nContent-Length: 5")).toBe("Content-Length: 5\nConnection: close");
  });

  test.each(["-1", "", "5 bytes", "18446744073709551615", "5, x"])("has no length that is %j", (length) => {
    expect(relayed(`A: 1\nContent-Length: ${length}`)).toBe("A: 1\nConnection: close");
  });
});

test("a rewritten playlist has a new length and nothing about the old bytes", () => {
  const old = [
    "Server: a",
    "content-length: 5",
    "Transfer-Encoding: chunked",
    "Trailer: X",
    "Content-Encoding: gzip",
    "Accept-Ranges: bytes",
    "Content-MD5: x",
    "Digest: x",
    "Content-Digest: x",
    "Repr-Digest: x",
    'eTag: "x"',
    'ETag: W/"y"',
    "Content-Type: audio/mpegurl",
  ];
  expect(lines(rewrittenHeaders({ ...answerOf(""), headers: fields(old.join("\n")) }, 42))).toBe(
    'Server: a\neTag: W/"x"\nETag: W/"y"\nContent-Type: audio/mpegurl\n' +
      `${CONFINED}\nConnection: close\nContent-Length: 42`,
  );
});
