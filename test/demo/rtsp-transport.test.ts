import { expect, test } from "bun:test";
import fc from "fast-check";
import { chooseWay } from "../../src/demo/rtsp-transport.ts";
import { emitTransportOffers } from "../../src/wire/rtsp/transport.ts";

const SERVER_PORT = 10_000;

test.each([
  ["RTP/AVP/TCP;unicast;interleaved=2-3", "tcp", 2, "RTP/AVP/TCP;unicast;interleaved=2-3"],
  ["RTP/AVP/TCP", "tcp", 0, "RTP/AVP/TCP;unicast;interleaved=0-1"],
  [
    "RTP/AVP;unicast;client_port=5000-5001",
    "udp",
    5000,
    "RTP/AVP;unicast;client_port=5000-5001;server_port=10000-10001",
  ],
  ["RTP/AVP/UDP;client_port=5000", "udp", 5000, "RTP/AVP/UDP;unicast;client_port=5000-5001;server_port=10000-10001"],
  ["RTP/AVP;multicast,MP2T/TCP,rtp/avp/tcp;unicast", "tcp", 0, "rtp/avp/tcp;unicast;interleaved=0-1"],
  [emitTransportOffers({ rtpPort: 5000, clientAddress: "10.0.0.2" }), "tcp", 0, "MP2T/RTP/TCP;unicast;interleaved=0-1"],
] as const)("of %j it takes %s with %d", (value, kind, number, answer) => {
  expect(chooseWay(value, SERVER_PORT)).toEqual({ kind, number, answer });
});

test.each([
  "",
  "RTP/AVP",
  "RTP/AVP;unicast;client_port=1023-1024",
  "RTP/AVP;unicast;client_port=65535",
  "RTP/AVP;multicast;client_port=5000-5001",
  "RTP/AVP/TCP;interleaved=255",
  "RTP/AVP/TCP;interleaved=0-256",
  "RAW/RAW/UDP;unicast;client_port=5000-5001",
])("%j cannot be served", (value) => {
  expect(chooseWay(value, SERVER_PORT)).toBeUndefined();
});

test("without ports of our own there is no UDP, and no header throws", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.constant("RTP/AVP;unicast;client_port=5000-5001")), (value) => {
      expect(chooseWay(value, undefined)?.kind).not.toBe("udp");
    }),
  );
});
