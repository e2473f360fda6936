import { expect, test } from "bun:test";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { MULTICAST_CHANNELS, PROTECTED_CHANNEL } from "../../src/demo/channels.ts";
import { startDemoSender } from "../../src/demo/sender.ts";
import { coefficients, product } from "../fakes/fec-encoder.ts";

const LOOPBACK = "127.0.0.1";
const CLOCK_HZ = 90_000;

/** Receives a group on a free port of the loopback interface. */
async function receive(group: string, onDatagram: (datagram: Buffer) => void) {
  const socket = createSocket({ type: "udp4" });
  socket.on("message", onDatagram);
  socket.bind(0, group);
  await once(socket, "listening");
  socket.addMembership(group, LOOPBACK);
  return socket;
}

test("sends every channel to its group, in the pace of its clock", async () => {
  const clips = MULTICAST_CHANNELS.map((channel) => ({
    channel,
    stamps: [] as number[],
    sequences: [] as number[],
    done: Promise.withResolvers<void>(),
  }));
  const sockets = await Promise.all(
    clips.map(({ channel, stamps, sequences, done }) =>
      receive(channel.group, (datagram) => {
        expect(datagram[12]).toBe(0x47);
        sequences.push(datagram.readUInt16BE(2));
        stamps.push(datagram.readUInt32BE(4));
        if ((stamps.at(-1)! - stamps[0]!) >>> 0 >= CLOCK_HZ) done.resolve();
      }),
    ),
  );
  const startedMs = performance.now();
  const sender = await startDemoSender(
    clips.map(({ channel }, i) => ({ ...channel, port: sockets[i]!.address().port })),
  );
  try {
    await Promise.all(clips.map(({ done }) => done.promise));
    // One second of media cannot take less than a second; how much more it takes depends on the machine.
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(1000);
    for (const { sequences } of clips) {
      expect(sequences).toEqual(sequences.map((_, i) => (sequences[0]! + i) & 0xffff));
    }
  } finally {
    sender.stop();
    for (const socket of sockets) socket.close();
  }
});

test("the protected channel loses packets on its way that its parity has", async () => {
  const media = new Map<number, Buffer>();
  const parity: Buffer[] = [];
  const lost = Promise.withResolvers<void>();
  const onMedia = (datagram: Buffer) => void media.set(datagram.readUInt16BE(2), Buffer.from(datagram));
  const onParity = (datagram: Buffer) => {
    parity.push(Buffer.from(datagram));
    const begin = datagram.readUInt16BE(12);
    if ([0, 1, 2, 3, 4].some((place) => !media.has((begin + place) & 0xffff))) lost.resolve();
  };
  const { group } = PROTECTED_CHANNEL;
  const sockets = await Promise.all([receive(group, onMedia), receive(group, onParity)]);
  const [port, parityPort] = sockets.map((socket) => socket.address().port);
  const sender = await startDemoSender([], { ...PROTECTED_CHANNEL, port: port!, parityPort: parityPort! });
  try {
    await lost.promise;
    const last = parity.at(-1)!;
    const begin = last.readUInt16BE(12);
    const packets = Array.from({ length: 5 }, (_, place) => media.get((begin + place) & 0xffff));
    const row = coefficients("alpha", 5, 1)[0]!;
    const missing = packets.indexOf(undefined);
    expect(packets.filter((packet) => packet === undefined)).toHaveLength(1);
    // Column 3 is the lower byte of the sequence number.
    const sum = packets.reduce((sum, packet, place) => sum ^ product(row[place]!, packet?.[3] ?? 0), last[24 + 3]!);
    expect(sum).toBe(product(row[missing]!, (begin + missing) & 0xff));
  } finally {
    sender.stop();
    for (const socket of sockets) socket.close();
  }
}, 30_000);

test("rejects a channel whose clip is no transport stream", async () => {
  const channel = { ...MULTICAST_CHANNELS[0]!, clip: import.meta.path };
  await expect(startDemoSender([channel])).rejects.toThrow("not MPEG-TS");
});
