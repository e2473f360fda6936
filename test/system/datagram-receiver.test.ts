import { dlopen } from "bun:ffi";
import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import { closeSync, existsSync, openSync, readdirSync, readlinkSync } from "node:fs";
import { type DatagramReceiver, openReceiver, type ReceiverKind } from "../../src/system/datagram-receiver.ts";
import { interfaceIndex } from "../../src/system/interfaces.ts";
import type { Memory } from "../../src/system/memory.ts";
import type { Membership } from "../../src/system/multicast.ts";
import { UdpSocket } from "../../src/system/udp-socket.ts";
import { parseIpAddress } from "../../src/wire/ip/address.ts";
import { freeUdpPort, uniqueGroup } from "../fakes/free-port.ts";
import { MulticastSender } from "../fakes/multicast-sender.ts";
import { addInterfacePair, describeInNamespace, memberCount, openSockets } from "../fakes/namespace.ts";
import { until } from "../fakes/until.ts";

const KINDS: readonly ReceiverKind[] = ["batched", "evented"];
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;
// Who is not root gets a receive buffer of the usual size only.
const BURST = process.getuid?.() === 0 ? 1000 : 50;
const WAIT_MS = 3000;
const C_INT = { args: ["i32"], returns: "i32" } as const;
const MAX_PAYLOAD_BYTES = 65_507;

interface Where {
  readonly group: string;
  readonly port: number;
  readonly source?: string;
}

const releases: (() => void)[] = [];
afterEach(() => {
  for (const release of releases.splice(0)) release();
});

async function somewhere(): Promise<Where> {
  return { group: uniqueGroup(), port: await freeUdpPort() };
}

/** The membership on an interface. */
function on(interfaceName: string, { group, port, source }: Where): Membership {
  return {
    group: parseIpAddress(group)!,
    port,
    interfaceName,
    interfaceIndex: interfaceIndex(interfaceName)!,
    ...(source !== undefined && { source: parseIpAddress(source)! }),
  };
}

/** A receiver that keeps what it is given. */
class Listener {
  readonly receiver: DatagramReceiver;
  readonly datagrams: Uint8Array[] = [];
  count = 0;

  constructor(membership: Membership, kind: ReceiverKind) {
    this.receiver = openReceiver(membership, RECEIVE_BUFFER_BYTES, kind);
    releases.push(() => this.receiver.close());
  }

  read(): void {
    this.count += this.receiver.receive({
      datagram: ({ bytes }, offset, length) => this.datagrams.push(bytes.slice(offset, offset + length)),
    });
  }

  async readUntil(count: number): Promise<void> {
    await until(
      () => {
        this.read();
        return this.count >= count;
      },
      WAIT_MS,
      `${count} datagrams, of which ${this.count} came`,
    );
  }
}

/** A listener that has joined. */
async function listen(kind: ReceiverKind, membership: Membership): Promise<Listener> {
  const before = memberCount(membership.group);
  const listener = new Listener(membership, kind);
  await until(
    () => {
      listener.read();
      return memberCount(membership.group) === before + 1;
    },
    WAIT_MS,
    "the membership",
  );
  return listener;
}

async function openSender(where: Where): Promise<MulticastSender> {
  const sender = await MulticastSender.open({ ...where, carrier: "udp", streamId: 1 });
  releases.push(() => sender.close());
  return sender;
}

/** Different bytes for each length and seed. */
function pattern(length: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + length + seed * 7 + (i >> 8)) & 0xff);
}

/** Why a receiver cannot be had: `batched` throws it at once, `evented` tells it later. */
async function failure(kind: ReceiverKind, membership: Membership): Promise<string> {
  let message: string | undefined;
  const attempt = () => {
    try {
      listener ??= new Listener(membership, kind);
      listener.read();
      message = listener.receiver.failure?.message;
    } catch (error) {
      message = (error as Error).message;
    }
    return message !== undefined;
  };
  let listener: Listener | undefined;
  await until(attempt, WAIT_MS, "the failure");
  return message!;
}

