/** Frames in, MPEG-TS out, however the bytes are cut, as far as the ring has room and not before. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { UpstreamParent } from "../../../src/relay/upstream.ts";
import { allocate, type Memory } from "../../../src/system/memory.ts";
import { UdpPair } from "../../../src/system/udp-pair.ts";
import type { DatagramSink } from "../../../src/system/udp-socket.ts";
import { EarlyFrames, InterleavedMedia, UdpMedia } from "../../../src/upstream/rtsp/media.ts";
import { parseIpAddress } from "../../../src/wire/ip/address.ts";
import { parityOf } from "../../fakes/fec-encoder.ts";
import { recordingLog } from "../../fakes/recording-log.ts";
import { DatagramSource, type Fault, rtpPacket } from "../../fakes/ts-datagrams.ts";
import { tsPackets } from "../../fakes/ts-packets.ts";
import { until } from "../../fakes/until.ts";

const MIB = 1024 * 1024;
const RTP_HEADER_BYTES = 12;
const DATAGRAM_BYTES = 7 * 188;
/** Longer than any packet waits for an earlier one. */
const PATIENCE_MS = 600;
const memory = allocate(64 * 1024);

function into(sink: DatagramSink | undefined, datagram: Uint8Array): void {
  memory.bytes.set(datagram);
  sink?.datagram(memory, 0, datagram.length);
}

/** A connection that delivers datagrams, so many a read; undefined stands for a moment in which none have come. */
class Connection {
  media: DatagramSink | undefined;
  frames = 0;
  reads = 0;
  waits = 0;
  isManual = false;
  window = Number.POSITIVE_INFINITY;
  readonly datagrams: (Uint8Array | undefined)[];
  readonly #perRead: number;

  constructor(datagrams: readonly (Uint8Array | undefined)[], perRead = 1) {
    this.datagrams = [...datagrams];
    this.#perRead = perRead;
  }

  manual(): void {
    this.isManual = true;
  }

  readonly saidGoodbye = false;

  waitReadable(): void {
    this.waits++;
  }

  read(length: number): number {
    this.reads++;
    let count = 0;
    for (let i = 0; i < this.#perRead && this.datagrams.length > 0; i++) {
      const next = this.datagrams[0];
      if (next && count + next.length > length) break;
      this.datagrams.shift();
      if (!next) break;
      this.frames++;
      into(this.media, next);
      count += next.length;
    }
    return count;
  }
}

/** A stream with so much room. */
class Parent implements UpstreamParent {
  room = 4 * MIB;
  wakes = 0;
  marks = 0;
  readonly units: Buffer[] = [];

  append({ bytes }: Memory, offset: number, length: number): void {
    this.units.push(Buffer.from(bytes.subarray(offset, offset + length)));
  }

  fill = () => 0;
  cannotPause(): void {}

  retain(): void {}
  wake(): void {
    this.wakes++;
  }
  markRandomAccess(): void {
    this.marks++;
  }
  entered(): void {}
  opened(): void {}
  ended(): void {}

  get bytes(): Buffer {
    return Buffer.concat(this.units);
  }
}

function datagrams(count: number, fault?: (index: number) => Fault | undefined): Uint8Array[] {
  const source = new DatagramSource({ streamId: 1, carrier: "rtp", ...(fault && { fault }) });
  return Array.from({ length: count }, () => source.next()).flat();
}

function payloads(all: readonly Uint8Array[]): Buffer {
  return Buffer.concat(all.map((datagram) => datagram.subarray(RTP_HEADER_BYTES)));
}

function setUp(connection: Connection, early = new EarlyFrames()) {
  const parent = new Parent();
  return { connection, parent, media: new InterleavedMedia(parent, connection, early) };
}

