// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of URLs
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { catchupRequests, catchupSource, catchupUrl, OVERLAP_MS } from "../../src/web/player/catchup.ts";
import { readPlaylist } from "../../src/web/player/playlist.ts";

const MAX_AHEAD_MS = 8 * 3_600_000;
const RECORDING_DELAY_MS = 10_000;
const MAX_SPAN_MS = 5 * 3_600_000;

const NOW = Date.UTC(2024, 0, 1, 12, 0, 0, 500);
const HOUR = 3_600_000;
const minutes = (ranges: { beginMs: number; endMs: number }[]) =>
  ranges.map(({ beginMs, endMs }) =>
    [(beginMs - NOW) / 60_000, (endMs - NOW) / 60_000].map((value) => Math.round(value * 10) / 10),
  );

describe("catchupRequests", () => {
  test("first what is recorded, then halves that lead ahead", () => {
    const ranges = [...catchupRequests(NOW - 2 * HOUR, NOW)];
    expect(minutes(ranges.slice(0, 3))).toEqual([
      [-120, -0.2],
      [-0.2, 59.8],
      [59.8, 119.8],
    ]);
    expect(ranges[1]!.beginMs).toBe(ranges[0]!.endMs - OVERLAP_MS);
    expect(ranges.at(-1)!.endMs).toBeGreaterThanOrEqual(NOW + MAX_AHEAD_MS);
  });

  test("long pasts come in pieces of five hours", () => {
    expect(minutes([...catchupRequests(NOW - 12 * HOUR, NOW)].slice(0, 3))).toEqual([
      [-720, -420],
      [-420, -120],
      [-120, -0.2],
    ]);
  });

  test("a start that is too near is moved back to 30 s ago", () => {
    expect(minutes([...catchupRequests(NOW - 5000, NOW)].slice(0, 2))).toEqual([
      [-0.5, -0.2],
      [-0.2, 0.1],
    ]);
  });

  test("covers everything without a hole, in whole seconds, and ends", () => {
    fc.assert(
      fc.property(fc.integer({ min: -80 * HOUR, max: HOUR }), fc.nat(999), (ago, fraction) => {
        const now = NOW + fraction;
        const ranges = [...catchupRequests(now + ago, now)];
        for (const [i, { beginMs, endMs }] of ranges.entries()) {
          expect(beginMs % 1000).toBe(0);
          expect(endMs % 1000).toBe(0);
          expect(endMs - beginMs).toBeLessThanOrEqual(MAX_SPAN_MS + OVERLAP_MS);
          if (i > 0) expect(beginMs).toBe(ranges[i - 1]!.endMs - OVERLAP_MS);
        }
        const recorded = ranges.filter(({ beginMs }) => beginMs + OVERLAP_MS < now - RECORDING_DELAY_MS - 1000);
        for (const { endMs } of recorded) expect(endMs).toBeLessThanOrEqual(now - RECORDING_DELAY_MS);
      }),
      { numRuns: 30 },
    );
  });
});

describe("catchupUrl", () => {
  const range = { beginMs: Date.UTC(2024, 0, 1, 10), endMs: Date.UTC(2024, 0, 1, 11, 30) };
  const url = (template: string, mode = "default", zoneMin = 480) => {
    const { channels } = readPlaylist(`#EXTINF:-1 catchup="${mode}" catchup-source="${template}",A\nhttp://h/a?x=1$HD`);
    return catchupUrl(channels[0]!.sources[0]!, range, NOW, zoneMin);
  };

  test.each([
    ["/c?p={utc:YmdHMS}-{utcend:YmdHMS}", "/c?p=20240101100000-20240101113000"],
    ["http://h/c?p=${(b)yyyyMMddHHmmss}-${(e)yyyyMMddHHmmss}", "/c?p=20240101180000-20240101193000"],
    ["/c?p=${(b)yyyyMMddHHmmss|UTC}", "/c?p=20240101100000"],
    ["/c?b={utc}&e=${end}", "/c?b=1704103200&e=1704108600"],
    ["/c?o={offset}&d=${duration}&b=${(b)timestamp}", "/c?o=7200&d=5400&b=1704103200"],
    ["/${yyyy}/{m}/{d}/{H}${mm}.ts", "/2024/01/01/1000.ts"],
    [
      "/c?playseek=${start}-${end}&r2h-clock={Y}{m}{d}{H}{M}{S}",
      "/c?playseek=1704103200-1704108600&r2h-clock=20240101100000",
    ],
    ["/c?b={utc}&u={unknown}", "/a?x=1"],
  ])("%s", (template, expected) => expect(url(template)).toBe(expected));

  test.each(["append", "Append"])("%s continues the channel's URL, without its label", (append) => {
    expect(url("&p={utc:YmdHMS}", append)).toBe("/a?x=1&p=20240101100000");
  });
});

test("catchupSource: the active one, else the first that can", () => {
  const [channel] = readPlaylist(
    '#EXTINF:-1,A\n/1\n#EXTINF:-1 catchup="a" catchup-source="/2c",A\n/2\n#EXTINF:-1 catchup="a" catchup-source="/3c",A\n/3',
  ).channels;
  expect([0, 1, 2].map((index) => catchupSource(channel!, index))).toEqual([1, 1, 2]);
  expect(catchupSource(readPlaylist("#EXTINF:-1,A\n/1").channels[0]!, 0)).toBe(-1);
});