describe.each(KINDS)("the %s receiver", (kind) => {
  test("hands over datagrams of all sizes unchanged, and counts empty ones", async () => {
    const where = await somewhere();
    const listener = await listen(kind, on("lo", where));
    const sender = await openSender(where);
    const lengths = [0, 1, 2, 11, 12, 188, 1316, 1328, 1472, 1535, 1536, 1537, 4096, 9000, 60_000, MAX_PAYLOAD_BYTES];
    for (const length of lengths) sender.sendRaw(pattern(length));
    await listener.readUntil(lengths.length);
    expect(listener.datagrams).toEqual(lengths.filter((length) => length > 0).map((length) => pattern(length)));
    expect(listener.count).toBe(lengths.length);
  });

  test("goes on after an empty datagram and answers 0 when nothing is there", async () => {
    const where = await somewhere();
    const listener = await listen(kind, on("lo", where));
    const sender = await openSender(where);
    expect(listener.receiver.receive({ datagram() {} })).toBe(0);
    for (let i = 0; i < 130; i++) sender.sendRaw(pattern(i % 2));
    await listener.readUntil(130);
    expect(listener.datagrams).toHaveLength(65);
  });

  test("takes a burst of 1000 in order", async () => {
    const where = await somewhere();
    const listener = await listen(kind, on("lo", where));
    const sender = await openSender(where);
    for (let i = 0; i < 1000; i++) {
      sender.sendRaw(pattern(1316, i));
      if ((i + 1) % BURST === 0) await listener.readUntil(i + 1);
    }
    expect(listener.count).toBe(1000);
    expect(listener.datagrams.findIndex((datagram, i) => !Bun.deepEquals(datagram, pattern(1316, i)))).toBe(-1);
  });

  test("hears its own group only, also on a port that it shares", async () => {
    const port = await freeUdpPort();
    const wheres = [uniqueGroup(), uniqueGroup()].map((group) => ({ group, port }));
    const listeners = await Promise.all(wheres.map((where) => listen(kind, on("lo", where))));
    const senders = await Promise.all(wheres.map(openSender));
    for (let i = 0; i < 10; i++) for (const [seed, sender] of senders.entries()) sender.sendRaw(pattern(100, seed));
    await Promise.all(listeners.map((listener) => listener.readUntil(10)));
    for (const [seed, listener] of listeners.entries()) {
      expect(listener.datagrams).toEqual(new Array(10).fill(pattern(100, seed)));
    }
  });

  test("serves two receivers of one group alike", async () => {
    const where = await somewhere();
    const listeners = [await listen(kind, on("lo", where)), await listen(kind, on("lo", where))];
    const sender = await openSender(where);
    for (let i = 0; i < 10; i++) sender.sendRaw(pattern(100, i));
    for (const listener of listeners) {
      await listener.readUntil(10);
      expect(listener.datagrams).toEqual(Array.from({ length: 10 }, (_, i) => pattern(100, i)));
    }
  });

  test("hears one source only when it joins source-specifically", async () => {
    const where = await somewhere();
    const right = await listen(kind, on("lo", { ...where, source: "127.0.0.1" }));
    const other = await listen(kind, on("lo", { ...where, source: "127.0.0.2" }));
    const sender = await openSender(where);
    for (let i = 0; i < 10; i++) sender.sendRaw(pattern(100, i));
    await right.readUntil(10);
    other.read();
    expect(right.count).toBe(10);
    expect(other.count).toBe(0);
  });

  test.each([undefined, "127.0.0.1"])("goes on after a rejoin (source %p)", async (source) => {
    const where = await somewhere();
    const membership = on("lo", { ...where, ...(source !== undefined && { source }) });
    const listener = await listen(kind, membership);
    const sender = await openSender(where);
    sender.sendRaw(pattern(100, 1));
    await listener.readUntil(1);
    const sockets = openSockets();
    for (let i = 0; i < 3; i++) listener.receiver.rejoin();
    expect(openSockets(sockets)).toEqual([]);
    expect(memberCount(membership.group)).toBe(1);
    sender.sendRaw(pattern(100, 2));
    await listener.readUntil(2);
    expect(listener.datagrams).toEqual([pattern(100, 1), pattern(100, 2)]);
  });

  test("leaves nothing behind when it is closed, even twice", async () => {
    const membership = on("lo", await somewhere());
    const before = openSockets();
    const listener = await listen(kind, membership);
    expect(openSockets(before)).toHaveLength(1);
    listener.receiver.close();
    listener.receiver.close();
    await until(() => openSockets(before).length === 0, WAIT_MS, "the socket to be closed");
    expect(openSockets(before)).toEqual([]);
    expect(memberCount(membership.group)).toBe(0);
  });

  test("leaves nothing behind when it is closed at once", async () => {
    const membership = on("lo", await somewhere());
    const before = openSockets();
    new Listener(membership, kind).receiver.close();
    await until(() => openSockets(before).length === 0, WAIT_MS, "the socket to be closed");
    expect(memberCount(membership.group)).toBe(0);
  });

  test.each(["127.0.0.1", "10.3.4.5", "::1"])("refuses %s, which is no group", async (group) => {
    const before = openSockets();
    expect(await failure(kind, on("lo", { group, port: await freeUdpPort() }))).toBe(`${group} is no multicast group`);
    expect(openSockets(before)).toEqual([]);
  });

  test("refuses a source of the other family", async () => {
    const before = openSockets();
    const message = await failure(kind, on("lo", { ...(await somewhere()), source: "::1" }));
    expect(message).toMatch(kind === "batched" ? /^join: address not available/ : /family/i);
    await until(() => openSockets(before).length === 0, WAIT_MS, "the socket to be closed");
  });

  test.each(["239.9.9.9", "ff05::9999"])("refuses an interface that does not exist (%s)", async (text) => {
    const before = openSockets();
    const group = parseIpAddress(text)!;
    const membership = { group, port: await freeUdpPort(), interfaceName: "nosuch0", interfaceIndex: 999_999 };
    expect(await failure(kind, membership)).toMatch(
      kind === "batched" ? /^join: no such device/ : `interface nosuch0 has no IPv${group.family} address`,
    );
    await until(() => openSockets(before).length === 0, WAIT_MS, "the socket to be closed");
  });
});