describe("every byte comes out once and in order", () => {
  test("for any room, any reads, any moments of silence, and any early frames", () => {
    const sent = datagrams(60);
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 200_000 }), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 60 }),
        fc.array(fc.integer({ min: 0, max: 59 }), { maxLength: 10 }),
        fc.integer({ min: 0, max: 60 }),
        (rooms, perRead, silences, earlyCount) => {
          const early = new EarlyFrames();
          for (const datagram of sent.slice(0, earlyCount)) into(early, datagram);
          const rest = sent.slice(earlyCount);
          const withSilences = rest.flatMap((datagram, i) =>
            silences.includes(i) ? [undefined, datagram] : [datagram],
          );
          const { connection, parent, media } = setUp(new Connection(withSilences, perRead), early);
          connection.media = early;
          for (let i = 0; i < 1000 && connection.datagrams.length > 0; i++) {
            parent.room = i < rooms.length ? rooms[i]! : MIB;
            media.readable();
            media.tick(i * 10);
          }
          media.finish();
          expect(Buffer.compare(parent.bytes, payloads(sent))).toBe(0);
        },
      ),
      { numRuns: 100 },
    );
  });

  test("with packets out of order, doubled, and large", () => {
    const fault = (index: number) =>
      index === 20 ? { delayBy: 2 } : index === 30 ? ("duplicate" as const) : undefined;
    const { parent, media } = setUp(new Connection(datagrams(40, fault), 3));
    media.tick(0);
    expect(Buffer.compare(parent.bytes, payloads(datagrams(40)))).toBe(0);
    const large = tsPackets({ streamId: 1 }, 0, 319);
    const other = setUp(new Connection([rtpPacket(large, 1, 0)]));
    other.media.tick(0);
    other.media.finish();
    expect(Buffer.compare(other.parent.bytes, large)).toBe(0);
  });
});

test("key frames are marked, so that pictures and newcomers begin there", () => {
  const { parent, media } = setUp(new Connection(datagrams(40), 40));
  media.tick(0);
  // One every 100 packets.
  expect(parent.marks).toBe(3);
});

describe("a turn", () => {
  test("reads half the room at the most, and at most 1 MiB", () => {
    const many = datagrams(3000);
    const { connection, parent, media } = setUp(new Connection(many, 10));
    parent.room = 40 * DATAGRAM_BYTES;
    media.tick(0);
    expect(parent.bytes.length).toBeGreaterThan(0);
    expect(parent.bytes.length).toBeLessThanOrEqual(20 * DATAGRAM_BYTES);
    parent.units.length = 0;
    parent.room = 100 * MIB;
    media.tick(4);
    // As much as that only where it takes a few milliseconds.
    expect(parent.bytes.length).toBeGreaterThan(0);
    expect(parent.bytes.length).toBeLessThanOrEqual(MIB);
    expect(connection.datagrams.length).toBeGreaterThan(0);
    expect(media.tickMs).toBeLessThan(10);
  });

  test("early frames of a byte take no more memory than others, and the newest are kept", () => {
    const early = new EarlyFrames();
    const byte = Uint8Array.of(0x80);
    for (let i = 0; i < 100_000; i++) into(early, byte);
    const [datagram] = datagrams(1) as [Uint8Array];
    into(early, datagram);
    const lengths: number[] = [];
    const sink: DatagramSink = { datagram: (_, __, length) => void lengths.push(length) };
    while (!early.isEmpty) early.replay(sink, 1000);
    expect(lengths.length).toBeLessThan(MIB / 64);
    expect(lengths.at(-1)).toBe(datagram.length);
    into(early, datagram);
    expect(early.replay(sink, 1)).toBe(datagram.length);
  });

  test("without room reads nothing, and is not asked for soon", () => {
    const { connection, parent, media } = setUp(new Connection(datagrams(40), 40));
    parent.room = 0;
    media.tick(0);
    expect([connection.reads, connection.waits, parent.units.length]).toEqual([0, 0, 0]);
    expect(media.tickMs).toBeGreaterThanOrEqual(1000);
    parent.room = MIB;
    media.tick(1000);
    expect(parent.units.length).toBe(40);
    expect(media.tickMs).toBeLessThan(50);
  });

  test("may come later and later while little comes", () => {
    const { media } = setUp(new Connection(datagrams(100).flatMap((datagram) => [datagram, undefined])));
    const distances: number[] = [];
    for (let now = 0, i = 0; i < 6; i++, now += media.tickMs) {
      media.tick(now);
      distances.push(media.tickMs);
    }
    expect(distances).toEqual([...distances].sort((a, b) => a - b));
    expect(distances.at(-1)).toBe(50);
  });

  test("is soon after one that has brought half of what the server may send meanwhile", () => {
    const turn = [...datagrams(10), undefined];
    const { connection, media } = setUp(new Connection([...turn, ...turn, ...turn]));
    connection.window = 20 * DATAGRAM_BYTES;
    media.tick(0);
    media.tick(4);
    expect(media.tickMs).toBeLessThan(5);
    connection.window += 1000;
    media.tick(8);
    expect(media.tickMs).toBeGreaterThan(5);
  });
});

