import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { type MulticastUrl, parseMulticastUrl, parsePorts } from "../../../src/upstream/multicast/url.ts";
import { asByteString } from "../../../src/wire/text/byte-string.ts";

const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain(), fc.constant("ff02::1%eth0"));
const port = fc.integer({ min: 1, max: 65535 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const read = (text: string) => parseMulticastUrl(asByteString(text));

function written(name: string, number: number | undefined): string {
  return (name.includes(":") ? `[${name.replace("%", "%25")}]` : name) + (number === undefined ? "" : `:${number}`);
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
          expect(read(`${from}${written(group, groupPort)}${slash ? "/" : ""}`)).toEqual(expected);
        },
      ),
    );
  });

  test("splits source and group at the last @", () => {
    expect(read("a@b@239.1.1.1:5")).toEqual({ group: "239.1.1.1", port: 5, source: "a@b" });
  });

  test.each([
    ...["239.1.1.1:5000", "239.1.1.1%3A5000", "239.1.1.1%3a5000", "%3239.1.1.1:5000", "239.1.1%2E1:5000"],
    ...["239.1.1.1^5000", "239.1.1.1~5000", "239.1.1.1+5000", "239.1.1.1-5000", "239.1.1.1%5000"],
    ...["239.1.1.1%5E5000", "239.1.1.1%7E5000", "239.1.1.1%255000", "239.1.1.1~5000/a.ts", "@239.1.1.1^5000"],
    ...["@239.1.1.1:5000", "%40239.1.1.1:5000", "239.1.1.1:05000", "239.1.1.1:0005000", "239.1.1.1:5000/"],
    ...["239.1.1.1:5000//", "239.1.1.1:5000/stream.ts", "239.1.1.1:5000/a@b:1/c", "239.1.1.1:5000.ts"],
    ...["239.1.1.1:5000.m3u8", "239.1.1.1:5000#name", "239.1.1.1:5000/#a/b@c"],
  ])("reads %j, as players and scripts write it", (text) => {
    expect(read(text)).toEqual({ group: "239.1.1.1", port: 5000 });
  });

  test("knows udpxy's separators only behind an address: a name may hold them", () => {
    expect(read("group-5000")).toEqual({ group: "group-5000", port: 1234 });
    expect(read("10.0.0.1@239.1.1.1~5")).toEqual({ group: "239.1.1.1", port: 5, source: "10.0.0.1" });
    expect(read("@[ff3e::1]:05/a.ts")).toEqual({ group: "ff3e::1", port: 5 });
  });

  test.each([
    "",
    "/",
    "@",
    "10.0.0.1@",
    "10.0.0.1@/",
    ":5000",
    "239.1.1.1:",
    "239.1.1.1:0",
    "239.1.1.1:65536",
    "239.1.1.1:123456",
    "239.1.1.1:00000",
    "@:5000",
    "239.1.1.1:5000.1",
    "239.1.1.1:5000.",
    "239.1.1.1:5000%zz",
    "239.1.1.1%zz5000",
    "group-5000:x",
    "239.1.1.1:5000:1",
    "239.1.1.1:50x0",
    "239.1.1.1:-1",
    "239.1.1.1/5000",
    "ff3e::1",
    "[ff3e::1",
    "ff3e::1]:5",
    "[]:5",
    "[ff3e::1]5",
    "10.0.0.1:0@239.1.1.1",
  ])("refuses %j", (text) => {
    expect(read(text)).toBeUndefined();
  });

  test("never throws, and answers a port in range and non-empty hosts", () => {
    const text = fc.string({ unit: fc.constantFrom(..."[]:@/%.019ae"), maxLength: 24 });
    fc.assert(
      fc.property(fc.oneof(text, fc.string()), (noise) => {
        const url = read(noise);
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
