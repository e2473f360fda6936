import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseScale, parseSession } from "../../../src/wire/rtsp/headers.ts";

test.each<[value: string, id: string, timeoutS: number | undefined]>([
  ["12345678", "12345678", undefined],
  ["a=b-c_$ ;timeout=60", "a=b-c_$", 60],
  ["abc ; x=1; Timeout = 30;y", "abc", 30],
  ['abc;timeout="90"', "abc", 90],
  ["abc;timeout=0", "abc", undefined],
  ["abc;timeout=-5", "abc", undefined],
  ["abc;timeout=x", "abc", undefined],
  ["abc;timeout=9999999999", "abc", undefined],
  ["abc;mytimeout=5", "abc", undefined],
])("session %j is %j with %p s", (value, id, timeoutS) => {
  expect(parseSession(value)).toEqual({ id, timeoutS });
});

test.each(["", " ", ";timeout=60", " \t;"])("%j is no session", (value) => {
  expect(parseSession(value)).toBeUndefined();
});

test.each<[value: string, scale: number]>([
  ["1", 1],
  ["1.0", 1],
  ["-2.5", -2.5],
  ["+.5", 0.5],
  ["4.", 4],
])("scale %j is %p", (value, scale) => {
  expect(parseScale(value)).toBe(scale);
});

test.each(["", ".", "-", "1e3", "0x10", "1,5", "1 2", "inf", "NaN", "9".repeat(400)])("%j is no scale", (value) => {
  expect(parseScale(value)).toBeUndefined();
});

test("what is written is read", () => {
  const id = fc.stringMatching(/^[!-:<-~]([ -:<-~]{0,20}[!-:<-~])?$/);
  fc.assert(
    fc.property(id, fc.integer({ min: 1, max: 999_999_999 }), (text, timeoutS) => {
      expect(parseSession(`${text};timeout=${timeoutS}`)).toEqual({ id: text, timeoutS });
      expect(parseScale(String(timeoutS / 1000))).toBe(timeoutS / 1000);
    }),
  );
});

test("no text makes them throw", () => {
  const near = fc.string({ unit: fc.constantFrom(";", "timeout", "=", "1", '"', " ", ".", "-"), maxLength: 20 });
  fc.assert(
    fc.property(fc.oneof(fc.string(), near), (text) => {
      parseSession(text);
      parseScale(text);
    }),
  );
});
