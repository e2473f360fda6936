/** Both kinds of UDP socket over real ports: sending, senders' addresses, and sinks that throw or close. */

import { afterEach, describe, expect, test } from "bun:test";
import { EventedSocket } from "../../src/system/evented-socket.ts";
import type { Memory } from "../../src/system/memory.ts";
import { type DatagramSocket, UdpSocket, type UdpSocketOptions } from "../../src/system/udp-socket.ts";
import { formatIpAddress, parseIpAddress } from "../../src/wire/ip/address.ts";
import { openSockets } from "../fakes/namespace.ts";
import { until } from "../fakes/until.ts";

const WAIT_MS = 3000;
const LOOPBACKS = { 4: "127.0.0.1", 6: "::1" } as const;
const KINDS = { batched: UdpSocket, evented: EventedSocket } as const;
const DISCARD = { datagram() {} };

let resources = new DisposableStack();
afterEach(() => {
  resources.dispose();
  resources = new DisposableStack();
});

/** Bound to a free port. */
async function open(
  kind: keyof typeof KINDS,
  family: 4 | 6 = 4,
  options: Partial<UdpSocketOptions> = {},
): Promise<{ socket: DatagramSocket; port: number }> {
  const socket: DatagramSocket = new KINDS[kind]({ address: parseIpAddress(LOOPBACKS[family])!, ...options });
  resources.defer(() => socket.close());
  await until(() => socket.port !== undefined, WAIT_MS, "a port");
  return { socket, port: socket.port! };
}

function text({ bytes }: Memory, offset: number, length: number): string {
  return Buffer.from(bytes.subarray(offset, offset + length)).toString();
}

/** Reads until so many have come, and tells what they say. */
async function textsOf(socket: DatagramSocket, count: number): Promise<string[]> {
  const texts: string[] = [];
  const sink = { datagram: (...datagram: [Memory, number, number]) => texts.push(text(...datagram)) };
  await until(
    () => {
      socket.receive(sink);
      return texts.length >= count;
    },
    WAIT_MS,
    `${count} datagrams`,
  );
  return texts;
}

