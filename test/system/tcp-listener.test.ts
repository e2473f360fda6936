import { afterEach, describe, expect, test } from "bun:test";
import { closeSocket, getOption, SO_KEEPALIVE, SO_REUSEADDR, SOL_SOCKET } from "../../src/system/socket.ts";
import {
  openSibling,
  openTcpListeners,
  ResolveError,
  type TcpEndpoint,
  TcpListenError,
} from "../../src/system/tcp-listener.ts";
import { freeTcpPort } from "../fakes/free-port.ts";
import { describeInNamespace, ip, openSockets } from "../fakes/namespace.ts";
import { within } from "../fakes/until.ts";

const ADVICE = "(stop the program that has it, or choose another port)";

const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const ANSWER_MS = 5000;

const open: number[] = [];
afterEach(() => {
  for (const fd of open.splice(0)) closeSocket(fd);
});

async function listenOn(host: TcpEndpoint["host"], port: number) {
  const result = await openTcpListeners({ host, port });
  open.push(...result.listeners.map(({ fd }) => fd));
  return result;
}

/** What a worker that adopts the descriptors calls each of them: its place in the list. */
async function answersFrom(fds: readonly number[], connections: readonly { hostname: string; port: number }[]) {
  const program = `
    for (let i = 0; i < ${fds.length}; i++) {
      Bun.listen({ fd: 3 + i, socket: { data() {}, open(socket) { socket.end(String(i)); } } });
    }
    console.log("ready");`;
  const stdio = ["ignore", "pipe", "inherit", ...fds] as ["ignore", "pipe", "inherit", ...number[]];
  const worker = Bun.spawn([process.execPath, "-e", program], { stdio });
  try {
    await within((worker.stdout as ReadableStream<Uint8Array>).getReader().read(), ANSWER_MS, "the worker");
    const answers: string[] = [];
    for (const connection of connections) answers.push(await within(answerOf(connection), ANSWER_MS, "an answer"));
    return answers;
  } finally {
    worker.kill();
    await worker.exited;
  }
}

async function answerOf(connection: { hostname: string; port: number }): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  await Bun.connect({ ...connection, socket: { data: (_, bytes) => resolve(bytes.toString()) } });
  return promise;
}

/** Takes a port as a program does that shares it with nobody. */
function occupy(port: number): { stop(): void } {
  return Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } });
}

describe("one address", () => {
  test("is one socket that a worker adopts", async () => {
    const port = await freeTcpPort();
    const { listeners, failures } = await listenOn("127.0.0.1", port);
    const [{ fd } = { fd: -1 }] = listeners;
    expect(listeners).toEqual([{ fd, address: "127.0.0.1", port }]);
    expect(failures).toEqual([]);
    expect(await answersFrom([fd], [{ hostname: "127.0.0.1", port }])).toEqual(["0"]);
  });

  test("has the options that every client inherits, and its port for itself", async () => {
    const { fd, port } = (await listenOn("127.0.0.1", 0)).listeners[0]!;
    for (const option of [SO_REUSEADDR, SO_KEEPALIVE]) expect(getOption(fd, SOL_SOCKET, option)).toBe(1);
    const { failures } = await listenOn("127.0.0.1", port);
    expect(failures).toMatchObject([
      { message: `Cannot bind: 127.0.0.1 port ${port}: address already in use ${ADVICE}` },
    ]);
  });

  test.each(["127.0.0.1", "::1"])("may have siblings, between which the kernel balances (%s)", async (hostname) => {
    const first = (await listenOn(hostname, 0)).listeners[0]!;
    const siblings = [openSibling(first), openSibling(first)];
    open.push(...siblings.map(({ fd }) => fd));
    for (const { address, port } of siblings)
      expect({ address, port }).toEqual({ address: hostname, port: first.port });
    // Of 64 connections none goes to one of three sockets in fewer than one of 10^10 runs.
    const connections = Array.from({ length: 64 }, () => ({ hostname, port: first.port }));
    const fds = [first, ...siblings].map(({ fd }) => fd);
    expect(new Set(await answersFrom(fds, connections))).toEqual(new Set(["0", "1", "2"]));
  });

  test("that is taken is a failure that names address and reason", async () => {
    const port = await freeTcpPort();
    const occupier = occupy(port);
    const before = openSockets();
    try {
      const { listeners, failures } = await listenOn("127.0.0.1", port);
      expect(listeners).toEqual([]);
      expect(failures).toEqual([expect.any(TcpListenError)]);
      const endpoint = `127.0.0.1 port ${port}`;
      expect(failures[0]).toMatchObject({
        code: "cannot-bind",
        endpoint,
        message: `Cannot bind: ${endpoint}: address already in use ${ADVICE}`,
      });
      expect(openSockets(before)).toEqual([]);
    } finally {
      occupier.stop();
    }
  });
});

describe("a name", () => {
  test("is listened on at its addresses", async () => {
    const { listeners } = await listenOn("localhost", 0);
    expect(listeners.map(({ address }) => address)).toContain("127.0.0.1");
  });

  test.each(["nowhere.invalid", "two words"])("%j is refused when nobody knows it", async (host) => {
    const error = await listenOn(host, 0).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ResolveError);
    expect(error).toMatchObject({ code: "unresolvable", host });
    expect((error as Error).message).toStartWith(`GAI: ${host}: name or service not known (check`);
  });
});

describeInNamespace(import.meta.path, "addresses of both families", () => {
  test("all addresses are two sockets on one port, and each family has its own", async () => {
    const { listeners, failures } = await listenOn(undefined, 0);
    expect(failures).toEqual([]);
    expect(listeners.map(({ address }) => address)).toEqual(["0.0.0.0", "::"]);
    const port = listeners[0]!.port;
    expect(port).toBeGreaterThan(0);
    expect(listeners[1]!.port).toBe(port);
    expect(getOption(listeners[1]!.fd, IPPROTO_IPV6, IPV6_V6ONLY)).toBe(1);
    const fds = listeners.map(({ fd }) => fd);
    const connections = ["127.0.0.1", "::1"].map((hostname) => ({ hostname, port }));
    expect(await answersFrom(fds, connections)).toEqual(["0", "1"]);
  });

  test("the other family is served when one cannot be bound", async () => {
    const port = await freeTcpPort();
    const occupier = occupy(port);
    const { listeners, failures } = await listenOn(undefined, port);
    occupier.stop();
    expect(listeners).toMatchObject([{ address: "::", port }]);
    expect(failures).toMatchObject([
      { message: `Cannot bind: 0.0.0.0 port ${port}: address already in use ${ADVICE}` },
    ]);
  });

  test("a link-local address needs its interface, by name or by index", async () => {
    ip("addr add fe80::1/64 dev lo nodad");
    expect((await listenOn("fe80::1%lo", 0)).listeners).toMatchObject([{ address: "fe80::1%lo" }]);
    expect((await listenOn("fe80::1%1", 0)).listeners).toMatchObject([{ address: "fe80::1%1" }]);
    for (const host of ["fe80::1", "fe80::1%none"]) {
      const { listeners, failures } = await listenOn(host, 0);
      expect(listeners).toEqual([]);
      expect(failures).toMatchObject([{ message: `Cannot bind: ${host} port 0: invalid argument` }]);
    }
  });
});
