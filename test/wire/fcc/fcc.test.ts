/** FCC messages of both dialects: the tables of fcc.md byte by byte, and what no bytes may do. */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  emitHuaweiNotice,
  emitHuaweiPunch,
  emitHuaweiRequest,
  emitHuaweiResponse,
  emitHuaweiTermination,
  type HuaweiResponse,
  isHuaweiNotice,
  parseHuaweiPunch,
  parseHuaweiRequest,
  parseHuaweiResponse,
  parseHuaweiTermination,
} from "../../../src/wire/fcc/huawei.ts";
import { isFccSignalling } from "../../../src/wire/fcc/packet.ts";
import {
  emitTelecomNotice,
  emitTelecomRequest,
  emitTelecomResponse,
  emitTelecomTermination,
  isTelecomNotice,
  parseTelecomRequest,
  parseTelecomResponse,
  parseTelecomTermination,
} from "../../../src/wire/fcc/telecom.ts";
import { type IpAddress, parseIpAddress } from "../../../src/wire/ip/address.ts";

const GROUP = parseIpAddress("239.1.2.3")!;
const SERVER = parseIpAddress("10.9.8.7")!;

const address: fc.Arbitrary<IpAddress> = fc
  .uint8Array({ minLength: 4, maxLength: 4 })
  .map((bytes) => ({ family: 4, bytes }));
const byte = fc.nat(0xff);
const port = fc.nat(0xffff);
const word = fc.nat(0xffffffff);
const termination = fc.record({ group: address, sequence: fc.option(port, { nil: undefined }) });
const telecomRequest = fc.record({ group: address, groupPort: port, clientPort: port });
const telecomResponse = fc.record({
  group: address,
  result: byte,
  action: byte,
  signallingPort: port,
  mediaPort: port,
  server: address,
  validityS: word,
  burstRate: word,
  steadyRate: word,
});
const huaweiRequest = fc.record({ group: address, client: address, clientPort: port });
const huaweiRoute = fc.record({ needsPunch: fc.boolean(), port, session: word, server: address });
/** A redirect without a route cannot be said. */
const huaweiResponse: fc.Arbitrary<HuaweiResponse> = fc
  .record({
    group: address,
    result: byte,
    type: port,
    firstSequence: port,
    rateKbit: port,
    route: fc.option(huaweiRoute, { nil: undefined }),
  })
  .filter(({ type, route }) => type !== 3 || route !== undefined);

const PARSERS: readonly ((packet: Uint8Array) => unknown)[] = [
  parseTelecomRequest,
  parseTelecomResponse,
  parseTelecomTermination,
  isTelecomNotice,
  parseHuaweiRequest,
  parseHuaweiResponse,
  parseHuaweiTermination,
  parseHuaweiPunch,
  isHuaweiNotice,
  (packet) => isFccSignalling(packet, 0, packet.length),
];

function survives<T>(values: fc.Arbitrary<T>, emit: (value: T) => Uint8Array, parse: (bytes: Uint8Array) => unknown) {
  fc.assert(fc.property(values, (value) => expect(parse(emit(value))).toEqual(value)));
}

describe("what is emitted is parsed again", () => {
  test("telecom", () => {
    survives(telecomRequest, emitTelecomRequest, parseTelecomRequest);
    survives(telecomResponse, emitTelecomResponse, parseTelecomResponse);
    survives(termination, emitTelecomTermination, parseTelecomTermination);
    fc.assert(fc.property(address, (group) => isTelecomNotice(emitTelecomNotice(group))));
  });

  test("huawei", () => {
    survives(huaweiRequest, emitHuaweiRequest, parseHuaweiRequest);
    survives(huaweiResponse, emitHuaweiResponse, parseHuaweiResponse);
    survives(termination, emitHuaweiTermination, parseHuaweiTermination);
    survives(word, emitHuaweiPunch, parseHuaweiPunch);
    fc.assert(fc.property(address, (group) => isHuaweiNotice(emitHuaweiNotice(group))));
  });

  test("with bytes behind it, which servers append", () => {
    fc.assert(
      fc.property(telecomResponse, fc.uint8Array({ maxLength: 40 }), (response, more) =>
        expect(parseTelecomResponse(Buffer.concat([emitTelecomResponse(response), more]))).toEqual(response),
      ),
    );
  });
});

