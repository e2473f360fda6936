import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { clockRange, parseSeekMode } from "../../src/timeshift/seek-mode.ts";
import { parseSeekValue } from "../../src/timeshift/seek-value.ts";

describe("r2h-seek-mode", () => {
  test.each(["", "passthrough", "PassThrough"])("%j passes the parameter on", (text) => {
    expect(parseSeekMode(text)).toEqual({ kind: "passthrough" });
  });

  test.each([
    ["range", undefined, 3600],
    ["RANGE", undefined, 3600],
    ["range()", undefined, 3600],
    ["range(UTC)", 0, 3600],
    ["range(UTC+8)", 480, 3600],
    ["Range(UTC-5)", -300, 3600],
    ["range(7200)", undefined, 7200],
    ["range(1)", undefined, 1],
    ["range(86400)", undefined, 86400],
    ["range(/7200)", undefined, 7200],
    ["range(UTC+8/)", 480, 3600],
    ["range(/)", undefined, 3600],
    ["range(UTC+8/7200)", 480, 7200],
    ["range(UTC-12/60)", -720, 60],
    ["range(UTC+14/60)", 840, 60],
  ])("%j: zone %p, window %p s", (text, zoneMin, windowS) => {
    expect(parseSeekMode(text)).toEqual({ kind: "range", zoneMin: zoneMin as number, windowS });
  });

  test.each([
    "rang",
    "ranges",
    "range ",
    " range",
    "range(",
    "range)",
    "range(UTC+8",
    "range(UTC+8))",
    "range()x",
    "range(utc)",
    "range(UTC+15)",
    "range(UTC-13)",
    "range(UTC+)",
    "range(UTC7200)",
    "range(UTC+8 )",
    "range(GMT)",
    "range(0)",
    "range(86401)",
    "range(-1)",
    "range(1.5)",
    "range(UTC+8/0)",
    "range(UTC+8/7200/)",
    "range(7200/UTC+8)",
    "range(7200/)",
    "range(//)",
    `range(${"0".repeat(62)}60)`,
    "live",
  ])("%j is malformed", (text) => {
    expect(parseSeekMode(text)).toEqual({ kind: "malformed" });
  });

  test("holds at most 63 bytes in its brackets", () => {
    expect(parseSeekMode(`range(${"0".repeat(61)}60)`)).toMatchObject({ windowS: 60 });
  });

  test("is never an error", () => {
    const near = fc.string({ unit: fc.constantFrom("range", "(", ")", "UTC", "+", "8", "/"), maxLength: 8 });
    fc.assert(
      fc.property(fc.oneof(fc.string(), near), (text) => {
        const mode = parseSeekMode(text);
        if (mode.kind === "range") expect(mode.windowS).toBeWithin(1, 86401);
      }),
    );
  });
});

describe("Range", () => {
  const nowMs = Date.UTC(2024, 0, 1, 12, 0, 0);
  const range = (text: string, zoneMin?: number, more: { client?: number; beginS?: number; windowS?: number } = {}) => {
    const { client = 0, beginS = 0, windowS = 3600 } = more;
    const viewer = { nowMs, zoneMin: client };
    return clockRange(parseSeekValue(text), { zoneMin, windowS }, { beginS, endS: 0 }, viewer);
  };

  test("is for a begin between now and the window", () => {
    expect(range("20240101120000")).toBe("clock=20240101T120000Z-");
    expect(range("20240101110001")).toBe("clock=20240101T110001Z-");
    expect(range("20240101110000")).toBeUndefined();
    expect(range("20240101110000", undefined, { windowS: 3601 })).toBe("clock=20240101T110000Z-");
    expect(range("20240101120001")).toBeUndefined();
    expect(range("live")).toBeUndefined();
    expect(range("2024-01-01T11:59:59.9Z")).toBe("clock=20240101T115959Z-");
  });

  test("knows no end", () => {
    expect(range("20240101113000-20240101114000")).toBe("clock=20240101T113000Z-");
    expect(range("20240101113000-")).toBe("clock=20240101T113000Z-");
  });

  test("counts in the explicit zone, else in the client's, else in the time's own", () => {
    expect(range("20240101193000", 480)).toBe("clock=20240101T113000Z-");
    expect(range("20240101193000", 480, { client: -300 })).toBe("clock=20240101T113000Z-");
    expect(range("20240101193000", undefined, { client: 480 })).toBe("clock=20240101T113000Z-");
    expect(range("20240101113000", 0, { client: 480 })).toBe("clock=20240101T113000Z-");
    expect(range("20240101113000GMT", 480)).toBe("clock=20240101T113000Z-");
    expect(range("20240101T063000-05:00", 480, { client: 60 })).toBe("clock=20240101T113000Z-");
    expect(range("1704108600", 480)).toBe("clock=20240101T113000Z-");
  });

  test("includes the offset of the begin", () => {
    expect(range("20240101120001", undefined, { beginS: -1 })).toBe("clock=20240101T120000Z-");
    expect(range("20240101110001", undefined, { beginS: -1 })).toBeUndefined();
    expect(range("20240101113000", undefined, { beginS: 60 })).toBe("clock=20240101T113100Z-");
  });
});
