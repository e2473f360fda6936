/** What is lost comes back from parity, and nothing wrong ever comes out, whatever the parity is. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { allocate } from "../../../src/system/memory.ts";
import { Depacketizer } from "../../../src/upstream/rtp/depacketizer.ts";
import { LossReport } from "../../../src/upstream/rtp/loss-report.ts";
import { type PointsName, parityDatagram, parityOf, smpteDatagram } from "../../fakes/fec-encoder.ts";
import { seededRandom } from "../../fakes/random.ts";
import { recordingLog } from "../../fakes/recording-log.ts";
import { rtpPacket } from "../../fakes/ts-datagrams.ts";
import { tsPackets } from "../../fakes/ts-packets.ts";

const STREAM = { streamId: 7 };
const CELLS = 7;
const FIRST = 65_300;
/** As many as the reorder stage collects before it delivers. */
const COLLECTED = 8;
/** Packets without repair that a hole waits for. */
const HOLE_PACKETS = 32;

type Event = { readonly media: number } | { readonly parity: Uint8Array };

/** A line: media and parity in, payloads out, each of which is found again among what was sent. */
class Line {
  readonly input: Depacketizer;
  readonly log = recordingLog();
  /** Which packets came out. */
  readonly delivered: number[] = [];
  /** How many payloads came out that nobody sent, or twice, or not in order. */
  wrong = 0;
  readonly packets: readonly Uint8Array[];
  readonly #report = new LossReport("rtp://test", this.log);
  readonly #memory = allocate(2048);
  readonly #places = new Map<bigint | number, number>();
  readonly #parity: "own port" | "mixed";
  #now = 0;

  constructor(packets: readonly Uint8Array[], parity: "own port" | "mixed" = "own port") {
    this.packets = packets;
    this.#parity = parity;
    for (const [i, packet] of packets.entries()) this.#places.set(Bun.hash(packet.subarray(12)), i);
    this.input = new Depacketizer({
      append: ({ bytes }, offset, length) => {
        const place = this.#places.get(Bun.hash(bytes.subarray(offset, offset + length)));
        if (place === undefined || place <= (this.delivered.at(-1) ?? -1)) this.wrong++;
        else this.delivered.push(place);
      },
      markRandomAccess() {},
    });
    if (parity === "own port") this.input.expectParity();
  }

