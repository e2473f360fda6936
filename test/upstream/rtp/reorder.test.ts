import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { allocate } from "../../../src/system/memory.ts";
import { PacketWindow } from "../../../src/upstream/rtp/packet-window.ts";
import { type HoleRepair, ReorderBuffer, type ReorderCounts } from "../../../src/upstream/rtp/reorder.ts";

const WINDOW = 32;
const COLLECT_PACKETS = 8;
const HEADER_BYTES = 12;

/** Repairs nothing and never gives up. */
const HOPEFUL: HoleRepair = { held() {}, mayRepair: () => true, tick() {}, reset() {} };

const header = (sequence: number) => Uint8Array.from({ length: HEADER_BYTES }, (_, i) => (sequence + i) ^ 0x80);

/** Pushes payloads that say who they are, and checks at delivery that they still do. */
class Harness {
  readonly delivered: number[] = [];
  readonly buffer: ReorderBuffer;
  now = 0;
  pushed = 0;
  /** At the delivery of this packet the sink throws. */
  throwsAt: number | undefined;
  readonly #scratch = allocate(70_000);

  constructor(window?: PacketWindow) {
    this.buffer = new ReorderBuffer({
      payload: ({ bytes }, offset, length) => {
        const view = new DataView(bytes.buffer, bytes.byteOffset + offset, length);
        const sequence = view.getUint16(0);
        const size = view.getUint16(2);
        expect(length).toBe(size);
        if (size > 4) expect([bytes[offset + 4], bytes[offset + size - 1]]).toEqual([sequence & 0xff, sequence & 0xff]);
        this.delivered.push(sequence);
        if (sequence === this.throwsAt) throw new Error("the sink failed");
      },
    });
    if (window) this.buffer.keepDelivered(window, HOPEFUL);
  }

