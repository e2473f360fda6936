import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseIpAddress } from "../../../src/wire/ip/address.ts";
import { emitBindingRequest, isStun, type MappedAddress, parseBindingResponse } from "../../../src/wire/ip/stun.ts";

// The test vectors of RFC 5769 section 2.2 and 2.3, without message integrity and fingerprint.
const TRANSACTION_ID = Uint8Array.from(Buffer.from("b7e7a701bc34d686fa87dfae", "hex"));
const IPV4_ATTRIBUTE = "002000080001a147e112a643";
const IPV6_ATTRIBUTE = "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9";
const SOFTWARE_ATTRIBUTE = "8022000b7465737420766563746f7220";
const PLAIN_ATTRIBUTE = "0001000800011f900a000001";

const IPV4: MappedAddress = { address: parseIpAddress("192.0.2.1")!, port: 32853 };
const IPV6: MappedAddress = { address: parseIpAddress("2001:db8:1234:5678:11:2233:4455:6677")!, port: 32853 };
const PLAIN: MappedAddress = { address: parseIpAddress("10.0.0.1")!, port: 8080 };

function response(attributes: string, { type = "0101", cookie = "2112a442", id = TRANSACTION_ID, length = 0 } = {}) {
  const size = (attributes.length / 2 + length).toString(16).padStart(4, "0");
  return Uint8Array.from(Buffer.from(type + size + cookie + Buffer.from(id).toString("hex") + attributes, "hex"));
}

const parse = (attributes: string) => parseBindingResponse(response(attributes), [TRANSACTION_ID]);

test("a request", () => {
  const request = emitBindingRequest(TRANSACTION_ID);
  expect(Buffer.from(request).toString("hex")).toBe("000100002112a442b7e7a701bc34d686fa87dfae");
  expect(isStun(request, 0, request.length)).toBe(true);
});

describe("a response", () => {
  test("maps to an address", () => {
    expect(parse(IPV4_ATTRIBUTE)).toEqual(IPV4);
    expect(parse(IPV6_ATTRIBUTE)).toEqual(IPV6);
    expect(parse(PLAIN_ATTRIBUTE)).toEqual(PLAIN);
  });

  test("may have other attributes, padded ones too", () => {
    expect(parse(SOFTWARE_ATTRIBUTE + IPV4_ATTRIBUTE + SOFTWARE_ATTRIBUTE)).toEqual(IPV4);
    expect(parse(`${IPV4_ATTRIBUTE}8022000161`)).toEqual(IPV4);
  });

  test("has its obfuscated address preferred", () => {
    expect(parse(PLAIN_ATTRIBUTE + IPV4_ATTRIBUTE)).toEqual(IPV4);
    expect(parse(IPV4_ATTRIBUTE + PLAIN_ATTRIBUTE)).toEqual(IPV4);
    expect(parse(`002000080003a147e112a643${PLAIN_ATTRIBUTE}`)).toEqual(PLAIN);
    expect(parse(PLAIN_ATTRIBUTE + PLAIN_ATTRIBUTE.replace("1f90", "1f91"))).toEqual(PLAIN);
  });

  test("may answer any outstanding request", () => {
    const other = new Uint8Array(12);
    expect(parseBindingResponse(response(IPV4_ATTRIBUTE), [other, TRANSACTION_ID])).toEqual(IPV4);
    expect(parseBindingResponse(response(IPV4_ATTRIBUTE), [other])).toBeUndefined();
    expect(parseBindingResponse(response(IPV4_ATTRIBUTE), [])).toBeUndefined();
  });

  test("may have bytes behind it that do not belong to it", () => {
    const longer = response(SOFTWARE_ATTRIBUTE + IPV4_ATTRIBUTE, { length: -IPV4_ATTRIBUTE.length / 2 });
    expect(parseBindingResponse(longer, [TRANSACTION_ID])).toBeUndefined();
    expect(parseBindingResponse(Buffer.concat([response(IPV4_ATTRIBUTE), longer]), [TRANSACTION_ID])).toEqual(IPV4);
  });
});

test.each<[what: string, datagram: Uint8Array]>([
  ["a request", response(IPV4_ATTRIBUTE, { type: "0001" })],
  ["an error", response(IPV4_ATTRIBUTE, { type: "0111" })],
  ["another cookie", response(IPV4_ATTRIBUTE, { cookie: "2112a443" })],
  ["no attribute", response("")],
  ["a length beyond the datagram", response(IPV4_ATTRIBUTE, { length: 4 })],
  ["an attribute beyond the message", response("002000090001a147e112a643")],
  ["an unknown family", response("002000080003a147e112a643")],
  ["an IPv4 address that is cut", response("002000060001a147e112")],
  ["an IPv6 address that is cut", response("002000080002a147e112a643")],
  ["no room for a family", response("00200000")],
  ["port 0", response("0001000800010000c0000201")],
])("%s maps to nothing", (_, datagram) => {
  expect(parseBindingResponse(datagram, [TRANSACTION_ID])).toBeUndefined();
});

test("neither RTP, MPEG-TS nor a short datagram is STUN", () => {
  for (const first of [0x47, 0x80, 0xc0]) expect(isStun(new Uint8Array(20).fill(first, 0, 1), 0, 20)).toBe(false);
  expect(isStun(new Uint8Array(20), 0, 20)).toBe(true);
  expect(isStun(new Uint8Array(20), 1, 19)).toBe(false);
});

describe("for all bytes", () => {
  const id = fc.uint8Array({ minLength: 12, maxLength: 12 });
  const address = fc.oneof(fc.ipV4(), fc.ipV6()).map((text) => parseIpAddress(text)!);
  const mapped = fc.record({ address, port: fc.integer({ min: 1, max: 65535 }) });

  /** The attribute XOR-MAPPED-ADDRESS of RFC 8489 section 14.2, in hex. */
  function xorAttribute({ address: { family, bytes }, port }: MappedAddress, transactionId: Uint8Array): string {
    const mask = Buffer.concat([Buffer.from("2112a442", "hex"), transactionId]);
    const xored = Buffer.from(bytes.map((byte, i) => byte ^ mask[i]!)).toString("hex");
    const xoredPort = (port ^ 0x2112).toString(16).padStart(4, "0");
    return `0020${(4 + bytes.length).toString(16).padStart(4, "0")}000${family === 4 ? 1 : 2}${xoredPort}${xored}`;
  }

  test("an obfuscated address is read back", () => {
    fc.assert(
      fc.property(id, mapped, (transactionId, wanted) => {
        const datagram = response(xorAttribute(wanted, transactionId), { id: transactionId });
        expect(parseBindingResponse(datagram, [transactionId])).toEqual(wanted);
      }),
    );
  });

  test("random and truncated bytes never throw", () => {
    const attribute = fc.constantFrom(
      IPV4_ATTRIBUTE,
      IPV6_ATTRIBUTE,
      PLAIN_ATTRIBUTE,
      SOFTWARE_ATTRIBUTE,
      "0020",
      "00",
    );
    const near = fc.array(attribute, { maxLength: 4 }).map((parts) => response(parts.join("")));
    fc.assert(
      fc.property(near, fc.nat(120), fc.nat(255), fc.nat(120), (datagram, place, byte, end) => {
        if (place < datagram.length) datagram[place] = byte;
        parseBindingResponse(datagram, [TRANSACTION_ID]);
        parseBindingResponse(datagram.subarray(0, end), [TRANSACTION_ID]);
      }),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (datagram) => {
        parseBindingResponse(datagram, [TRANSACTION_ID]);
        isStun(datagram, 0, datagram.length);
      }),
    );
  });
});