test("the batched receiver tells once why it could not read, and goes on", async () => {
  const where = await somewhere();
  const before = socketDescriptors();
  const listener = await listen("batched", on("lo", where));
  const fd = socketDescriptors().find((candidate) => !before.includes(candidate))!;
  const sender = await openSender(where);
  const { symbols } = dlopen("libc.so.6", { dup: C_INT, dup2: { args: ["i32", "i32"], returns: "i32" }, close: C_INT });
  const kept = symbols.dup(fd);
  using file = openFile("/dev/null");
  symbols.dup2(file.fd, fd);
  listener.read();
  symbols.dup2(kept, fd);
  symbols.close(kept);

  expect(listener.receiver.consumeReadError()?.message).toBe("recvmmsg: errno 88");
  expect(listener.receiver.consumeReadError()).toBeUndefined();
  sender.sendRaw(pattern(100));
  await listener.readUntil(1);
  expect(listener.receiver.consumeReadError()).toBeUndefined();
});

function socketDescriptors(): number[] {
  const isSocket = (name: string) => {
    try {
      return readlinkSync(`/proc/self/fd/${name}`).startsWith("socket:");
    } catch {
      return false;
    }
  };
  return readdirSync("/proc/self/fd").filter(isSocket).map(Number);
}

function openFile(path: string): { fd: number } & Disposable {
  const fd = openSync(path, "r");
  return { fd, [Symbol.dispose]: () => closeSync(fd) };
}

/** Of the interface in the namespace. */
const ADDRESS = "fd00:1::1";

describeInNamespace(import.meta.path, "Two interfaces", () => {
  const [first, second] = ["10.91.1.1", "10.91.2.1"] as const;
  beforeAll(async () => {
    await addInterfacePair("media0", "media1", `${first}/24`);
    await addInterfacePair("other0", "other1", `${second}/24`);
  });

  async function openSenderOn(address: string, { group, port }: Where): Promise<(datagram: Uint8Array) => void> {
    const socket = await Bun.udpSocket({ hostname: address, socket: { data() {}, error() {} } });
    releases.push(() => socket.close());
    socket.setMulticastInterface(address);
    return (datagram) => expect(socket.send(datagram, port, group)).toBe(true);
  }

  test.each(KINDS)(
    "with the %s receiver, a source is heard alone, whoever has joined on the other one",
    async (kind) => {
      const where: Where = { group: "232.9.1.1", port: await freeUdpPort() };
      const right = await listen(kind, on("media0", { ...where, source: first }));
      const anybody = await listen("batched", on("other0", where));
      const [send, strangerSends] = [await openSenderOn(first, where), await openSenderOn(second, where)];
      for (let i = 0; i < 10; i++) {
        strangerSends(pattern(100, 100 + i));
        send(pattern(100, i));
      }
      await anybody.readUntil(10);
      await right.readUntil(10);
      expect(right.datagrams).toEqual(Array.from({ length: 10 }, (_, i) => pattern(100, i)));
    },
  );
});

