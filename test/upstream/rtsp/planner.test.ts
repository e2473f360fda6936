/** What an RTSP URL becomes: a plan, or the status that its client is answered. */

import { describe, expect, test } from "bun:test";
import type { PlannedUpstream, PlanRequest } from "../../../src/upstream/planner.ts";
import { type RtspSettings, rtspPlanner } from "../../../src/upstream/rtsp/planner.ts";
import { CLIENT_STATE } from "../../../src/wire/status/client-state.ts";
import { asByteString } from "../../../src/wire/text/byte-string.ts";
import { recordingLog } from "../../fakes/recording-log.ts";
import { plannerParts, REQUEST, SETTINGS } from "./viewer.ts";

const log = recordingLog();

function outcome(url: string, request: Partial<PlanRequest> = {}, settings: Partial<RtspSettings> = {}) {
  return rtspPlanner(
    { ...SETTINGS, ...settings },
    plannerParts(log),
  )({ ...REQUEST, url: asByteString(url), ...request });
}

function planned(...args: Parameters<typeof outcome>): PlannedUpstream {
  const plan = outcome(...args);
  if ("status" in plan) throw new Error(`answered ${plan.status}`);
  return plan;
}

test("a stream is its client's own, and paused when that is too slow", () => {
  expect(planned("rtsp://h:8554/ch?a=b")).toMatchObject({
    key: undefined,
    overflow: "pause",
    about: { kind: "rtsp-tcp", url: "rtsp://h:8554/ch?a=b", interfaceName: undefined, receiver: "stream" },
    firstState: CLIENT_STATE.rtspInitial,
    countsAsClient: true,
    canSnapshot: true,
    accessLog: { serviceType: "rtsp", url: "rtsp://h:8554/ch?a=b" },
  });
});

test.each<[url: string, serviceUrl: string | undefined, status: number]>([
  ["rtsp://", undefined, 404],
  ["rtsp://h/ch?playseek=%zz", undefined, 404],
  ["rtsp://h/ch?playseek=%zz", "rtsp://h/ch", 500],
  ["rtsp://h/{Y}?playseek=x", undefined, 503],
  ["rtsp://[::1/ch", undefined, 503],
  ["rtsp://a%zz@h/ch", undefined, 503],
  ["rtsp://h:99999/ch", undefined, 503],
  [`rtsp://h/${"x".repeat(2048)}`, undefined, 503],
])("%s of %p is answered %d", (url, serviceUrl, status) => {
  expect(outcome(url, { serviceUrl: serviceUrl === undefined ? undefined : asByteString(serviceUrl) })).toEqual({
    status,
  });
});

describe("the interface", () => {
  test.each([
    ["", "eth0", undefined, "eth0"],
    ["", "eth0", "eth1", "eth1"],
    ["?r2h-ifname=eth2", "eth0", "eth1", "eth2"],
    [`?r2h-ifname=${"x".repeat(99)}`, "eth0", undefined, "eth0"],
  ])("%p with %p and %p is %s", (query, upstreamInterface, upstreamInterfaceRtsp, expected) => {
    const { about } = planned(`rtsp://h/ch${query}`, {}, { upstreamInterface, upstreamInterfaceRtsp });
    expect(about).toMatchObject({ interfaceName: expected, url: "rtsp://h/ch" });
  });
});

describe("what is only asked", () => {
  test("with HEAD takes no place and makes no picture", () => {
    const plan = planned("rtsp://h/ch?r2h-duration=1", { method: "HEAD" });
    expect(plan).toMatchObject({ countsAsClient: false, canSnapshot: false });
  });

  test("for the duration takes a place and makes no picture", () => {
    expect(planned("rtsp://h/ch?r2h-duration=1")).toMatchObject({ countsAsClient: true, canSnapshot: false });
  });
});

test.each([
  [false, "rtsp://h/ch?snapshot=1"],
  [true, "rtsp://h/ch"],
])("the parameter of a snapshot (%p) leads to %s", (isSnapshot, url) => {
  expect(planned("rtsp://h/ch?snapshot=1", { isSnapshot }).about.url).toBe(url);
});

test("nothing secret is shown, and no more than 255 bytes", () => {
  const { about, accessLog } = planned("rtsp://user:secret@h/ch?r2h-token=abc&next=http://x/?r2h-token=abc");
  expect(about.url).not.toContain("secret");
  expect(about.url).not.toContain("abc");
  expect(accessLog.url).not.toContain("r2h-token=abc&");
  expect(Buffer.byteLength(planned(`rtsp://h/${"x".repeat(999)}`).about.url)).toBe(255);
});

test("the access log has the URL before the time was filled in, for the time of the client", () => {
  const { about, accessLog } = planned("rtsp://h/{Y}?tvdr=20240101000000");
  expect<string>(accessLog.url).toBe("rtsp://h/{Y}");
  expect(about.url).toBe("rtsp://h/2024");
  const east = { headers: [["User-Agent", asByteString("TV TZ/UTC+8")]] as const };
  expect(planned("rtsp://h/{Y}?tvdr=20240101000000", east).about.url).toBe("rtsp://h/2023");
});
