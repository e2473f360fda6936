import { describe, expect, test } from "bun:test";
import { isIP } from "node:net";
import fc from "fast-check";
import { formatIpAddress, type IpAddress, isMulticast, parseIpAddress } from "../../../src/wire/ip/address.ts";

const ipv4 = fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes): IpAddress => ({ family: 4, bytes }));
/** Many zero groups, so that every way to shorten an address comes up. */
const ipv6Bytes = fc
  .array(fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(0xffff) }), {
    minLength: 8,
    maxLength: 8,
  })
  .map((groups) => Uint8Array.from(groups.flatMap((g) => [g >> 8, g & 0xff])));
const ipv6 = fc
  .record({ bytes: ipv6Bytes, zone: fc.option(fc.stringMatching(/^[a-z0-9.-]{1,15}$/), { nil: undefined }) })
  .map(({ bytes, zone }): IpAddress => ({ family: 6, bytes, ...(zone !== undefined && { zone }) }));

/** Strings that are addresses, nearly, or not at all. */
const nearlyAddress = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.stringMatching(/^[0-9a-f:.]{0,24}$/),
  fc
    .array(fc.constantFrom("0", "1", "ffff", "abcd", "12345", "g", "::", ":", ".", "1.2.3.4", "256", "01", ""), {
      maxLength: 12,
    })
    .map((parts) => parts.join("")),
  fc
    .array(fc.constantFrom("0", "1", "ffff", "", "1.2.3.4"), { minLength: 1, maxLength: 10 })
    .map((parts) => parts.join(":")),
);

/** What the URL standard makes of an IPv6 literal: shortened and in lower case. */
function urlHost(text: string): string | undefined {
  return URL.canParse(`http://[${text}]/`) ? new URL(`http://[${text}]/`).hostname.slice(1, -1) : undefined;
}

describe("parseIpAddress", () => {
  test("reads what formatIpAddress wrote", () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), (address) => {
        expect(parseIpAddress(formatIpAddress(address))).toEqual(address);
      }),
      { numRuns: 500 },
    );
  });

  test("takes exactly what node:net takes for an address", () => {
    fc.assert(
      fc.property(nearlyAddress, (text) => {
        expect([text, parseIpAddress(text)?.family ?? 0]).toEqual([text, isIP(text)]);
      }),
      { numRuns: 3000 },
    );
  });

  test("and formatIpAddress together make what the URL standard makes", () => {
    fc.assert(
      fc.property(nearlyAddress, (text) => {
        const address = parseIpAddress(text);
        // Bun's URL refuses some valid forms (`1:2:3:4::1.2.3.4`); the test above has node:net as its judge.
        const host = urlHost(text);
        if (address?.family === 6 && host !== undefined) expect(formatIpAddress(address)).toBe(host);
      }),
      { numRuns: 1000 },
    );
  });

  test("never throws", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const address = parseIpAddress(text);
        if (address) expect(address.bytes).toHaveLength(address.family === 4 ? 4 : 16);
      }),
    );
  });

  test.each([
    "",
    "localhost",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.4 ",
    "[::1]",
    ":",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "12345::",
    "::1.2.3",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "1.2.3.4%eth0",
    "fe80::1%",
    "%eth0",
    `::1%${"z".repeat(64)}`,
  ])("refuses %j", (text) => {
    expect(parseIpAddress(text)).toBeUndefined();
  });

  test("keeps the zone of an IPv6 literal", () => {
    expect(parseIpAddress("ff02::1%eth0")?.zone).toBe("eth0");
    expect(parseIpAddress("ff02::1")).not.toHaveProperty("zone");
  });
});

describe("formatIpAddress", () => {
  test.each([
    ["0:0:0:0:0:0:0:0", "::"],
    ["0:0:0:0:0:0:0:1", "::1"],
    ["1:0:0:0:0:0:0:0", "1::"],
    ["2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
    ["::ffff:1.2.3.4", "::ffff:102:304"],
    ["FF02::1%Eth0", "ff02::1%Eth0"],
    ["239.1.2.3", "239.1.2.3"],
  ])("shortens %s to %s (RFC 5952 section 4)", (text, shortened) => {
    expect(formatIpAddress(parseIpAddress(text)!)).toBe(shortened);
  });
});

test.each([
  ["223.255.255.255", false],
  ["224.0.0.0", true],
  ["239.255.255.255", true],
  ["240.0.0.0", false],
  ["ff02::1", true],
  ["feff::1", false],
  ["e000::1", false],
])("isMulticast(%s) is %p", (text, answer) => {
  expect(isMulticast(parseIpAddress(text)!)).toBe(answer);
});