describe("a connection that is quiet", () => {
  test("tells itself when there is something, and is left alone until then", () => {
    const { connection, parent, media } = setUp(new Connection([]));
    expect(connection.isManual).toBe(true);
    media.tick(0);
    expect(connection.waits).toBe(1);
    const { reads } = connection;
    media.tick(1000);
    expect(connection.reads).toBe(reads);
    expect(media.tickMs).toBeGreaterThanOrEqual(1000);
    connection.datagrams.push(...datagrams(8));
    media.readable();
    expect(parent.wakes).toBe(1);
    media.tick(1001);
    expect(parent.units).toHaveLength(8);
  });

  test("leaves nothing that waits for an earlier packet", () => {
    const fault = (index: number) => (index === 20 ? "drop" : undefined);
    const { connection, parent, media } = setUp(new Connection(datagrams(24, fault), 24));
    media.tick(0);
    expect(parent.units).toHaveLength(20);
    for (let now = 10; connection.waits === 0; now += 50) media.tick(now);
    expect(media.tickMs).toBeLessThanOrEqual(PATIENCE_MS);
    media.tick(2 * PATIENCE_MS);
    expect(parent.units).toHaveLength(23);
  });
});

test("finish hands over what came, also what waits for an earlier packet; close does not", () => {
  const fault = (index: number) => (index === 20 ? "drop" : undefined);
  for (const [how, units] of [
    ["finish", 23],
    ["close", 20],
  ] as const) {
    const { connection, parent, media } = setUp(
      new Connection([...datagrams(24, fault), undefined, undefined, ...datagrams(9)], 24),
    );
    media.tick(0);
    media[how]();
    media[how]();
    media.tick(PATIENCE_MS);
    expect([how, parent.units.length]).toEqual([how, units]);
    expect(connection.datagrams.length).toBeGreaterThan(0);
  }
});

test("early frames are kept up to 1 MiB, else only the newest", () => {
  const early = new EarlyFrames();
  const all = datagrams(1000);
  for (const datagram of all.slice(0, 700)) into(early, datagram);
  const parent = setUp(new Connection([]), early).parent;
  const kept: number[] = [];
  early.replay({ datagram: (_memory, _offset, length) => void kept.push(length) }, DATAGRAM_BYTES + 1);
  expect(kept).toHaveLength(1);
  for (const datagram of all.slice(700)) into(early, datagram);
  early.replay({ datagram: (_memory, _offset, length) => void kept.push(length) }, Number.POSITIVE_INFINITY);
  expect(kept.length).toBeLessThan(1000);
  expect(early.isEmpty).toBe(true);
  expect(parent.units).toEqual([]);
});

test("what is lost on the way to a port comes back from parity that comes there, too", async () => {
  const address = parseIpAddress("127.0.0.1")!;
  const pair = new UdpPair({ address, receiveBufferBytes: MIB, interfaceName: undefined });
  const sender = await Bun.udpSocket({ hostname: "127.0.0.1" });
  try {
    const parent = new Parent();
    const media = new UdpMedia(
      parent,
      pair,
      { senders: [parseIpAddress("127.0.0.1")!], canHearOnly: () => true },
      "rtsp://test",
      recordingLog(),
    );
    const packets = datagrams(60);
    const sent = [0, 20, 40].flatMap((first) => {
      const group = packets.slice(first, first + 20);
      return [...group, ...parityOf("alpha", group, 2)];
    });
    const lost = [packets[43], packets[57]];
    for (const datagram of sent) if (!lost.includes(datagram)) sender.send(datagram, pair.port, "127.0.0.1");
    const wanted = payloads(packets);
    const isComplete = () => {
      media.tick(performance.now());
      return parent.bytes.length >= wanted.length;
    };
    await until(isComplete, PATIENCE_MS * 5, "all packets");
    expect(Buffer.compare(parent.bytes, wanted)).toBe(0);
    expect(media.input.reorder.counts).toMatchObject({ lost: 0, repaired: 2 });
  } finally {
    sender.close();
    pair.close();
  }
});
