import { expect, test } from "bun:test";
import { streamHeaders } from "../../src/routes/stream-headers.ts";

test("a stream says what it is, and exposes that to pages of other origins", () => {
  const metadata = [
    ["R2H-Upstream-Protocol", "multicast"],
    ["R2H-Upstream-Payload", "mp2t-rtp"],
  ] as const;
  const info = { metadata };
  const plain = [
    ["Content-Type", "video/mp2t"],
    ["R2H-Upstream-Protocol", "multicast"],
    ["R2H-Upstream-Payload", "mp2t-rtp"],
  ];
  expect(streamHeaders(info, false)).toEqual(plain as [string, string][]);
  expect(streamHeaders(info, true)).toEqual([
    ...(plain as [string, string][]),
    [
      "Access-Control-Expose-Headers",
      "R2H-Upstream-Protocol, R2H-Upstream-Transport, R2H-Upstream-Payload, R2H-Playback-Scale, " +
        "R2H-Playback-Range, R2H-Media-Duration, R2H-FCC-Type, R2H-FCC-Status",
    ],
  ]);
});
