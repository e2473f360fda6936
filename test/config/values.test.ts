import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { atoi, boolean, integer, interfaceName, listenAddresses, logLevel } from "../../src/config/values.ts";

test.each([
  ["5", 5],
  [" \t\n\v\f\r7", 7],
  ["+3", 3],
  ["-3", -3],
  ["-0", 0],
  ["12abc", 12],
  ["0x10", 0],
  ["1.9", 1],
  ["", 0],
  ["abc", 0],
  ["- 3", 0],
  ["--3", 0],
  ["99999999999999999999", 2147483647],
  ["-99999999999999999999", -2147483647],
])("atoi(%p)", (text, value) => {
  expect(atoi(text)).toBe(value);
});

test("atoi is a 32-bit number for any text", () => {
  fc.assert(fc.property(fc.string(), (text) => expect(Math.abs(atoi(text))).toBeLessThan(2 ** 31)));
  fc.assert(fc.property(fc.integer({ min: -2147483647 }), (value) => expect(atoi(`${value}x`)).toBe(value)));
});

describe("integer", () => {
  test.each([
    ["1", 1],
    ["256", 256],
    ["12 clients", 12],
  ])("accepts %p", (text, value) => {
    expect(integer(1, 256).read(text, "maxclients", undefined)).toEqual({ value });
  });

  test.each(["0", "257", "-1", "", "many"])("refuses %p", (text) => {
    expect(integer(1, 256).read(text, "maxclients", undefined)).toEqual({
      refused: "Invalid maxclients! Must be between 1 and 256. Ignoring.",
      fatal: false,
    });
  });

  test("without a maximum says so", () => {
    expect(integer(0).read("2147483647", "x", undefined)).toEqual({ value: 2147483647 });
    expect(integer(0).read("-1", "x", undefined)).toEqual({
      refused: "Invalid x! Must be >= 0. Ignoring.",
      fatal: false,
    });
  });
});

test.each(["1", "on", "TRUE", "Yes"])("%p is true", (text) => {
  expect(boolean.read(text, "", undefined)).toEqual({ value: true });
});

test.each(["", "0", "off", "no", "2", "y", "on ", "yes please"])("%p is false", (text) => {
  expect(boolean.read(text, "", undefined)).toEqual({ value: false });
});

test.each([
  ["0", 0],
  ["3", 3],
  ["-2", 0],
  ["9", 4],
  ["debug", 0],
] as const)("log level %p", (text, value) => {
  expect(logLevel.read(text, "", undefined)).toEqual({ value });
});

test.each([
  ["eth0", "eth0"],
  ["", undefined],
  ["abcdefghijklmnopq", "abcdefghijklmno"],
  ["ääääääää", "äääääää"],
])("interface name %p keeps at most 15 bytes", (text, value) => {
  expect(interfaceName.read(text, "", undefined)).toEqual({ value });
});

test("listen addresses add up, and a bad one is refused", () => {
  const first = { host: "a", port: 1 };
  expect(listenAddresses.read("b:2", "listen", [first])).toEqual({ value: [first, { host: "b", port: 2 }] });
  expect(listenAddresses.read("*", "listen", [first])).toMatchObject({ fatal: true });
  expect(listenAddresses.show([first, { host: "::", port: 2 }])).toBe("a:1, [::]:2");
});
