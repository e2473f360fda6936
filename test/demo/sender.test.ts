import { expect, test } from "bun:test";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { MULTICAST_CHANNELS } from "../../src/demo/channels.ts";
import { startDemoSender } from "../../src/demo/sender.ts";

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

test("rejects a channel whose clip is no transport stream", async () => {
  const channel = { ...MULTICAST_CHANNELS[0]!, clip: import.meta.path };
  await expect(startDemoSender([channel])).rejects.toThrow("not MPEG-TS");
});
