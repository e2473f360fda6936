/** Unicast and group joined: nothing lost and nothing twice, whatever the lines do. */
import { describe, expect, test } from "bun:test";
import { FaultyLine } from "../../fakes/fcc-channel.ts";
import { seededRandom } from "../../fakes/random.ts";
import { FccViewer } from "./viewer.ts";

const RUNS = 200;

describe("a hand-over", () => {
  test("is seamless on good lines", async () => {
    for (const dialect of ["telecom", "huawei"] as const) {
      using viewer = await FccViewer.open({ server: { dialect }, group: { joinDelayMs: 100 } });
      viewer.passUntil(() => viewer.state === "mcast-active");
      viewer.pass(1000);
      expect(viewer.delivered[0]! % viewer.channel.options.keyFrameEvery).toBe(0);
      expect({ missing: viewer.missing, disorder: viewer.disorder, damaged: viewer.damaged }).toEqual({
        missing: [],
        disorder: [],
        damaged: 0,
      });
      expect(viewer.upstream.details["fccGapPackets"]).toBe(0);
      expect(viewer.upstream.rtp).toMatchObject({ lost: 0, duplicates: 0 });
    }
  });

  test(`delivers whatever has come from either side, once and in order (${RUNS} seeded runs)`, async () => {
    for (let seed = 1; seed <= RUNS; seed++) await run(seed);
  }, 120_000);
});

async function run(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const between = (from: number, to: number) => from + random() * (to - from);
  const bitsPerSecond = between(4e6, 40e6);
  const perSecond = bitsPerSecond / 10_528;
  const factor = between(1.1, 2);
  // So long a picture group that the burst catches up within a second.
  const keyFrameEvery = Math.max(20, Math.floor(perSecond * between(0.05, 0.95) * (factor - 1)));
  const isFaulty = seed % 4 !== 0;
  const line = (salt: number) =>
    new FaultyLine(seed * 8 + salt, isFaulty ? between(0, 0.03) : 0, isFaulty ? between(0, 0.05) : 0);
  using viewer = await FccViewer.open({
    channel: { bitsPerSecond, keyFrameEvery, firstSequence: Math.floor(random() * 65536) },
    group: { joinDelayMs: between(10, 500), line: line(1) },
    server: {
      dialect: seed % 2 === 0 ? "telecom" : "huawei",
      answerAfterMs: between(1, 60),
      factor,
      noticeBehind: random() < 0.5 ? 0 : between(0, keyFrameEvery),
      line: line(2),
    },
  });
  viewer.passUntil(() => viewer.state === "mcast-active");
  viewer.pass(300);
  const { missing, disorder, damaged, causes } = viewer;
  expect({ seed, missing, disorder, damaged, causes }).toEqual({
    seed,
    missing: [],
    disorder: [],
    damaged: 0,
    causes: [],
  });
  expect(viewer.header("R2H-FCC-Status")).toBe("active");
  expect(viewer.server.termination?.sequence).toBeDefined();
  if (!isFaulty) expect(viewer.upstream.details["fccGapPackets"]).toBe(0);
}
