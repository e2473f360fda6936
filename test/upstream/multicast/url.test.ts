import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type MulticastUrl, parseMulticastUrl, parsePorts } from "../../../src/upstream/multicast/url.ts";

const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain(), fc.constant("ff02::1%eth0"));
const port = fc.integer({ min: 1, max: 65535 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

function written(name: string, number: number | undefined): string {
  return (name.includes(":") ? `[${name}]` : name) + (number === undefined ? "" : `:${number}`);
}

describe("parseMulticastUrl", () => {
  test("reads every form of multicast.md section 1", () => {
    fc.assert(
      fc.property(
        host,
        maybe(port),
        maybe(host),
        maybe(port),
        fc.boolean(),
        (group, groupPort, source, sport, slash) => {
          const from = source === undefined ? "" : `${written(source, sport)}@`;
          const expected: MulticastUrl = { group, port: groupPort ?? 1234, ...(source !== undefined && { source }) };
          expect(parseMulticastUrl(`${from}${written(group, groupPort)}${slash ? "/" : ""}`)).toEqual(expected);
        },
      ),
    );
  });

  test("splits source and group at the last @", () => {
    expect(parseMulticastUrl("a@b@239.1.1.1:5")).toEqual({ group: "239.1.1.1", port: 5, source: "a@b" });
  });

  test.each([
    "",
    "/",
    "@",
    "@239.1.1.1",
    "10.0.0.1@",
    "10.0.0.1@/",
    ":5000",
    "239.1.1.1:",
    "239.1.1.1:0",
    "239.1.1.1:65536",
    "239.1.1.1:123456",
    "239.1.1.1:5000:1",
    "239.1.1.1:50x0",
    "239.1.1.1:-1",
    "239.1.1.1:5000//",
    "239.1.1.1/5000",
    "ff3e::1",
    "[ff3e::1",
    "ff3e::1]:5",
    "[]:5",
    "[ff3e::1]5",
    "10.0.0.1:0@239.1.1.1",
  ])("refuses %j", (text) => {
    expect(parseMulticastUrl(text)).toBeUndefined();
  });

  test("never throws, and answers a port in range and non-empty hosts", () => {
    const text = fc.string({ unit: fc.constantFrom(..."[]:@/%.019ae"), maxLength: 24 });
    fc.assert(
      fc.property(fc.oneof(text, fc.string()), (noise) => {
        const url = parseMulticastUrl(noise);
        if (!url) return;
        expect(url.port).toBeWithin(1, 65536);
        expect(url.group).not.toBe("");
        expect(url.source).not.toBe("");
      }),
      { numRuns: 1000 },
    );
  });
});

test.each<[string, number[]]>([
  ["4055", [4055]],
  ["5002,5004", [5002, 5004]],
  ["5002,5002", [5002]],
  ["1,65535", [1, 65535]],
  ["", []],
  ["0", []],
  ["65536", []],
  ["5002,0", []],
  ["5002,", []],
  ["5002,5004,5006", []],
  ["-1", []],
  ["5002 ", []],
  ["x", []],
])("parsePorts reads %p as %j", (text, ports) => {
  expect(parsePorts(text)).toEqual(ports);
});
