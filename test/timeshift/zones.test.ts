import { expect, test } from "bun:test";
import fc from "fast-check";
import { clientZone, parseZone } from "../../src/timeshift/zones.ts";

test.each([
  [undefined, 0],
  ["", 0],
  ["Player/1.0", 0],
  ["Player/1.0 TZ/UTC", 0],
  ["Player/1.0 TZ/UTC+8", 8],
  ["Player/1.0 TZ/UTC-5 other", -5],
  ["TZ/UTC+08", 8],
  ["TZ/UTC+0", 0],
  ["TZ/UTC+14", 14],
  ["TZ/UTC-12", -12],
  ["TZ/UTC+15", 0],
  ["TZ/UTC-13", 0],
  ["TZ/UTC+123", 0],
  ["Player (TZ/UTC+8)", 8],
  ["TZ/UTC+8;x", 8],
  ["xTZ/UTC+8", 8],
  ["TZ/UTC +8", 0],
  ["TZ/UTCx+8", 0],
  ["TZ/UTC+", 0],
  ["TZ/UTC8", 0],
  ["TZ/GMT+8", 0],
  ["TZ/Asia/Shanghai", 0],
  ["tz/UTC+8", 0],
  ["TZ/utc+8", 0],
  ["TZ/UTC+5:30", 5.5],
  ["TZ/UTC+05:45 (x)", 5.75],
  ["TZ/UTC+0530", 5.5],
  ["TZ/UTC-3:30", -3.5],
  ["TZ/UTC-0930", -9.5],
  ["TZ/UTC+14:00", 14],
  ["TZ/UTC+14:30", 0],
  ["TZ/UTC-12:15", 0],
  ["TZ/UTC+8:75", 8],
  ["TZ/UTC+8:", 8],
  ["TZ/UTC+05300", 0],
  ["TZ/UTC+8 TZ/UTC+9", 8],
  ["TZ/x TZ/UTC+9", 0],
])("the user agent %j is %p hours east", (userAgent, hours) => {
  expect(clientZone(userAgent)).toBe(hours * 60);
});

test.each([
  ["UTC", 0],
  ["UTC+8", 480],
  ["UTC-5", -300],
  ["UTC+14", 840],
  ["UTC-12", -720],
  ["UTC+5:30", 330],
  ["UTC+0545", 345],
  ["UTC-03:30", -210],
])("the zone %j is %p minutes east", (text, minutes) => {
  expect(parseZone(text)).toBe(minutes);
});

test.each([
  "",
  "utc",
  "UTC+15",
  "UTC-13",
  "UTC+8 ",
  " UTC",
  "UTC+",
  "UTC8",
  "UTC+14:30",
  "UTC+8:60",
  "UTC+5:3",
  "UTC+530",
  "UTC+008",
  "GMT",
])("%j is no zone", (text) => {
  expect(parseZone(text)).toBeUndefined();
});

test("no user agent leads out of the zones there are", () => {
  const near = fc.string({ unit: fc.constantFrom("TZ/", "UTC", "+", "-", "1", "4", ":", " "), maxLength: 10 });
  fc.assert(
    fc.property(fc.oneof(near, fc.string()), (userAgent) => {
      const minutes = clientZone(userAgent);
      expect(Number.isInteger(minutes)).toBe(true);
      expect(minutes).toBeWithin(-12 * 60, 14 * 60 + 1);
    }),
  );
});
