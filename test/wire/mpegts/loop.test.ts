import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ClipLoop, parseLoopClip } from "../../../src/wire/mpegts/loop.ts";
import { packetId, payloadOffset, TS_PACKET_BYTES } from "../../../src/wire/mpegts/packet.ts";

const WRAP = 2n ** 33n;
const VIDEO_PID = 0x100;

interface PacketModel {
  pid: number;
  hasPayload: boolean;
  /** 90 kHz ticks, 33 bits. */
  pcr?: bigint;
  pts?: bigint;
  dts?: bigint;
}

/** The five bytes of a PTS or DTS after their 4-bit prefix (ISO/IEC 13818-1 section 2.4.3.6), written bit by bit. */
function timestampBytes(prefix: bigint, ticks: bigint): number[] {
  const bits = (prefix << 36n) | ((ticks >> 30n) << 33n) | (1n << 32n) | (((ticks >> 15n) & 0x7fffn) << 17n);
  const all = bits | (1n << 16n) | ((ticks & 0x7fffn) << 1n) | 1n;
  return [32n, 24n, 16n, 8n, 0n].map((shift) => Number((all >> shift) & 0xffn));
}

const PCR_EXTENSION = 299n;

function packetBytes({ pid, hasPayload, pcr, pts, dts }: PacketModel): Uint8Array {
  const packet = new Uint8Array(TS_PACKET_BYTES).fill(0xff);
  const hasField = pcr !== undefined || !hasPayload;
  packet.set([0x47, (pts === undefined ? 0 : 0x40) | (pid >> 8), pid & 0xff]);
  packet[3] = (hasField ? 0x20 : 0) | (hasPayload ? 0x10 : 0) | 7;
  if (hasField) packet.set([hasPayload ? 7 : 183, 0], 4);
  if (pcr !== undefined) {
    const field = (pcr << 15n) | (0x3fn << 9n) | PCR_EXTENSION;
    packet[5] = 0x10;
    for (let i = 0; i < 6; i++) packet[6 + i] = Number((field >> BigInt(40 - 8 * i)) & 0xffn);
  }
  if (pts !== undefined) {
    const stamps = [
      ...timestampBytes(dts === undefined ? 2n : 3n, pts),
      ...(dts === undefined ? [] : timestampBytes(1n, dts)),
    ];
    packet.set(
      [0, 0, 1, 0xe0, 0, 0, 0x80, dts === undefined ? 0x80 : 0xc0, stamps.length, ...stamps],
      hasField ? 12 : 4,
    );
  }
  return packet;
}

function movedBy({ pcr, pts, dts, ...rest }: PacketModel, ticks: bigint): PacketModel {
  const moved: PacketModel = rest;
  if (pcr !== undefined) moved.pcr = (pcr + ticks) % WRAP;
  if (pts !== undefined) moved.pts = (pts + ticks) % WRAP;
  if (dts !== undefined) moved.dts = (dts + ticks) % WRAP;
  return moved;
}

function join(packets: PacketModel[]): Uint8Array {
  return new Uint8Array(packets.flatMap((packet) => [...packetBytes(packet)]));
}

/** Plays `count` packets, each into its own memory. */
function play(clip: Uint8Array, durationTicks: number, count: number): { packets: Uint8Array[]; due: number[] } {
  const loop = new ClipLoop(parseLoopClip(clip, durationTicks)!);
  const packets: Uint8Array[] = [];
  const due: number[] = [];
  for (let i = 0; i < count; i++) {
    due.push(loop.nextDueTicks());
    const packet = new Uint8Array(TS_PACKET_BYTES);
    loop.emitNext(packet, 0);
    packets.push(packet);
  }
  return { packets, due };
}

function pcrOf(packet: Uint8Array): bigint {
  let field = 0n;
  for (let i = 0; i < 6; i++) field = (field << 8n) | BigInt(packet[6 + i]!);
  expect(field & 0x1ffn).toBe(PCR_EXTENSION);
  return field >> 15n;
}

const ticks33 = fc.bigInt({ min: 0n, max: WRAP - 1n });
const duration = fc.integer({ min: 1, max: 2 ** 33 - 1 });

