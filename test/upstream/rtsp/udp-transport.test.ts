/** What SETUP offers. The rest of the UDP side is tested with servers, in test/routes/rtsp-udp.test.ts. */

import { expect, test } from "bun:test";
import { transportCandidates } from "../../../src/upstream/rtsp/udp-transport.ts";

test("offers are made all at once, then one by one", () => {
  expect(transportCandidates({ rtpPort: 10_000, clientAddress: "192.0.2.1" }).slice(1)).toEqual([
    "RTP/AVP/TCP;unicast;interleaved=0-1",
    "RTP/AVP;unicast;client_port=10000-10001",
  ]);
  expect(transportCandidates(undefined)).toHaveLength(2);
});