test("a member of a group that is to hear one sender hears no other", async () => {
  const where = await somewhere();
  const membership = on("lo", where);
  const socket = new UdpSocket({ address: membership.group, port: where.port, isShared: true, membership });
  releases.push(() => socket.close());
  expect(socket.hearOnly(parseIpAddress("127.0.0.1")!, 0)).toBe(true);
  const [right, stranger] = await Promise.all(
    ["127.0.0.1", "127.0.0.2"].map((hostname) => Bun.udpSocket({ hostname, socket: { data() {}, error() {} } })),
  );
  releases.push(
    () => right!.close(),
    () => stranger!.close(),
  );
  for (const sender of [right!, stranger!]) sender.setMulticastInterface("127.0.0.1");
  for (let i = 0; i < 5; i++) {
    stranger!.send(Uint8Array.of(9), where.port, where.group);
    right!.send(Uint8Array.of(i), where.port, where.group);
  }
  const heard: number[] = [];
  const take = { datagram: ({ bytes }: Memory, offset: number) => void heard.push(bytes[offset]!) };
  await until(() => socket.receive(take) >= 0 && heard.length >= 5, WAIT_MS, "five datagrams");
  expect(heard).toEqual([0, 1, 2, 3, 4]);
});

describeInNamespace(import.meta.path, "IPv6 multicast", () => {
  if (!existsSync("/proc/self/net/if_inet6") && process.env["CI"] !== "true") {
    test.skip("the kernel has no IPv6", () => {});
    return;
  }

  // The loopback interface carries no IPv6 multicast, but what another one sends it hears itself.
  beforeAll(() => addInterfacePair("media0", "media1", `${ADDRESS}/64 nodad`));

  async function openSender6({ group, port }: Where): Promise<(datagram: Uint8Array) => void> {
    const socket = await Bun.udpSocket({ hostname: ADDRESS, socket: { data() {}, error() {} } });
    releases.push(() => socket.close());
    socket.setMulticastInterface("::%media0");
    return (datagram) => expect(socket.send(datagram, port, group)).toBe(true);
  }

  describe.each(KINDS)("with the %s receiver", (kind) => {
    test.each([
      ["ff02::5:1", undefined],
      ["ff05::5:2", undefined],
      ["ff35::5:3", ADDRESS],
    ])("hears %s (source %p), leaves and joins, and closes", async (group, source) => {
      const where: Where = { group, port: await freeUdpPort(), ...(source !== undefined && { source }) };
      const listener = await listen(kind, on("media0", where));
      const send = await openSender6(where);
      const lengths = [1, 1316, 9000, 60_000];
      for (const length of lengths) send(pattern(length));
      await listener.readUntil(lengths.length);
      listener.receiver.rejoin();
      send(pattern(5));
      await listener.readUntil(lengths.length + 1);
      expect(listener.datagrams).toEqual([...lengths, 5].map((length) => pattern(length)));
      listener.receiver.close();
      await until(() => memberCount(parseIpAddress(group)!) === 0, WAIT_MS, "the membership to end");
    });

    test("does not hear another source", async () => {
      const where: Where = { group: "ff35::5:4", port: await freeUdpPort() };
      const right = await listen(kind, on("media0", { ...where, source: ADDRESS }));
      const other = await listen(kind, on("media0", { ...where, source: "2001:db8::1" }));
      const send = await openSender6(where);
      for (let i = 0; i < 10; i++) send(pattern(100, i));
      await right.readUntil(10);
      other.read();
      expect(other.count).toBe(0);
    });
  });
});