/** Packets of a few PIDs, some without payload, after one that has the PCR. */
const clipModel = fc
  .array(fc.record({ pid: fc.constantFrom(0, VIDEO_PID, 0x101, 0x1ffe), hasPayload: fc.boolean() }), { maxLength: 20 })
  .map((packets): PacketModel[] => [{ pid: VIDEO_PID, hasPayload: true, pcr: 5n }, ...packets]);

describe("ClipLoop", () => {
  test("continues the counter of each PID over many repetitions; packets without payload repeat it", () => {
    fc.assert(
      fc.property(clipModel, (model) => {
        const last = new Map<number, number>();
        for (const packet of play(join(model), 900, model.length * 20).packets) {
          const pid = packetId(packet, 0);
          const hasPayload = (packet[3]! & 0x10) !== 0;
          const before = last.get(pid);
          const counter = packet[3]! & 0x0f;
          if (before !== undefined) expect(counter).toBe(hasPayload ? (before + 1) % 16 : before);
          last.set(pid, counter);
        }
      }),
    );
  });

  test("moves PCR, PTS and DTS by one duration each repetition, modulo 2^33, and nothing else", () => {
    fc.assert(
      fc.property(ticks33, ticks33, ticks33, duration, (pcr, pts, dts, durationTicks) => {
        const model = [
          { pid: VIDEO_PID, hasPayload: true, pcr, pts, dts },
          { pid: 0x101, hasPayload: true, pts },
        ];
        play(join(model), durationTicks, 10).packets.forEach((packet, i) => {
          const repetition = Math.floor(i / 2);
          const expected = packetBytes(movedBy(model[i % 2]!, BigInt(repetition) * BigInt(durationTicks)));
          expected[3] = (expected[3]! & 0xf0) | repetition;
          expect(packet).toEqual(expected);
        });
      }),
    );
  });

  test("PCR grows without a step back through the wrap of its 33 bits", () => {
    const step = 3600;
    const start = WRAP - 10n * BigInt(step);
    const model = Array.from({ length: 4 }, (_, i) => ({
      pid: VIDEO_PID,
      hasPayload: true,
      pcr: (start + BigInt(i * step)) % WRAP,
    }));
    const pcrs = play(join(model), 4 * step, 100).packets.map(pcrOf);
    expect(pcrs).toEqual(pcrs.map((_, i) => (start + BigInt(i * step)) % WRAP));
    expect(pcrs.at(-1)).toBeLessThan(start);
  });

  test("leaves null packets, scrambled payloads and stream ids without a PES header alone", () => {
    const pes = packetBytes({ pid: VIDEO_PID, hasPayload: true, pts: 1000n });
    const pcr = packetBytes({ pid: 0x1f0, hasPayload: true, pcr: 0n });
    const nullPacket = Uint8Array.from(pes);
    nullPacket.set([0x1f, 0xff], 1);
    const scrambled = Uint8Array.from(pes);
    scrambled[3] = scrambled[3]! | 0x80;
    const padding = Uint8Array.from(pes);
    padding[7] = 0xbe;
    const clip = new Uint8Array([...pcr, ...nullPacket, ...scrambled, ...padding]);
    const second = play(clip, 90_000, 8).packets.slice(4);
    expect(second[1]).toEqual(nullPacket);
    expect(second[2]!.subarray(4)).toEqual(scrambled.subarray(4));
    expect(second[3]!.subarray(4)).toEqual(padding.subarray(4));
  });

  test("writes exactly one packet at the offset given", () => {
    const loop = new ClipLoop(parseLoopClip(join([{ pid: 1, hasPayload: true, pcr: 0n }]), 1)!);
    const into = new Uint8Array(TS_PACKET_BYTES + 20).fill(0xaa);
    loop.emitNext(into, 10);
    expect([...into.subarray(0, 10), ...into.subarray(-10)]).toEqual(new Array(20).fill(0xaa));
    expect(into[10]).toBe(0x47);
  });
});

