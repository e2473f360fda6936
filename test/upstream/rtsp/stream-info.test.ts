/** The metadata of RTSP streams: order, numbers, and what is unknown. */

import { describe, expect, test } from "bun:test";
import { SessionInfo } from "../../../src/upstream/rtsp/stream-info.ts";
import type { RtspResponse } from "../../../src/wire/rtsp/message.ts";

function response(headers: Readonly<Record<string, string>>, body = ""): RtspResponse {
  const fields = Object.entries(headers);
  return { kind: "response", status: 200, reason: "OK", headers: fields, body: Buffer.from(body) };
}

function described(sdp: string): SessionInfo {
  const info = new SessionInfo();
  info.describe(response({}, sdp), "rtsp://h/ch");
  return info;
}

function headerOf(info: SessionInfo, name: string): string | undefined {
  return info.metadata(undefined).find(([found]) => found === name)?.[1];
}

const RTP = "m=video 0 RTP/AVP 33\r\n";

describe("of the answers of a server", () => {
  test("all that is known stands in the order of the specification", () => {
    const info = described(`v=0\r\na=range:npt=1.5-62\r\n${RTP}`);
    info.transport = "udp";
    info.play(response({ Scale: "1", Range: "npt=1-" }));
    expect(info.metadata("mp2t-rtp")).toEqual([
      ["R2H-Upstream-Protocol", "rtsp"],
      ["R2H-Upstream-Transport", "udp"],
      ["R2H-Upstream-Payload", "mp2t-rtp"],
      ["R2H-Playback-Scale", "1"],
      ["R2H-Playback-Range", "npt=1-"],
      ["R2H-Media-Duration", "60.5"],
    ]);
    expect(info.endS).toBe(62);
  });

  test("what is unknown is left out", () => {
    expect(new SessionInfo().metadata(undefined)).toEqual([["R2H-Upstream-Protocol", "rtsp"]]);
    expect(new SessionInfo().endS).toBeUndefined();
    expect(described("v=0\r\n").metadata(undefined)).toHaveLength(1);
  });

  test("the description says what media will be, the media itself knows better", () => {
    expect(headerOf(described(RTP), "R2H-Upstream-Payload")).toBe("mp2t-rtp");
    expect(described(RTP).metadata("mp2t-direct")).toContainEqual(["R2H-Upstream-Payload", "mp2t-direct"]);
  });

  test.each([
    ["1", "1"],
    ["-2.5", "-2.5"],
    ["0", "0"],
    ["-0", "0"],
    ["-0.000000001", "0"],
    ["0.1234567", "0.123457"],
    ["100", "100"],
    ["100000000000000000000", "100000000000000000000"],
    ["1000000000000000000000", undefined],
    ["fast", undefined],
  ])("the scale %s is written as %s", (Scale, text) => {
    const info = new SessionInfo();
    info.play(response({ Scale }));
    expect(headerOf(info, "R2H-Playback-Scale")).toBe(text);
  });
});