  feed(events: readonly Event[]): this {
    for (const event of events) {
      const datagram = "media" in event ? this.packets[event.media]! : event.parity;
      this.#memory.bytes.set(datagram);
      const isParity = "parity" in event && this.#parity === "own port";
      const sink = isParity ? this.input.expectParity() : this.input;
      sink.datagram(this.#memory, 0, datagram.length);
      this.#memory.bytes.fill(0xee, 0, datagram.length);
    }
    return this;
  }

  after(ms: number): this {
    this.#now += ms;
    this.input.reorder.tick(this.#now);
    return this;
  }

  /** The log of a second. */
  second(): string[] {
    this.#report.report(this.input);
    return this.log.lines.splice(0);
  }

  end(): string[] {
    this.input.reorder.reset();
    this.#report.end(this.input);
    return this.log.lines.splice(0);
  }

  get counts() {
    const { lost, repaired, unrepairable, refused } = this.input.reorder.counts;
    return { lost, repaired, unrepairable, refused };
  }

  get missing(): number[] {
    const there = new Set(this.delivered);
    return this.packets.flatMap((_, i) => (there.has(i) ? [] : [i]));
  }
}

function mediaPackets(count: number, cells: (index: number) => number = () => CELLS): Uint8Array[] {
  let counter = 0;
  return Array.from({ length: count }, (_, i) => {
    const packet = rtpPacket(tsPackets(STREAM, counter, cells(i)), FIRST + i, i * 630);
    counter += cells(i);
    return packet;
  });
}

/** Media in groups of k, and the m parity packets of each behind the first packets of the next. */
function coded(packets: readonly Uint8Array[], code: PointsName, k: number, m: number, blockLength?: number): Event[] {
  const events: Event[] = [];
  let parities: Uint8Array[] = [];
  packets.forEach((_, i) => {
    events.push({ media: i });
    const parity = parities.shift();
    if (parity) events.push({ parity });
    if ((i + 1) % k === 0) parities = parityOf(code, packets.slice(i + 1 - k, i + 1), m, blockLength);
  });
  return [...events, ...parities.map((parity) => ({ parity }))];
}

/** Loses packets by chance, parity too, but never more than m of a group. */
function lossy(events: readonly Event[], rate: number, seed: number, k: number, m: number, from = COLLECTED): Event[] {
  const random = seededRandom(seed);
  const lost = new Map<number, number>();
  let parityGroup = 0;
  return events.filter((event) => {
    if ("media" in event) parityGroup = Math.floor(event.media / k) - 1;
    const group = "media" in event ? Math.floor(event.media / k) : parityGroup;
    if (random() >= rate || ("media" in event && event.media < from)) return true;
    const before = lost.get(group) ?? 0;
    if (before === m) return true;
    lost.set(group, before + 1);
    return false;
  });
}

const SHAPES: readonly (readonly [number, number])[] = [
  [100, 5],
  [48, 3],
  [20, 2],
  [10, 2],
];
const CODES: readonly PointsName[] = ["integer", "alpha"];
const RATES = [0.002, 0.02, 0.04];

describe.each(CODES)("Reed–Solomon, code %s", (code) => {
  test.each(SHAPES)("(%d, %d): all that a group can lose comes back", (k, m) => {
    const packets = mediaPackets(k * 12);
    const events = coded(packets, code, k, m);
    for (const rate of RATES) {
      for (const where of ["own port", "mixed"] as const) {
        const line = new Line(packets, where);
        // Before the first parity nobody knows how long to wait for it, and in mixed mode nothing is kept.
        const arrivals = lossy(events, rate, 1 + rate * 1000, k, m, 2 * k);
        line.feed(arrivals).end();
        expect([line.wrong, line.missing]).toEqual([0, []]);
        const cameMedia = arrivals.filter((event) => "media" in event).length;
        expect(line.counts).toMatchObject({ lost: 0, repaired: packets.length - cameMedia, refused: 0 });
      }
    }
  });
});

test("packets of different lengths come back whole, those that were cut do not", () => {
  const packets = mediaPackets(200, (i) => 1 + (i % CELLS));
  const all = coded(packets, "alpha", 20, 2);
  const isLost = (event: Event) => "media" in event && event.media >= 20 && event.media % 20 < 2;
  const line = new Line(packets).feed(all.filter((event) => !isLost(event)));
  line.end();
  expect([line.wrong, line.missing]).toEqual([0, []]);
  // Cut in the third cell.
  const cut = new Line(packets).feed(
    coded(packets, "alpha", 20, 2, 12 + 2 * 188 + 100).filter((event) => !isLost(event)),
  );
  cut.end();
  expect(cut.wrong).toBe(0);
  // Either both packets of a group, or none.
  const isWhole = (place: number) => place % CELLS < 2;
  const hopeless = packets.flatMap((_, i) => {
    const first = i - (i % 20);
    return i >= 20 && i % 20 < 2 && !(isWhole(first) && isWhole(first + 1)) ? [i] : [];
  });
  expect(cut.missing).toEqual(hopeless);
  expect(cut.counts.repaired).toBeGreaterThan(0);
});

test("padding is a part of the packets that parity is made of", () => {
  let counter = 0;
  const packets = Array.from({ length: 100 }, (_, i) => {
    const packet = rtpPacket(tsPackets(STREAM, counter, CELLS), FIRST + i, 0, { padding: 1 + (i % 30) });
    counter += CELLS;
    return packet;
  });
  // The map of payloads knows nothing of padding.
  const line = new Line(packets);
  const payloads: Uint8Array[] = [];
  const input = new Depacketizer({
    append: ({ bytes }, offset, length) => payloads.push(bytes.slice(offset, offset + length)),
    markRandomAccess() {},
  });
  expect(line.packets).toHaveLength(100);
  const memory = allocate(2048);
  for (const event of coded(packets, "alpha", 10, 2)) {
    if ("media" in event && event.media > 9 && event.media % 10 === 4) continue;
    const datagram = "media" in event ? packets[event.media]! : event.parity;
    memory.bytes.set(datagram);
    ("media" in event ? input : input.expectParity()).datagram(memory, 0, datagram.length);
  }
  expect(Buffer.compare(Buffer.concat(payloads), tsPackets(STREAM, 0, counter))).toBe(0);
});

describe("losses beyond repair", () => {
  const K = 20;
  const packets = mediaPackets(K * 6);
  const all = coded(packets, "alpha", K, 2);

  test("are counted, and the rest is delivered as soon as that is known", () => {
    const lost = [43, 47, 51];
    const line = new Line(packets).feed(all.filter((event) => !("media" in event && lost.includes(event.media))));
    expect(line.counts).toEqual({ lost: 3, repaired: 0, unrepairable: 3, refused: 0 });
    expect([line.wrong, line.missing]).toEqual([0, lost]);
    // Not at the end, but when the third one could no longer have been overtaken.
    const early = new Line(packets);
    for (const event of all) {
      if ("media" in event && lost.includes(event.media)) continue;
      early.feed([event]);
      if ("media" in event && event.media === lost[2]! + HOLE_PACKETS + 8) break;
    }
    expect(early.delivered.at(-1)).toBe(lost[2]! + HOLE_PACKETS + 8);
  });

  test("a group of which too little parity comes is given up when its time is over", () => {
    let skipped = 0;
    const arrivals = all.filter((event) => {
      if ("media" in event) return event.media !== 41 && event.media !== 42;
      // One of the two of the third group, which come behind 60 and 61.
      return skipped++ !== 4;
    });
    const line = new Line(packets).feed(arrivals);
    expect(line.missing).toEqual([41, 42]);
    expect(line.delivered.at(-1)).toBe(packets.length - 1);
  });
});

test("parity that comes before its packets, or late, or between them, repairs as well", () => {
  const packets = mediaPackets(200);
  const random = seededRandom(5);
  const order = lossy(coded(packets, "alpha", 20, 2), 0.03, 9, 20, 2, 30).map((event, i) => {
    const reach = "media" in event ? 3 : 30;
    return { event, at: i + (i < 30 ? 0 : (random() - 0.5) * reach) };
  });
  const line = new Line(packets).feed(order.sort((a, b) => a.at - b.at).map(({ event }) => event));
  line.end();
  expect([line.wrong, line.missing]).toEqual([0, []]);
});

test("a large decode is done in slices, and the rest of it in the next ticks", () => {
  const packets = mediaPackets(600);
  const events = coded(packets, "alpha", 200, 30);
  const isLost = (event: Event) => "media" in event && event.media >= 200 && event.media < 230;
  const line = new Line(packets).feed(events.filter((event) => !isLost(event)).slice(0, 470));
  expect(line.delivered.at(-1)).toBe(199);
  let ticks = 0;
  while (line.delivered.at(-1) === 199 && ticks < 100) {
    line.after(1);
    ticks++;
  }
  expect(ticks).toBeGreaterThan(3);
  expect(line.delivered.length).toBeGreaterThan(400);
  expect([line.wrong, line.counts.repaired]).toEqual([0, 30]);
});

describe("nothing wrong comes out", () => {
  test.each(SHAPES)("of a code that nobody knows (%d, %d), and the log says so once", (k, m) => {
    const packets = mediaPackets(k * 12);
    for (const rate of RATES) {
      const line = new Line(packets).feed(lossy(coded(packets, "cubes", k, m), rate, 77 + k, k, m));
      const lines = [...line.second(), ...line.second()];
      expect(lines.filter((text) => text.includes("FEC of an unknown kind")).length).toBeLessThanOrEqual(1);
      line.end();
      expect([line.wrong, line.counts.repaired]).toEqual([0, 0]);
      expect(line.missing.filter((place) => place < line.delivered.at(-1)!)).toHaveLength(line.counts.lost);
    }
  });

  test("of a code that changes", () => {
    const packets = mediaPackets(2400);
    const before = coded(packets.slice(0, 1200), "alpha", 48, 3);
    const behind = coded(packets.slice(1200), "integer", 48, 3).map((event) =>
      "media" in event ? { media: event.media + 1200 } : event,
    );
    const line = new Line(packets).feed(lossy([...before, ...behind], 0.02, 3, 48, 3));
    line.end();
    expect(line.wrong).toBe(0);
    // The new code was found by itself.
    expect(line.missing.filter((place) => place > 1800)).toEqual([]);
  });

  test("of parity that is random, truncated, contradictory or another stream's", () => {
    const packets = mediaPackets(400);
    const clean = lossy(coded(packets, "alpha", 20, 2), 0.03, 21, 20, 2);
    const withoutParity = new Line(packets).feed(clean.filter((event) => "media" in event));
    withoutParity.end();
    const spoils: ((bytes: Uint8Array, random: () => number) => Uint8Array)[] = [
      (bytes, random) => bytes.map((byte, i) => (i < 24 ? byte : Math.floor(random() * 256))),
      (bytes, random) => bytes.map(() => Math.floor(random() * 256)),
      (bytes, random) => bytes.subarray(0, Math.floor(random() * bytes.length)),
      (bytes, random) => bytes.map((byte, i) => (i === 12 || i === 14 ? byte ^ Math.floor(random() * 4) : byte)),
      (bytes, random) => bytes.map((byte, i) => (i === 16 ? 2 + Math.floor(random() * 8) : byte)),
      (bytes, random) => bytes.map((byte, i) => (i === 20 ? Math.floor(random() * 8) : byte)),
      (bytes, random) => bytes.map((byte, i) => (i > 23 && random() < 0.01 ? byte ^ 1 : byte)),
    ];
    for (const [i, spoil] of spoils.entries()) {
      const random = seededRandom(100 + i);
      const line = new Line(packets).feed(
        clean.map((event) => ("media" in event ? event : { parity: spoil(event.parity, random) })),
      );
      const lines = line.second();
      line.end();
      expect(line.wrong).toBe(0);
      for (const place of line.missing) expect(withoutParity.missing).toContain(place);
      expect(lines.filter((text) => text.includes("FEC of an unknown kind")).length).toBeLessThanOrEqual(1);
    }
  });

  test("of any parity at all, and nothing throws", () => {
    const packets = mediaPackets(150);
    const parity = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .record({
          begin: fc.integer({ min: FIRST - 20, max: FIRST + 150 }),
          count: fc.integer({ min: 1, max: 60 }),
          m: fc.integer({ min: 1, max: 5 }),
          parity: fc.uint8Array({ minLength: 12, maxLength: 1400 }),
        })
        .map(({ begin, count, m, parity: bytes }) =>
          parityDatagram({ begin: begin & 0xffff, end: (begin + count - 1) & 0xffff, m, index: m - 1, parity: bytes }),
        ),
      fc
        .record({
          at: fc.nat({ max: 130 }),
          stride: fc.integer({ min: 1, max: 9 }),
          wrong: fc.integer({ min: 1, max: 9 }),
        })
        .map(({ at, stride, wrong }) => {
          const datagram = smpteDatagram(
            packets.filter((_, i) => i >= at && (i - at) % stride === 0).slice(0, 5),
            stride,
            false,
          );
          datagram[25] = wrong;
          return datagram;
        }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 149 }), parity), { maxLength: 12 }), fc.nat(), (parities, seed) => {
        const random = seededRandom(seed);
        const line = new Line(packets);
        packets.forEach((_, i) => {
          if (i < COLLECTED || random() > 0.1) line.feed([{ media: i }]);
          line.feed(parities.filter(([at]) => at === i).map(([, bytes]) => ({ parity: bytes })));
        });
        line.after(5000);
        expect(line.wrong).toBe(0);
        line.end();
      }),
      { numRuns: 100 },
    );
  });
});