  push(sequence: number, size = 20, offset = HEADER_BYTES + (sequence % 50)): void {
    const { bytes } = this.#scratch;
    new DataView(bytes.buffer).setUint32(offset, (sequence << 16) | size);
    bytes.fill(sequence & 0xff, offset + 4, offset + size);
    bytes.set(header(sequence), offset - HEADER_BYTES);
    const packet = { payloadType: 33, sequence, payloadStart: offset, payloadEnd: offset + size };
    this.buffer.push(packet, this.#scratch, offset - HEADER_BYTES, HEADER_BYTES + size);
    // The receiver's memory is overwritten by the next datagram.
    bytes.fill(0xee, offset, offset + size);
    this.pushed++;
  }

  pushAll(...sequences: number[]): this {
    for (const sequence of sequences) this.push(sequence & 0xffff);
    return this;
  }

  after(ms: number): this {
    this.now += ms;
    this.buffer.tick(this.now);
    return this;
  }

  get counts(): ReorderCounts {
    return this.buffer.counts;
  }
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const wrapped = (sequences: number[]) => sequences.map((s) => s & 0xffff);

/** A buffer that has started and delivered `COLLECT_PACKETS` packets up to `next`. */
function active(next = 1000): Harness {
  const harness = new Harness().pushAll(...range(next - COLLECT_PACKETS, next));
  expect(harness.delivered.splice(0)).toEqual(wrapped(range(next - COLLECT_PACKETS, next)));
  return harness;
}

describe("start-up", () => {
  test("delivers nothing before eight packets, then all in order, the first one late", () => {
    const harness = new Harness().pushAll(11, 12, 13, 14, 15, 16, 17);
    expect(harness.delivered).toEqual([]);
    expect(harness.buffer.flushInMs).toBe(4);
    harness.pushAll(10);
    expect(harness.delivered).toEqual(range(10, 18));
    expect(harness.buffer.flushInMs).toBeUndefined();
  });

  test("lasts no longer than 4 ms", () => {
    const harness = new Harness().after(1000).pushAll(11, 10).after(3);
    expect(harness.delivered).toEqual([]);
    expect(harness.after(1).delivered).toEqual([10, 11]);
    expect(harness.pushAll(12).delivered).toEqual([10, 11, 12]);
  });

  test("goes around the end of the numbers", () => {
    expect(new Harness().pushAll(0, 1, 65534, 65535, 2, 3, 4, 5).delivered).toEqual(wrapped(range(-2, 6)));
  });

  test("a jump too far for the window delivers what there is and begins anew", () => {
    const harness = new Harness().pushAll(100, 102, 5000, 5001);
    expect(harness.delivered).toEqual([100, 102]);
    expect(harness.counts.lost).toBe(1);
    expect(harness.after(4).delivered).toEqual([100, 102, 5000, 5001]);
  });

  test("never holds more than one window", () => {
    // 80 and 130 are further apart than the window: with both, 98 would find its place taken by 130.
    const harness = new Harness().pushAll(100, 130, 80, 101, 102, 103, 104, 105, 106);
    expect(harness.delivered).toEqual(range(100, 107));
    harness.pushAll(...range(107, 130), 131, 132);
    expect(harness.delivered).toEqual(range(100, 133));
    // 107 to 129 came behind 130.
    expect(harness.counts).toEqual({ lost: 0, reordered: 23, duplicates: 0, late: 1, resyncs: 0 });
  });
});

describe("when active", () => {
  test("passes packets in order straight on, through the wrap", () => {
    const harness = active(65530).pushAll(...range(65530, 65550));
    expect(harness.delivered).toEqual(wrapped(range(65530, 65550)));
    expect(harness.counts).toEqual({ lost: 0, reordered: 0, duplicates: 0, late: 0, resyncs: 0 });
  });

  test("puts a swap right and counts it", () => {
    const harness = active().pushAll(1001, 1000, 1002);
    expect(harness.delivered).toEqual([1000, 1001, 1002]);
    expect(harness.counts).toMatchObject({ reordered: 1, lost: 0 });
  });

  test("counts as reordered what came behind a later packet, and nothing that only waits behind a hole", () => {
    const harness = active().pushAll(...range(1001, 1033));
    expect(harness.counts).toMatchObject({ reordered: 0, lost: 1 });
    harness.pushAll(1034, 1037, 1036, 1035, 1033, 1038);
    expect(harness.delivered).toEqual(range(1001, 1039));
    expect(harness.counts).toMatchObject({ reordered: 3, lost: 1 });
  });

  test("drops duplicates, of stored packets and of delivered ones", () => {
    const harness = active().pushAll(1001, 1001, 1000, 1000, 1001);
    expect(harness.delivered).toEqual([1000, 1001]);
    expect(harness.counts).toMatchObject({ duplicates: 1, late: 2, lost: 0 });
  });

  test("gives a hole up when a packet a whole window ahead comes, and is then not behind", () => {
    const harness = active().pushAll(...range(1001, 1000 + WINDOW));
    expect(harness.delivered).toEqual([]);
    harness.pushAll(1000 + WINDOW);
    expect(harness.delivered).toEqual(range(1001, 1001 + WINDOW));
    expect(harness.counts.lost).toBe(1);
    harness.pushAll(1000);
    expect(harness.counts.late).toBe(1);
  });

  test("gives a hole up after 500 ms", () => {
    const harness = active().after(2000).pushAll(1002, 1003, 1006).after(499);
    expect(harness.delivered).toEqual([]);
    expect(harness.after(1).delivered).toEqual([1002, 1003]);
    expect(harness.counts.lost).toBe(2);
    expect(harness.after(500).delivered).toEqual([1002, 1003, 1006]);
    expect(harness.counts.lost).toBe(4);
  });

  test("follows a jump forwards", () => {
    const harness = active().pushAll(21000, 21001);
    harness.after(500);
    expect(harness.delivered).toEqual([21000, 21001]);
    expect(harness.counts.lost).toBe(20000);
  });

  test("keeps packets that are larger than usual, up to the largest datagram", () => {
    // The start-up has used eight slots for small packets; 1024 to 1031 come into the same ones.
    const harness = active().pushAll(...range(1000, 1024));
    harness.delivered.length = 0;
    harness.push(1025, 65_495);
    harness.push(1026, 1537);
    harness.push(1024, 9000);
    harness.push(1058, 5);
    harness.push(1057, 5);
    harness.after(500);
    expect(harness.delivered).toEqual([1024, 1025, 1026, 1057, 1058]);
  });
});

test("a sink that throws costs no packet: the next push delivers on", () => {
  const harness = active().pushAll(1001, 1002, 1004);
  harness.throwsAt = 1001;
  expect(() => harness.pushAll(1000)).toThrow("the sink failed");
  harness.pushAll(1003, 1005);
  expect(harness.delivered).toEqual(range(1000, 1006));
  expect(harness.counts).toMatchObject({ lost: 0, late: 0, duplicates: 0 });
});

describe("a source that restarts with lower numbers", () => {
  test("is followed after a second and 64 late packets, with nothing lost from then on", () => {
    const harness = active(30000).after(10);
    for (let i = 0; i < 110; i++) harness.after(10).pushAll(500 + i);
    expect(harness.counts.resyncs).toBe(1);
    const first = harness.delivered[0]!;
    expect(first).toBeWithin(564, 605);
    expect(harness.delivered).toEqual(range(first, 610));
    expect(harness.counts.lost).toBe(0);
  });

  test("is not followed before a second, nor before 64 packets", () => {
    const soon = active(30000).after(999);
    expect(soon.pushAll(...range(500, 1500)).counts.resyncs).toBe(0);
    const few = active(30000).after(5000);
    expect(few.pushAll(...range(500, 563)).counts.resyncs).toBe(0);
    expect(few.pushAll(563).counts.resyncs).toBe(1);
  });

  test("is not taken for one while packets are delivered, or late ones do not ascend", () => {
    const mixed = active(30000);
    for (let i = 0; i < 200; i++) mixed.after(20).pushAll(30000 + i, 500 + i);
    const same = active(30000).after(5000);
    for (let i = 0; i < 200; i++) same.pushAll(500 + (i % 2));
    expect([mixed.counts.resyncs, same.counts.resyncs]).toEqual([0, 0]);
  });
});

describe("with a window that keeps what was delivered", () => {
  const SIZE = 128;
  const firstSequence = fc.integer({ min: 0, max: 65535 });

  /** The bytes that `Harness.push` makes, from the header on. */
  function expectKept(window: PacketWindow, sequence: number, size: number): void {
    const kept = window.get(sequence)!;
    expect(kept).toMatchObject({ length: HEADER_BYTES + size, payloadStart: HEADER_BYTES, payloadEnd: kept.length });
    const packet = new Uint8Array(kept.length).fill(sequence & 0xff);
    packet.set(header(sequence));
    new DataView(packet.buffer).setUint32(HEADER_BYTES, (sequence << 16) | size);
    expect(Buffer.compare(kept.memory.bytes.subarray(0, kept.length), packet)).toBe(0);
  }

  test("the last half of it is there, exactly as it came, and the output is the same as without", () => {
    fc.assert(
      fc.property(disturbed(WINDOW - 2), firstSequence, fc.boolean(), (arrivals, first, atOnce) => {
        const window = new PacketWindow(SIZE);
        const keeping = atOnce ? new Harness(window).pushAll(...range(first - 8, first)) : active(first);
        const usual = active(first);
        keeping.delivered.length = 0;
        if (!atOnce) keeping.buffer.keepDelivered(window, HOPEFUL);
        const size = (index: number) => 4 + ((index * 977) % 4000);
        for (const index of arrivals) {
          for (const harness of [keeping, usual]) harness.push((first + index) & 0xffff, size(index));
          for (const sequence of keeping.delivered.slice(-SIZE / 2)) {
            expectKept(window, sequence, size((sequence - first) & 0xffff));
          }
        }
        // A hole may wait longer here, so only the end tells the same.
        const { delivered } = keeping;
        for (const harness of [keeping, usual]) harness.buffer.reset();
        expect(delivered).toEqual(usual.delivered);
        expect(keeping.counts.lost).toBe(usual.counts.lost);
        expect(delivered.some((sequence) => window.has(sequence))).toBe(false);
      }),
      { numRuns: 100 },
    );
  });

  test("a hole may wait for half of it", () => {
    const window = new PacketWindow(SIZE);
    const harness = active();
    harness.buffer.keepDelivered(window, HOPEFUL);
    harness.pushAll(...range(1001, 1000 + SIZE / 2));
    expect(harness.delivered).toEqual([]);
    harness.pushAll(1000);
    expect(harness.delivered).toEqual(range(1000, 1000 + SIZE / 2));
    expect(harness.counts.lost).toBe(0);
  });

  test("packets that wait when it comes are not lost", () => {
    for (const harness of [active().pushAll(1003, 1001, 1031), new Harness().pushAll(1003, 1001, 1000)]) {
      harness.buffer.keepDelivered(new PacketWindow(SIZE), HOPEFUL);
      harness.buffer.reset();
      expect(harness.delivered).toEqual(expect.arrayContaining([1001, 1003]));
    }
  });

  test("without hope of repair it waits as long as without", () => {
    const events: string[] = [];
    const repair = {
      ...HOPEFUL,
      held: (sequence: number) => events.push(`held ${sequence}`),
      mayRepair: (hole: number, newest: number) => {
        events.push(`asked ${hole} ${newest}`);
        return false;
      },
    };
    const harness = active();
    harness.buffer.keepDelivered(new PacketWindow(SIZE), repair);
    harness.pushAll(...range(1001, 1000 + WINDOW));
    expect([harness.delivered, events.length]).toEqual([[], WINDOW - 1]);
    harness.pushAll(1000 + WINDOW);
    expect(harness.delivered).toEqual(range(1001, 1001 + WINDOW));
    expect(events.slice(-2)).toEqual([`held ${1000 + WINDOW}`, `asked 1000 ${1000 + WINDOW}`]);
    expect(harness.pushAll(1050).after(499).delivered).toHaveLength(WINDOW);
    expect(harness.after(1).delivered.at(-1)).toBe(1050);
    expect(harness.counts).toMatchObject({ lost: 18, unrepairable: 18 });
  });

  test("with hope it waits 2 s at the most", () => {
    const harness = active();
    harness.buffer.keepDelivered(new PacketWindow(SIZE), HOPEFUL);
    harness.pushAll(1001).after(1999);
    expect(harness.delivered).toEqual([]);
    expect(harness.after(1).delivered).toEqual([1001]);
  });

  test("a repaired packet is delivered in its turn, once", () => {
    const harness = active();
    harness.buffer.keepDelivered(new PacketWindow(SIZE), HOPEFUL);
    harness.pushAll(1002, 1004);
    const memory = allocate(16);
    const insert = (sequence: number) => {
      new DataView(memory.bytes.buffer).setUint32(HEADER_BYTES, (sequence << 16) | 4);
      const packet = { payloadType: 33, sequence, payloadStart: HEADER_BYTES, payloadEnd: HEADER_BYTES + 4 };
      return harness.buffer.insert(packet, memory, 0, memory.bytes.length);
    };
    expect([999, 1002, 1003].map(insert)).toEqual([false, false, true]);
    expect(harness.delivered).toEqual([]);
    expect(insert(1000 + SIZE / 2)).toBe(false);
    expect([1000, 1001, 1001].map(insert)).toEqual([true, true, false]);
    expect(harness.delivered).toEqual(range(1000, 1005));
    expect(insert(1005)).toBe(true);
    expect(harness.pushAll(1005, 1006).delivered).toEqual(range(1000, 1007));
    expect(harness.counts).toMatchObject({ lost: 0, late: 1, reordered: 0 });
  });

  test("one that cannot hold what may wait is refused", () => {
    expect(() => new ReorderBuffer({ payload() {} }).keepDelivered(new PacketWindow(WINDOW), HOPEFUL)).toThrow(
      RangeError,
    );
  });

  test("what was kept is never taken for a packet of the next round", () => {
    for (const lostAtOnce of [true, false]) {
      const harness = active(1000);
      harness.buffer.keepDelivered(new PacketWindow(SIZE), { ...HOPEFUL, mayRepair: () => false });
      harness.pushAll(...range(1000, 1100));
      // Nearly a whole round is lost, in one jump or in many.
      const stride = lostAtOnce ? 30_000 : SIZE / 2;
      for (let at = 1100; at < 65_536 + 900; at += stride) harness.pushAll(at).after(500);
      harness.delivered.length = 0;
      harness.pushAll(...range(65_536 + 1000, 65_536 + 1100)).after(500);
      expect(harness.delivered).toEqual(range(1000, 1100));
      expect(harness.counts.duplicates).toBe(0);
    }
  });
});

test("reset delivers what is held, in order, and starts anew at any number", () => {
  const harness = active().pushAll(1003, 1001);
  harness.buffer.reset();
  expect(harness.delivered).toEqual([1001, 1003]);
  expect(harness.counts.lost).toBe(2);
  harness.pushAll(...range(7, 15));
  expect(harness.delivered.slice(2)).toEqual(range(7, 15));
});

/** Where each packet of a stream lands, in the order of arrival: at most `reach` places late, some lost or doubled. */
const disturbed = (reach: number) =>
  fc
    .array(
      fc.record({
        delay: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(reach) }),
        copies: fc.oneof({ weight: 8, arbitrary: fc.constant(1) }, fc.constantFrom(0, 2)),
        echo: fc.nat(reach),
      }),
      { minLength: 1, maxLength: 150 },
    )
    .map((packets) =>
      packets
        .flatMap(({ delay, copies, echo }, i) =>
          [delay, echo].slice(0, copies).map((by) => ({ index: i, at: i + by + (by > 0 ? 0.5 : 0) })),
        )
        .sort((a, b) => a.at - b.at)
        .map(({ index }) => index),
    );

