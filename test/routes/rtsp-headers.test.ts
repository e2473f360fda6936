/** The metadata of RTSP streams: order, numbers, and what is unknown. */

import { expect, test } from "bun:test";
import { rtspHeaders } from "../../src/routes/rtsp-headers.ts";
import type { RtspStreamInfo } from "../../src/upstream/rtsp/stream-info.ts";

const ALL: RtspStreamInfo = {
  protocol: "rtsp",
  payload: "mp2t-rtp",
  transport: "udp",
  scale: 1,
  range: "npt=1-",
  duration: { startS: 1.5, endS: 62 },
};

function names(info: RtspStreamInfo, isCors = false): string[] {
  return rtspHeaders(info, isCors).map(([name]) => name);
}

test("all that is known stands in the order of the specification", () => {
  const order = ["Upstream-Protocol", "Upstream-Transport", "Upstream-Payload", "Playback-Scale", "Playback-Range"];
  const expected = ["Content-Type", ...[...order, "Media-Duration"].map((name) => `R2H-${name}`)];
  expect(names(ALL)).toEqual(expected);
  expect(names(ALL, true)).toEqual([...expected, "Access-Control-Expose-Headers"]);
});

test.each<[RtspStreamInfo, string[]]>([
  [{ protocol: "rtsp" }, ["R2H-Upstream-Protocol"]],
  [{ protocol: "rtsp", transport: "udp" }, ["R2H-Upstream-Protocol", "R2H-Upstream-Transport"]],
  [{ protocol: "rtsp", scale: 1 }, ["R2H-Upstream-Protocol", "R2H-Playback-Scale"]],
  [
    { protocol: "rtsp", payload: "mp2t-direct", range: "x" },
    ["R2H-Upstream-Protocol", "R2H-Upstream-Payload", "R2H-Playback-Range"],
  ],
])("of %j nothing else", (info, expected) => {
  expect(names(info)).toEqual(["Content-Type", ...expected]);
});

test.each([
  [1, "1"],
  [-2.5, "-2.5"],
  [0, "0"],
  [-0, "0"],
  [-1e-9, "0"],
  [0.1234567, "0.123457"],
  [100, "100"],
  [1e20, "100000000000000000000"],
  [1e21, undefined],
  [Number.POSITIVE_INFINITY, undefined],
  [Number.NaN, undefined],
])("%p is written as %p", (scale, text) => {
  const found = rtspHeaders({ protocol: "rtsp", scale }, false).find(([name]) => name === "R2H-Playback-Scale");
  expect(found?.[1]).toBe(text!);
});