describe("SMPTE 2022-1", () => {
  const L = 10;
  const D = 10;
  const packets = mediaPackets(L * D * 8);

  /** Columns as FFmpeg sends them, spread over the next matrix; rows behind their last packet. */
  function matrix(parts: "columns" | "both", l = L, d = D): Event[] {
    const events: Event[] = [];
    packets.forEach((_, i) => {
      events.push({ media: i });
      const start = i - (i % (l * d));
      const within = i - start;
      if (parts === "both" && within % l === l - 1) {
        events.push({ parity: smpteDatagram(packets.slice(i + 1 - l, i + 1), 1, true) });
      }
      if (start > 0 && within % d === 0 && within / d < l) {
        const column = start - l * d + within / d;
        events.push({
          parity: smpteDatagram(
            packets.filter((_, n) => n >= column && n < start && (n - column) % l === 0),
            l,
            false,
          ),
        });
      }
    });
    return events;
  }
  const without = (events: Event[], lost: readonly number[]) =>
    events.filter((event) => !("media" in event && lost.includes(event.media)));

  test("a burst as long as a row comes back from columns", () => {
    const lost = Array.from({ length: L }, (_, i) => 237 + i);
    const line = new Line(packets).feed(without(matrix("columns"), lost));
    line.end();
    expect([line.wrong, line.missing]).toEqual([0, []]);
    expect(line.counts).toEqual({ lost: 0, repaired: L, unrepairable: 0, refused: 0 });
  });

  test("what neither rows nor columns alone can repair comes back from both", () => {
    // Two in one row, two in one column; each of the others is then the only one of its line.
    const lost = [200, 203, 213, 333, 334, 335, 343];
    const line = new Line(packets).feed(without(matrix("both"), lost));
    line.end();
    expect([line.wrong, line.missing]).toEqual([0, []]);
  });

  test("two of a column are given up as soon as its parity has come", () => {
    const lost = [204, 224];
    const line = new Line(packets).feed(without(matrix("columns"), lost));
    expect(line.missing).toEqual(lost);
    expect(line.delivered.at(-1)).toBe(packets.length - 1);
    expect(line.counts).toMatchObject({ lost: 2, unrepairable: 2, repaired: 0 });
  });

  test("a large matrix makes the window grow", () => {
    const lost = [401, 402, 403];
    const line = new Line(packets).feed(without(matrix("columns", 20, 15), lost));
    line.end();
    expect([line.wrong, line.missing]).toEqual([0, []]);
  });

  test("random losses leave nothing wrong", () => {
    for (const seed of [1, 2, 3, 4]) {
      const events = lossy(matrix("both"), 0.03, seed, 1, 1, 120);
      const line = new Line(packets).feed(events);
      line.end();
      expect(line.wrong).toBe(0);
      expect(line.missing.length).toBeLessThan(3);
      const came = events.filter((event) => "media" in event).length;
      expect(line.counts.repaired! + line.missing.length).toBe(packets.length - came);
      expect(line.counts.repaired).toBeGreaterThan(5);
    }
  });
});

describe("the log", () => {
  test("says what repairs, how much each second, and the sums at the end", () => {
    const packets = mediaPackets(200);
    const lost = [41, 101, 102, 103];
    const events = coded(packets, "alpha", 20, 2).filter((event) => !("media" in event && lost.includes(event.media)));
    const line = new Line(packets).feed(events.slice(0, 90));
    expect(line.second()).toEqual([
      "INFO rtp://test: FEC active (Reed–Solomon, 2 parity packets for 20)",
      "INFO rtp://test: 1 lost RTP packets repaired by FEC",
    ]);
    expect(line.second()).toEqual([]);
    line.feed(events.slice(90));
    expect(line.end()).toEqual([
      "WARN rtp://test: 3 RTP packets lost on the way to us",
      "INFO rtp://test: 3 RTP packets lost for good, 3 of them beyond repair, 1 repaired by FEC, 0 repairs refused as wrong",
    ]);
  });

  test("is silent when a port for parity is silent", () => {
    const packets = mediaPackets(200);
    const line = new Line(packets).feed(packets.map((_, i) => ({ media: i })));
    expect([line.second(), line.end()]).toEqual([[], []]);
  });
});