describe("properties", () => {
  const firstSequence = fc.integer({ min: 0, max: 65535 });

  test("what comes late by less than the window is put in order; only what never came is lost", () => {
    fc.assert(
      fc.property(disturbed(WINDOW - 2), firstSequence, (arrivals, first) => {
        // Eight packets in order first: what comes late at the very start is judged by another rule.
        const harness = active(first);
        for (const index of arrivals) harness.push((first + index) & 0xffff, 4 + ((index * 977) % 4000));
        harness.buffer.reset();
        const there = [...new Set(arrivals)].sort((a, b) => a - b);
        expect(harness.delivered).toEqual(wrapped(there.map((index) => first + index)));
        const span = (there.at(-1) ?? -1) + 1;
        const { lost, duplicates, late } = harness.counts;
        expect(lost).toBe(span - there.length);
        expect(duplicates + late).toBe(arrivals.length - there.length);
      }),
      { numRuns: 200 },
    );
  });

  test("whatever the delays, output ascends and every packet is delivered, late or doubled exactly once", () => {
    fc.assert(
      fc.property(disturbed(100), firstSequence, fc.array(fc.nat(300)), (arrivals, first, pauses) => {
        const harness = active(first);
        arrivals.forEach((index, i) => {
          harness.push((first + index) & 0xffff);
          harness.after(i % 7 === 0 ? (pauses[i] ?? 0) : 0);
        });
        harness.buffer.reset();
        const { lost, duplicates, late } = harness.counts;
        const indices = harness.delivered.map((sequence) => (sequence - first) & 0xffff);
        expect(indices).toEqual([...new Set(indices)].sort((a, b) => a - b));
        expect(harness.delivered.length + duplicates + late).toBe(arrivals.length);
        expect(harness.delivered.length + lost).toBe((indices.at(-1) ?? -1) + 1);
      }),
      { numRuns: 200 },
    );
  });

  test("random numbers and pauses never throw, and each packet is accounted for", () => {
    const sequence = fc.oneof(
      fc.nat(65535),
      fc.nat(100),
      fc.nat(40).map((n) => (65516 + n) & 0xffff),
    );
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.record({ sequence }) },
      { weight: 2, arbitrary: fc.record({ run: fc.nat(65535), length: fc.nat(90) }) },
      { weight: 1, arbitrary: fc.record({ pause: fc.nat(1500) }) },
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const harness = new Harness();
        for (const what of steps) {
          if ("sequence" in what) harness.push(what.sequence);
          else if ("pause" in what) harness.after(what.pause);
          else harness.pushAll(...range(what.run, what.run + what.length));
        }
        harness.buffer.reset();
        const { duplicates, late, resyncs } = harness.counts;
        // A packet that makes the buffer follow a restarted source is late and delivered both.
        expect(harness.delivered.length + duplicates + late - resyncs).toBe(harness.pushed);
      }),
      { numRuns: 300 },
    );
  });

  test("start-up: eight packets in any order come out in order", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(range(0, 8), { minLength: 8 }), firstSequence, (order, first) => {
        const harness = new Harness().pushAll(...order.map((index) => first + index));
        expect(harness.delivered).toEqual(wrapped(range(first, first + 8)));
        expect(harness.counts.lost).toBe(0);
      }),
    );
  });
});

test("a jump far ahead is counted without walking through it, and what follows passes", () => {
  const harness = active(1000);
  const before = harness.delivered.length;
  const lost = harness.counts.lost;
  harness.pushAll(...range(31_000, 31_040));
  harness.after(600);
  expect(harness.delivered.slice(before)).toEqual(range(31_000, 31_040));
  expect(harness.counts.lost - lost).toBe(30_000);
});
