import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { TransportHealth } from "../../../src/wire/mpegts/health.ts";
import { packetId } from "../../../src/wire/mpegts/packet.ts";
import { mutated } from "../../fakes/mutation.ts";
import { seededRandom } from "../../fakes/random.ts";
import { type Faults, spoil } from "../../fakes/spoiler.ts";
import { MUX_VIDEO_PID, type MuxOptions, muxPackets } from "../../fakes/ts-mux.ts";
import { healthFacts } from "./health-facts.ts";

const utf8 = (text: string) => [0x15, ...Buffer.from(text)];
const withLength = (bytes: readonly number[]) => [bytes.length, ...bytes];
const SERVICE = [1, ...withLength(utf8("北京")), ...withLength(utf8("CCTV-1 综合"))];

function factsOf(packets: readonly Uint8Array[]) {
  const health = new TransportHealth();
  const bytes = Buffer.concat(packets);
  health.look(bytes, 0, bytes.length, 0);
  const { pcrJitterMs, ...facts } = healthFacts(health);
  return facts;
}

const isPlainVideo = (packet: Uint8Array) =>
  packetId(packet, 0) === MUX_VIDEO_PID && packet[3]! >> 4 === 1 && (packet[1]! & 0x40) === 0;

const NO_ERRORS = {
  ...{ transportErrors: 0, scrambled: 0, continuityErrors: 0, syncLosses: 0, pcrErrors: 0, pcrJumps: 0 },
  ...{ ptsErrors: 0, patErrors: 0, pmtErrors: 0 },
};

test("finds nothing wrong with a sound stream, and counts it", () => {
  const facts = factsOf(muxPackets({ ms: 4000, nullEvery: 10, service: SERVICE }));
  expect(facts).toMatchObject({ ...NO_ERRORS, packets: 4000 });
  expect(facts.nullPackets).toBe(4000 / 10);
  expect(facts.pids.map(([pid, packets]) => [pid, packets])).toEqual([
    [0, 40],
    [0x11, 8],
    [0x100, 40],
    [MUX_VIDEO_PID, 4000 - 400 - 40 - 40 - 8],
    [0x1fff, 400],
  ]);
  expect(facts.programmes).toMatchObject([{ number: 1, pmtPid: 0x100, name: "CCTV-1 综合", provider: "北京" }]);
});

/** What each fault costs, by the rules of ISO/IEC 13818-1 section 2.4.3.3. */
const COSTS: Readonly<Record<keyof Faults, { continuityErrors?: number; [count: string]: number | undefined }>> = {
  remove: { continuityErrors: 1, packets: -1 },
  repeat: { packets: 1 },
  triple: { continuityErrors: 1, packets: 2 },
  // Where it is missed, where it comes, and where the count goes on.
  swap: { continuityErrors: 3 },
  delay: { continuityErrors: 3 },
  scramble: { scrambled: 1 },
  // What is marked is not believed, and so is missed.
  mark: { transportErrors: 1, continuityErrors: 1 },
  desync: { syncLosses: 1, packets: -1 },
};

test("finds exactly the faults of a spoiled stream", () => {
  const count = fc.nat(3);
  const faults = fc.record({
    ...{ remove: count, repeat: count, triple: count, swap: count, delay: count, scramble: count, mark: count },
    desync: count,
  });
  const sound = muxPackets({ ms: 3000, service: SERVICE });
  const before: Record<string, number> = { ...NO_ERRORS, packets: 3000 };
  fc.assert(
    fc.property(faults, fc.nat(), (some, seed) => {
      const expected = { ...before };
      for (const [fault, times] of Object.entries(some)) {
        for (const [name, cost = 0] of Object.entries(COSTS[fault as keyof Faults]))
          expected[name] = (expected[name] ?? 0) + cost * times;
      }
      expect(factsOf(spoil(sound, seed, some, isPlainVideo))).toMatchObject(expected);
    }),
    { numRuns: 25 },
  );
});

/** 6 s: so many of these periods end in it. */
const MS = 6000;

test.each<[string, Partial<MuxOptions>, Partial<typeof NO_ERRORS>]>([
  ["PATs every 500 ms", { patEvery: 500 }, {}],
  ["PATs every 600 ms: nine come late, and the last one is overdue at the end", { patEvery: 600 }, { patErrors: 10 }],
  ["PATs every 1200 ms: each is missed twice", { patEvery: 1200 }, { patErrors: 2 * 4 + 2 }],
  ["no PAT at all: each 500 ms counts", { patEvery: 0 }, { patErrors: 11 }],
  ["PMTs every 600 ms", { pmtEvery: 600 }, { pmtErrors: 10 }],
  ["no PMT at all", { pmtEvery: 0 }, { pmtErrors: 11 }],
  ["PCRs every 100 ms", { pcrEvery: 100 }, {}],
  ["PCRs every 120 ms: each comes late", { pcrEvery: 120 }, { pcrErrors: 49 }],
  ["PCRs every 250 ms: each is missed twice", { pcrEvery: 250 }, { pcrErrors: 23 * 2 }],
  ["PTSs every 700 ms", { ptsEvery: 700 }, {}],
  ["PTSs every 800 ms", { ptsEvery: 800 }, { ptsErrors: 7 }],
  ["the clock jumps ahead", { jump: { at: 2000, ms: 5000 } }, { pcrJumps: 1 }],
  ["the clock jumps back", { jump: { at: 2000, ms: -300 } }, { pcrJumps: 1 }],
  ["the clock jumps and says so", { jump: { at: 2000, ms: -300, isAnnounced: true } }, {}],
  ["the clock wraps around", { firstPcr: (2 ** 33 - 90_000) * 300 }, {}],
])("%s", (_, options, errors) => {
  expect(factsOf(muxPackets({ ms: MS, ...options }))).toMatchObject({ ...NO_ERRORS, ...errors });
});