describe.each(Object.keys(KINDS) as (keyof typeof KINDS)[])("the %s socket", (kind) => {
  describe.each([4, 6] as const)("over IPv%d", (family) => {
    const loopback = parseIpAddress(LOOPBACKS[family])!;

    test("tells who has sent each datagram, and answers the sender", async () => {
      const [server, ...clients] = await Promise.all([1, 2, 3].map(() => open(kind, family)));
      const heard: string[] = [];
      const sink = {
        datagram(memory: Memory, offset: number, length: number, from: typeof loopback, port: number) {
          heard.push(`${text(memory, offset, length)} ${formatIpAddress(from)} ${port}`);
          server!.socket.send(Buffer.from(`answer to ${port}`), from, port);
        },
      };
      // The second round needs room for the addresses anew.
      for (const round of [1, 2]) {
        for (const { socket } of clients) expect(socket.send(Buffer.from("hello"), loopback, server!.port)).toBe(true);
        let count = 0;
        const hasAll = () => {
          count += server!.socket.receiveFrom(sink);
          return count === 2;
        };
        await until(hasAll, WAIT_MS, `round ${round}`);
      }
      const expected = clients.map(({ port }) => `hello ${LOOPBACKS[family]} ${port}`);
      expect(heard.sort()).toEqual([...expected, ...expected].sort());
      for (const { socket, port } of clients) {
        expect(await textsOf(socket, 2)).toEqual([`answer to ${port}`, `answer to ${port}`]);
      }
    });

    test("does not send to the other family", async () => {
      const { socket, port } = await open(kind, family);
      expect(socket.send(Buffer.from("no"), parseIpAddress(LOOPBACKS[family === 4 ? 6 : 4])!, port)).toBe(false);
    });
  });

  test("takes a burst with senders in order, and counts empty ones without handing them over", async () => {
    const [a, b] = [await open(kind), await open(kind)];
    const lengths = Array.from({ length: 100 }, (_, i) => i % 5);
    for (const length of lengths) a.socket.send(Buffer.alloc(length, length), parseIpAddress("127.0.0.1")!, b.port);
    const received: number[] = [];
    const sink = {
      datagram: (_memory: Memory, _offset: number, length: number, _from: unknown, port: number) => {
        received.push(length);
        expect(port).toBe(a.port);
      },
    };
    let count = 0;
    const hasAll = () => {
      count += b.socket.receiveFrom(sink);
      return count === lengths.length;
    };
    await until(hasAll, WAIT_MS, "all");
    expect(received).toEqual(lengths.filter((length) => length > 0));
  });

  test.each(["receive", "receiveFrom"] as const)("passes on what a sink throws in %s, and goes on", async (method) => {
    const [a, b] = [await open(kind), await open(kind)];
    const send = (word: string) => a.socket.send(Buffer.from(word), parseIpAddress("127.0.0.1")!, b.port);
    const failure = new Error("not to be had");
    const throwing = {
      datagram() {
        throw failure;
      },
    };
    send("first");
    let thrown: unknown;
    const hasThrown = () => {
      try {
        b.socket[method](throwing);
      } catch (error) {
        thrown = error;
      }
      return thrown !== undefined;
    };
    await until(hasThrown, WAIT_MS, "the error");
    expect(thrown).toBe(failure);
    send("second");
    expect(await textsOf(b.socket, 1)).toEqual(["second"]);
    expect([b.socket.failure, b.socket.consumeReadError()]).toEqual([undefined, undefined]);
  });

  test.each(["receive", "receiveFrom"] as const)(
    "can be closed from within %s, and hands over no more",
    async (method) => {
      const [a, b] = [await open(kind), await open(kind)];
      for (let i = 0; i < 10; i++) a.socket.send(Buffer.from("one"), parseIpAddress("127.0.0.1")!, b.port);
      let count = 0;
      const closing = {
        datagram() {
          count++;
          b.socket.close();
        },
      };
      const isClosed = () => b.socket[method](closing) > 0;
      await until(isClosed, WAIT_MS, "a datagram");
      expect(count).toBe(1);
      expect(b.socket.receive(closing)).toBe(0);
      expect(b.socket.send(Buffer.from("no"), parseIpAddress("127.0.0.1")!, a.port)).toBe(false);
      expect(b.socket.consumeReadError()).toBeUndefined();
    },
  );

  test("leaves nothing behind when it is closed twice", async () => {
    const before = openSockets();
    const { socket } = await open(kind);
    socket.close();
    socket.close();
    await until(() => openSockets(before).length === 0, WAIT_MS, "the socket to be closed");
    expect(socket.receive(DISCARD)).toBe(0);
  });

  test("shares a port only when it is to", async () => {
    const { port } = await open(kind, 4, { isShared: true });
    expect(await open(kind, 4, { isShared: true, port })).toMatchObject({ port });
    expect(await failureOf(kind, port)).toMatch(/EADDRINUSE|address/i);
  });

  test("has the receive buffer that it says", async () => {
    const { socket } = await open(kind, 4, { receiveBufferBytes: 100_000 });
    expect(socket.receiveBuffer).toBe(200_000);
  });
});

async function failureOf(kind: keyof typeof KINDS, port: number): Promise<string> {
  try {
    const socket: DatagramSocket = new KINDS[kind]({ address: parseIpAddress("127.0.0.1")!, port });
    resources.defer(() => socket.close());
    await until(() => socket.failure !== undefined, WAIT_MS, "a failure");
    return socket.failure!.message;
  } catch (error) {
    return (error as Error).message;
  }
}

test("what is sent before an evented socket is open goes out when it is", async () => {
  const { socket, port } = await open("batched");
  const early = new EventedSocket({ address: parseIpAddress("127.0.0.1")! });
  resources.defer(() => early.close());
  const bytes = Buffer.from("early");
  expect(early.send(bytes, parseIpAddress("127.0.0.1")!, port)).toBe(true);
  bytes.fill(0);
  expect(await textsOf(socket, 1)).toEqual(["early"]);
});

test("a batched socket tells how many datagrams its kernel has dropped", async () => {
  const { socket, port } = await open("batched", 4, { receiveBufferBytes: 4096 });
  const { socket: sender } = await open("batched");
  const address = parseIpAddress("127.0.0.1")!;
  expect(socket.kernelDrops).toBe(0);
  const sent = 400;
  for (let i = 0; i < sent; i++) sender.send(new Uint8Array(1000), address, port);
  const read = socket.receive(DISCARD);
  expect(read).toBeLessThan(sent);
  expect(socket.kernelDrops).toBe(sent - read);
  socket.close();
  expect(socket.kernelDrops).toBe(0);
});
