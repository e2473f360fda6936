import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseNptRange, parseNptTime, relayableRange } from "../../../src/wire/rtsp/range.ts";

const MAX_RANGE_BYTES = 255;

describe("a time", () => {
  test.each<[text: string, timeS: number]>([
    ["0", 0],
    ["17", 17],
    ["17.", 17],
    ["17.25", 17.25],
    ["0:00:00", 0],
    ["0:0:1.5", 1.5],
    ["00:59:59.999", 3599.999],
    ["100:01:02.", 360_062],
  ])("%j is %p s", (text, timeS) => {
    expect(parseNptTime(text)).toBe(timeS);
  });

  test.each([
    "",
    "now",
    "-1",
    "+1",
    "1e3",
    ".5",
    "1:2",
    "0:60:00",
    "0:00:60",
    "0:00:-1",
    "1.5:00:00",
    "0:1.5:00",
    "1 ",
    "inf",
    "9".repeat(400),
    `${"9".repeat(400)}:00:00`,
  ])("%j is none", (text) => {
    expect(parseNptTime(text)).toBeUndefined();
  });
});

describe("a range", () => {
  test.each<[value: string, startS: number, endS: number]>([
    ["npt=0-90.5", 0, 90.5],
    ["npt=5-5", 5, 5],
    [" NPT = 0:00:10 - 0:01:00 ", 10, 60],
    ["npt=0.5-1:00:00", 0.5, 3600],
  ])("%j", (value, startS, endS) => {
    expect(parseNptRange(value)).toEqual({ startS, endS });
  });

  test.each([
    "",
    "npt=",
    "npt=-",
    "npt=0-",
    "npt=-10",
    "npt=now-",
    "npt=now-10",
    "npt=2-1",
    "npt=0-inf",
    "npt=1-2-3",
    "npt=1-2;time=3",
    "clock=20240101T000000Z-20240101T010000Z",
    "smpte=0-1",
    "xnpt=0-1",
    `npt=${" ".repeat(200_000)}x`,
  ])("%j has not two ends", (value) => {
    expect(parseNptRange(value)).toBeUndefined();
  });

  test("of any two times is read back", () => {
    const time = fc.integer({ min: 0, max: 1e9 }).map((thousandths) => thousandths / 1000);
    fc.assert(
      fc.property(time, time, (a, b) => {
        const wanted = a <= b ? { startS: a, endS: b } : undefined;
        expect(parseNptRange(`npt=${a}-${b}`)).toEqual(wanted);
      }),
    );
  });
});

test("hours, minutes and seconds of any time are read back", () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.nat(59), fc.nat(59), fc.nat(999), (hours, minutes, seconds, ms) => {
      const fraction = String(ms).padStart(3, "0");
      const timeS = hours * 3600 + minutes * 60 + seconds + ms / 1000;
      expect(parseNptTime(`${hours}:${minutes}:${seconds}.${fraction}`)).toBeCloseTo(timeS, 9);
    }),
  );
});

describe("a range for the client", () => {
  test.each([
    "npt=0-",
    "clock=20240101T000000Z-",
    "smpte=10:07:00-10:07:33:05.01",
    "x y~",
    "r".repeat(MAX_RANGE_BYTES),
  ])("may be %j", (value) => expect(relayableRange(value)).toBe(value));

  test.each(["", "r".repeat(MAX_RANGE_BYTES + 1), "npt=0-\t", "npt=\xe4-", "a\nb", "\x7f"])("may not be %j", (value) =>
    expect(relayableRange(value)).toBeUndefined(),
  );
});

test("no text makes them throw", () => {
  const near = fc.string({ unit: fc.constantFrom("n", "npt=", "0", ":", ".", "-", " ", ";"), maxLength: 20 });
  fc.assert(
    fc.property(fc.oneof(fc.string(), near), (text) => {
      parseNptTime(text);
      parseNptRange(text);
      parseNptRange(`npt=${text}`);
      relayableRange(text);
    }),
  );
});