test("a stretch that was lost is late tables and clocks, not a jump", () => {
  const packets = muxPackets({ ms: MS });
  packets.splice(1500, 600);
  const { continuityErrors, patErrors, pcrErrors, pcrJumps } = factsOf(packets);
  expect({ patErrors, pcrErrors, pcrJumps }).toEqual({ patErrors: 1, pcrErrors: 6, pcrJumps: 0 });
  // 600 ms are 6 tables each, and of the video a number that is no multiple of 16.
  expect(continuityErrors).toBe(3);
});

describe("the time of arrival", () => {
  /** Packets `from` to `to` at this time. */
  const feed = (health: TransportHealth, packets: readonly Uint8Array[], from: number, to: number, now: number) => {
    const bytes = Buffer.concat(packets.slice(from, to));
    health.look(bytes, 0, bytes.length, now);
  };

  test("gives the jitter as RFC 3550 reckons it", () => {
    const packets = muxPackets({ ms: 400 });
    const health = new TransportHealth();
    const late = [0, 0, 16, 0, 0, 0, 32, 0, 0, 0];
    let expected = 0;
    for (const [i, ms] of late.entries()) {
      feed(health, packets, i * 40, i * 40 + 40, i * 40 + ms);
      if (i > 0) expected += (Math.abs(ms - late[i - 1]!) - expected) / 16;
    }
    expect(health.pcrJitterMs).toBeCloseTo(expected, 9);
  });

  test("tells a silence from a jump", () => {
    const packets = muxPackets({ ms: MS });
    const health = new TransportHealth();
    feed(health, packets, 0, 2000, 2000);
    feed(health, packets, 5000, MS, 6000);
    expect(health).toMatchObject({ pcrJumps: 0, pcrErrors: 30 });
  });

  test("stands in for a clock that there is none of", () => {
    const health = new TransportHealth();
    const packets = muxPackets({ ms: MS, pcrEvery: 0, patEvery: 0 });
    for (let at = 0; at < MS; at += 50) feed(health, packets, at, at + 50, at);
    expect(health.programmes.patErrors).toBeGreaterThanOrEqual(9);
    expect(health.programmes.patErrors).toBeLessThanOrEqual(11);
  });
});

test("finds the same however the stream is cut", () => {
  const packets = spoil(muxPackets({ ms: 400, service: SERVICE }), 7, { remove: 2, desync: 3, swap: 1 }, isPlainVideo);
  const bytes = Buffer.concat(packets);
  const whole = new TransportHealth();
  whole.look(bytes, 0, bytes.length, 0);
  const expected = healthFacts(whole);
  const cutAt = (lengths: () => number) => {
    const health = new TransportHealth();
    for (let at = 0; at < bytes.length; ) {
      const length = Math.min(lengths(), bytes.length - at);
      health.look(bytes, at, length, 0);
      at += length;
    }
    return healthFacts(health);
  };
  for (const length of [1, 2, 3, 187, 188, 189, 376, 1316, 4096]) expect(cutAt(() => length)).toEqual(expected);
  const head = 2 * 188;
  for (let split = 0; split <= head; split++) {
    const lengths = split === 0 ? [] : [split];
    expect(cutAt(() => lengths.shift() ?? bytes.length)).toEqual(expected);
  }
});

test("throws at nothing, and forgets nothing it has counted", () => {
  const packets = muxPackets({ ms: 300, service: SERVICE });
  const sound = Buffer.concat(packets);
  const random = seededRandom(5);
  for (let round = 0; round < 300; round++) {
    const health = new TransportHealth();
    const bytes = mutated(sound, random);
    health.look(bytes, 0, bytes.length, round);
    if (round % 3 === 0) health.missed();
    health.look(sound, 0, Math.floor(random() * sound.length), round + 50);
    expect(health.packets).toBeGreaterThan(0);
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 184 }), fc.nat(0x1fff), fc.nat(255), (payload, pid, flags) => {
      const health = new TransportHealth();
      const packet = new Uint8Array(188).fill(0x47);
      packet.set([0x47, (flags & 0xe0) | (pid >> 8), pid & 0xff, flags]);
      packet.set(payload, 4);
      const bytes = Buffer.concat([sound, packet, packet, sound]);
      health.look(bytes, 0, bytes.length, 0);
      expect(health.packets).toBe(602);
    }),
    { numRuns: 200 },
  );
});

test("keeps to its limits when all PIDs come", () => {
  const packets = Array.from({ length: 0x1fff }, (_, pid) => {
    const packet = new Uint8Array(188).fill(0x55);
    packet.set([0x47, pid >> 8, pid & 0xff, 0x10]);
    return packet;
  });
  const { pids } = factsOf(packets);
  expect(pids.length).toBeLessThanOrEqual(256);
  expect(pids.at(-1)?.[0]).toBe(-1);
  expect(pids.reduce((sum, [, count]) => sum + Number(count), 0)).toBe(0x1fff);
});