describe("parsers", () => {
  test("never throw on random or truncated bytes", () => {
    const packets = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      telecomResponse.map(emitTelecomResponse),
      huaweiResponse.map(emitHuaweiResponse),
      termination.map(emitHuaweiTermination),
    );
    fc.assert(
      fc.property(packets, fc.nat(64), (packet, length) => {
        for (const parse of PARSERS) parse(packet.subarray(0, length));
      }),
    );
  });

  test("take no message of the other dialect or kind", () => {
    expect(parseTelecomResponse(emitHuaweiResponse({ ...HUAWEI, route: undefined }))).toBeUndefined();
    expect(parseHuaweiRequest(emitTelecomTermination({ group: GROUP, sequence: 1 }))).toBeUndefined();
    expect(isTelecomNotice(emitHuaweiNotice(GROUP))).toBe(false);
    // An ordinary RTCP packet whose low five bits are those of a notice.
    expect(isTelecomNotice(Uint8Array.from([0x84, 200, 0, 2, ...new Array(8).fill(0)]))).toBe(false);
  });

  test.each([
    [35, undefined],
    [36, 2],
    [60, 2],
  ])("a telecom response of %i bytes has the action %p", (length, action) => {
    const long = new Uint8Array(60);
    long.set(Buffer.from("83cd0008", "hex"));
    long[13] = 2;
    if (length < 36) long[3] = 5;
    expect(parseTelecomResponse(long.subarray(0, length))?.action).toBe(action as number);
  });

  test.each([
    [15, 1, undefined],
    [16, 1, 1],
    [16, 2, 0],
    [24, 2, 2],
    [24, 3, 0],
    [36, 3, 3],
  ])("a huawei response of %i bytes and type %i has the type %p", (length, type, read) => {
    const packet = new Uint8Array(length);
    packet.set(Buffer.from("86cd0002", "hex"));
    packet[12] = 1;
    packet[15] = type;
    expect(parseHuaweiResponse(packet)?.type).toBe(read as number);
  });

  test("test the NAT flag alone", () => {
    const packet = emitHuaweiResponse({ ...HUAWEI, route: { needsPunch: false, port: 1, session: 2, server: SERVER } });
    packet[24] = 0xe0;
    expect(parseHuaweiResponse(packet)?.route?.needsPunch).toBe(true);
  });
});

const HUAWEI = { group: GROUP, result: 1, type: 2, firstSequence: 7, rateKbit: 8000 };

describe("the bytes of", () => {
  const hex = (packet: Uint8Array) => Buffer.from(packet).toString("hex");
  const zeros = (bytes: number) => "00".repeat(bytes);

  test("a telecom request and termination", () => {
    expect(hex(emitTelecomRequest({ group: GROUP, groupPort: 0x1234, clientPort: 0x5678 }))).toBe(
      `82cd0009${zeros(4)}ef010203${zeros(4)}56781234ef010203${zeros(16)}`,
    );
    expect(hex(emitTelecomTermination({ group: GROUP, sequence: 0 }))).toBe(`85cd0003${zeros(4)}ef01020300000000`);
    expect(hex(emitTelecomTermination({ group: GROUP, sequence: undefined }))).toBe(
      `85cd0003${zeros(4)}ef01020301000000`,
    );
  });

  test("a huawei request, termination and punch", () => {
    expect(hex(emitHuaweiRequest({ group: GROUP, client: SERVER, clientPort: 0x5679 }))).toBe(
      `85cd0007${zeros(4)}ef010203${zeros(8)}0a0908075679800020000000`,
    );
    expect(hex(emitHuaweiTermination({ group: GROUP, sequence: 0xfffe }))).toBe(`89cd0003${zeros(4)}ef0102030100fffe`);
    expect(hex(emitHuaweiTermination({ group: GROUP, sequence: undefined }))).toBe(
      `89cd0003${zeros(4)}ef01020302000000`,
    );
    expect(hex(emitHuaweiPunch(0xdeadbeef))).toBe("00030000deadbeef");
  });
});