describe("a start within the stream", () => {
  const SECOND = 90_000;
  /** A programme table and a key frame each second, with something in between. */
  const clip = join(
    [0n, 1n, 2n, 3n].flatMap((second) => [
      { pid: 0, hasPayload: true },
      { pid: VIDEO_PID, hasPayload: true, pcr: second * BigInt(SECOND) },
      { pid: 0x101, hasPayload: true },
    ]),
  );
  for (let i = 0; i < 4; i++) clip[(3 * i + 1) * TS_PACKET_BYTES + 5]! |= 0x40;
  const parsed = parseLoopClip(clip, 4 * SECOND)!;

  test.each([
    [0, 0],
    [SECOND - 1, 0],
    [SECOND, SECOND],
    [3.5 * SECOND, 3 * SECOND],
    [4 * SECOND, 4 * SECOND],
    [1_000_001.9 * 4 * SECOND, (1_000_001 * 4 + 3) * SECOND],
  ])("at %d is the table before the last key frame, with its clock at %d", (startTicks, clock) => {
    const loop = new ClipLoop(parsed, startTicks);
    const packet = new Uint8Array(TS_PACKET_BYTES);
    loop.emitNext(packet, 0);
    expect(packetId(packet, 0)).toBe(0);
    expect(loop.nextDueTicks()).toBe(clock);
    loop.emitNext(packet, 0);
    expect(pcrOf(packet)).toBe(BigInt(clock) % WRAP);
  });
});

describe("due times", () => {
  const pcrAt = (pcr: bigint, pid = VIDEO_PID): PacketModel => ({ pid, hasPayload: true, pcr });
  const plain: PacketModel = { pid: 0, hasPayload: true };

  test("are even between PCRs, start at the first PCR and go on in the next repetition", () => {
    const model = [plain, pcrAt(WRAP - 100n), plain, pcrAt(100n), pcrAt(7n, 0x300), plain, plain];
    const { due } = play(join(model), 400, 9);
    expect(due).toEqual([0, 0, 100, 200, 250, 300, 350, 400, 400]);
  });

  test("never decrease, whatever the PCRs say, and stay within their repetition", () => {
    fc.assert(
      fc.property(fc.array(ticks33, { minLength: 1, maxLength: 20 }), duration, (pcrs, durationTicks) => {
        const count = pcrs.length;
        const { due } = play(join(pcrs.map((pcr) => pcrAt(pcr))), durationTicks, count * 3);
        due.forEach((at, i) => {
          const start = Math.floor(i / count) * durationTicks;
          expect(at).toBeWithin(start, start + durationTicks + 1);
          expect(at).toBeGreaterThanOrEqual(due[i - 1] ?? 0);
        });
      }),
    );
  });
});

describe("parseLoopClip", () => {
  const clip = join([
    { pid: VIDEO_PID, hasPayload: true, pcr: 0n },
    { pid: 0, hasPayload: true },
  ]);

  test("refuses what is not whole TS packets or has no PCR", () => {
    expect(parseLoopClip(new Uint8Array(), 1)).toBeUndefined();
    expect(parseLoopClip(join([{ pid: 0, hasPayload: true }]), 1)).toBeUndefined();
    for (let length = 1; length < clip.length; length++) {
      expect(parseLoopClip(clip.subarray(0, length), 1) !== undefined).toBe(length === TS_PACKET_BYTES);
    }
    const unsynced = Uint8Array.from(clip);
    unsynced[TS_PACKET_BYTES] = 0x48;
    expect(parseLoopClip(unsynced, 1)).toBeUndefined();
  });

  test("random and damaged bytes never throw, and sync bytes and PIDs survive playing", () => {
    const packet = fc.uint8Array({ minLength: TS_PACKET_BYTES, maxLength: TS_PACKET_BYTES }).map((bytes) => {
      bytes[0] = 0x47;
      return bytes;
    });
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 8 }), fc.uint8Array({ maxLength: 500 }), (packets, noise) => {
        parseLoopClip(noise, 90_000);
        const bytes = new Uint8Array([...clip, ...packets.flatMap((p) => [...p])]);
        const count = bytes.length / TS_PACKET_BYTES;
        play(bytes, 90_000, count * 3).packets.forEach((played, i) => {
          const original = (i % count) * TS_PACKET_BYTES;
          expect(played[0]).toBe(0x47);
          expect(packetId(played, 0)).toBe(packetId(bytes, original));
          expect(payloadOffset(played, 0)).toBe(payloadOffset(bytes, original) - original);
        });
      }),
    );
  });
});
