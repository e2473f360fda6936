import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  type ChosenTransport,
  emitTransportOffers,
  parameterOf,
  parseChosenTransport,
  parseTransports,
  type Transport,
} from "../../../src/wire/rtsp/transport.ts";

const TCP_OFFERS =
  "MP2T/RTP/TCP;unicast;interleaved=0-1,MP2T/TCP;unicast;interleaved=0-1,RTP/AVP/TCP;unicast;interleaved=0-1";

describe("the offers", () => {
  test("are TCP alone without ports", () => {
    expect(emitTransportOffers(undefined)).toBe(TCP_OFFERS);
  });

  test("have UDP behind TCP", () => {
    const udp = ["MP2T/RTP/UDP", "MP2T/UDP", "RTP/AVP"].map((profile) => `${profile};unicast;client_port=10000-10001`);
    expect(emitTransportOffers({ rtpPort: 10000, clientAddress: undefined })).toBe(`${TCP_OFFERS},${udp.join(",")}`);
  });

  test("name our address in ZTE mode", () => {
    const offers = emitTransportOffers({ rtpPort: 19998, clientAddress: "10.0.0.2" });
    expect(offers).toEndWith(",RTP/AVP;unicast;client_address=10.0.0.2;client_port=19998-19999;mode=PLAY");
  });

  test("parse to what they say", () => {
    const transports = parseTransports(emitTransportOffers({ rtpPort: 10000, clientAddress: "10.0.0.2" }));
    const profiles = ["MP2T/RTP/TCP", "MP2T/TCP", "RTP/AVP/TCP", "MP2T/RTP/UDP", "MP2T/UDP", "RTP/AVP"];
    expect(transports.map(({ profile }) => profile)).toEqual(profiles);
    expect(transports[5]!.parameters).toEqual([
      { name: "unicast", value: undefined },
      { name: "client_address", value: "10.0.0.2" },
      { name: "client_port", value: "10000-10001" },
      { name: "mode", value: "PLAY" },
    ]);
  });
});

test.each<[value: string, rtpChannel: number, rtcpChannel: number]>([
  ["RTP/AVP/TCP;unicast;interleaved=0-1", 0, 1],
  ["MP2T/TCP;interleaved=4-9;ssrc=1", 4, 9],
  ["mp2t/rtp/tcp", 0, 1],
  ["RTP/AVP;unicast;Interleaved=2-3", 2, 3],
  ["RTP/AVP;interleaved", 0, 1],
  ["RTP/AVP/TCP;interleaved=6", 6, 7],
  ['RTP/AVP/TCP;interleaved="6-7"', 6, 7],
  // There is no such channel, so that nothing is taken for RTCP.
  ["RTP/AVP/TCP;interleaved=255", 255, 256],
  ["RTP/AVP/TCP;interleaved=x-1", 0, 1],
  ["RTP/AVP/TCP;interleaved=0-256", 0, 1],
  ["RTP/AVP/TCP;interleaved=-1-2", 0, 1],
  ["RTP/AVP/TCP;unicast;interleaved=2-3,RTP/AVP;unicast;server_port=1-2", 2, 3],
])("%j is TCP on the channels %p and %p", (value, rtpChannel, rtcpChannel) => {
  expect(parseChosenTransport(value)).toEqual({ kind: "tcp", rtpChannel, rtcpChannel });
});

test.each<[value: string, source: string | undefined, ports: readonly number[]]>([
  ["RTP/AVP;unicast;client_port=1-2;server_port=6970-6971;source=10.0.0.1", "10.0.0.1", [6970, 6971]],
  ['MP2T/UDP; Source = "tcp.example.org" ;SERVER_PORT=6970', "tcp.example.org", [6970, 6971]],
  ["RTP/AVP/UDP;server_port=1-65535", undefined, [1, 65535]],
  ["RTP/AVP;server_port=65535", undefined, [65535]],
  ["RTP/AVP;server_port=0-1;source=", undefined, []],
  ["RTP/AVP;server_port=1-65536", undefined, []],
  ["RTP/AVP;server_port=a", undefined, []],
  ['RTP/AVP;x="interleaved=0-1;,y"', undefined, []],
  ["RTP/AVP", undefined, []],
  ["", undefined, []],
  [" ,;", undefined, []],
])("%j is UDP from %p, ports %p", (value, source, [rtpPort, rtcpPort]) => {
  const wanted: ChosenTransport = { kind: "udp", source, rtpPort, rtcpPort };
  expect(parseChosenTransport(value)).toEqual(wanted);
});

test("a parameter is found by its name in any case, the first of several", () => {
  const [transport] = parseTransports("RTP/AVP;A=1;a=2;b");
  expect(parameterOf(transport!.parameters, "a")).toBe("1");
  expect(parameterOf(transport!.parameters, "b")).toBe("");
  expect(parameterOf(transport!.parameters, "c")).toBeUndefined();
});

test("an emitted header parses to itself", () => {
  const word = fc.stringMatching(/^[A-Za-z0-9_/.-]{1,12}$/);
  const value = fc.option(fc.stringMatching(/^[A-Za-z0-9_/.,;= -]{0,12}$/), { nil: undefined });
  const parameter = fc.record({ name: word, value });
  const transport = fc.record({ profile: word, parameters: fc.array(parameter, { maxLength: 5 }) });
  const emit = ({ profile, parameters }: Transport) =>
    [profile, ...parameters.map(({ name, value }) => (value === undefined ? name : `${name}="${value}"`))].join(";");
  fc.assert(
    fc.property(fc.array(transport, { maxLength: 4 }), (transports) => {
      expect(parseTransports(transports.map(emit).join(","))).toEqual(transports);
    }),
  );
});

test("no text makes them throw", () => {
  const near = fc.string({ unit: fc.constantFrom(";", ",", "=", '"', "interleaved", "1", "-", " "), maxLength: 20 });
  fc.assert(
    fc.property(fc.oneof(fc.string(), near), (text) => {
      parseTransports(text);
      parseChosenTransport(text);
    }),
  );
});
