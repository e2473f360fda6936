import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { readSeekRequest, type SeekRequest } from "../../src/timeshift/seek-request.ts";
import { asByteString } from "../../src/wire/text/byte-string.ts";

const read = (query: string, way: "range" | "query" = "query"): SeekRequest => {
  const request = readSeekRequest(asByteString(`/p?${query}`), way);
  if (!request) throw new Error("unusable");
  return request;
};

describe("the seek parameter", () => {
  test.each([
    ["playseek=1", "playseek", "1", "/p"],
    ["PlaySeek=1", "PlaySeek", "1", "/p"],
    ["tvdr=1&a=2", "tvdr", "1", "/p?a=2"],
    ["TVDR=1", "TVDR", "1", "/p"],
    ["tvdr=1&playseek=2", "playseek", "2", "/p?tvdr=1"],
    ["a=1&playseek=2&b=3&PLAYSEEK=4&c", "playseek", "2", "/p?a=1&b=3&c"],
    ["playseek={utc}&playseek=2", "playseek", "2", "/p"],
    ["playseek={utc}&playseek={utcend}", "playseek", "{utc}", "/p"],
    ["playseek&tvdr=1", "tvdr", "1", "/p?playseek"],
    ["playseek=1&playseek", "playseek", "1", "/p"],
    ["playseek=a%2Bb+c%20d", "playseek", "a+b+c d", "/p"],
    ["playseek=a=b", "playseek", "a=b", "/p"],
    ["x=1&r2h-seek-name=x", "x", "1", "/p"],
    ["r2h-seek-name=Xy&xY=1", "Xy", "1", "/p"],
    ["r2h-seek-name=%78&x=1&playseek=2", "x", "1", "/p?playseek=2"],
    ["R2H-SEEK-NAME=x&x=1", "x", "1", "/p"],
    ["r2h-seek-name=&playseek=1", "playseek", "1", "/p"],
    [`r2h-seek-name=${"x".repeat(127)}&${"x".repeat(127)}=1`, "x".repeat(127), "1", "/p"],
  ])("in %s", (query, name, text, url) => {
    for (const way of ["query", "range"] as const) {
      expect(read(query, way)).toMatchObject({ seek: { name, value: { text } }, url });
    }
  });

  test.each([
    ["", "/p?"],
    ["a=1", "/p?a=1"],
    ["playseek=", "/p"],
    ["playseek=&tvdr=1", "/p?tvdr=1"],
    ["playseek", "/p?playseek"],
    ["xplayseek=1&playseek2=1", "/p?xplayseek=1&playseek2=1"],
    ["%70layseek=1", "/p?%70layseek=1"],
    ["r2h-seek-name=x&playseek=1", "/p?playseek=1"],
  ])("is not in %s", (query, url) => {
    expect(read(query)).toMatchObject({ seek: undefined, url });
  });

  test("that cannot be decoded makes RTSP unusable; HTTP passes it on", () => {
    expect(readSeekRequest(asByteString("h/p?playseek=%zz"), "range")).toBeUndefined();
    const { seek, url, warnings } = read("a&playseek=%zz&r2h-seek-offset=1&playseek=1");
    expect(seek).toBeUndefined();
    expect(url).toBe<unknown>("/p?a&playseek=%zz&playseek=1");
    expect(warnings).toHaveLength(1);
  });
});

describe("r2h-seek-offset", () => {
  test.each([
    ["12", 12, 12],
    ["-12", -12, -12],
    ["+12", 12, 12],
    ["12,-12", 12, -12],
    ["0,5", 0, 5],
    ["%2D1,%2B1", -1, 1],
    ["2147483647", 2147483647, 2147483647],
    [`${"0".repeat(30)}7`, 7, 7],
  ])("%s", (text, beginS, endS) => {
    expect(read(`R2H-Seek-Offset=${text}&a=1`)).toMatchObject({
      offset: { beginS, endS },
      warnings: [],
      url: "/p?a=1",
    });
  });

  test.each(["x", "1,", ",1", "1,2,3", "1.5", " 1", "1 ", "--1", "2147483648", "1,-2147483648", "9".repeat(31)])(
    "%j is ignored",
    (text) => {
      const { offset, warnings, url } = read(`r2h-seek-offset=${text}`);
      expect(offset).toEqual({ beginS: 0, endS: 0 });
      expect(warnings).toEqual([`Invalid r2h-seek-offset value: ${text}`]);
      expect(url).toBe<unknown>("/p");
    },
  );
});

describe("control parameters", () => {
  test("count once: the first copy, whatever its case", () => {
    const request = read("r2h-seek-offset=1&a=1&R2H-SEEK-OFFSET=2&r2h-seek-mode=range&r2h-seek-mode=x");
    expect(request).toMatchObject({ offset: { beginS: 1, endS: 1 }, mode: { kind: "range" }, url: "/p?a=1" });
    expect(request.warnings).toHaveLength(2);
  });

  test.each([
    ["r2h-seek-name", 127],
    ["r2h-seek-offset", 31],
    ["r2h-seek-mode", 95],
  ])("%s over its limit is ignored", (name, limit) => {
    const { warnings, url, seek, offset, mode } = read(`${name}=${"1".repeat(limit + 1)}&playseek=1`);
    expect(warnings).toEqual([`${name} is ignored: over ${limit} bytes`]);
    expect({ url, offset, mode }).toMatchObject({ url: "/p", offset: { beginS: 0 }, mode: { kind: "passthrough" } });
    expect(seek?.name).toBe("playseek");
  });

  test("that cannot be decoded are ignored", () => {
    const { warnings, url, seek } = read("r2h-seek-name=%zz&playseek=1");
    expect(warnings).toEqual(["r2h-seek-name is ignored: invalid percent-encoding"]);
    expect([url, seek?.name]).toEqual(["/p", "playseek"]);
  });

  test("of the seek mode warn when malformed", () => {
    expect(read("r2h-seek-mode=range(", "range")).toMatchObject({
      mode: { kind: "malformed" },
      warnings: ["Invalid r2h-seek-mode value: range("],
    });
    expect(read("r2h-seek-mode=range(UTC%2B8/60)&r2h-seek-offset=")).toMatchObject({
      mode: { kind: "range", zoneMin: 480, windowS: 60 },
      warnings: [],
    });
  });

  test("of other subjects stay", () => {
    expect(read("r2h-token=1&r2h-ifname=2").url).toBe<unknown>("/p?r2h-token=1&r2h-ifname=2");
  });
});

describe("r2h-start and r2h-duration", () => {
  test("are RTSP's, in lower case", () => {
    const query = "r2h-start=12.5&a=1&r2h-duration=1&r2h-start=7";
    expect(read(query, "range")).toMatchObject({ start: "12.5", wantsDuration: true, url: "/p?a=1", warnings: [] });
    expect(read(query)).toMatchObject({ start: undefined, wantsDuration: false, url: `/p?${query}` });
    const upper = "R2H-Start=12.5&R2H-Duration=1";
    expect(read(upper, "range")).toMatchObject({ start: undefined, wantsDuration: false, url: `/p?${upper}` });
  });

  test.each(["0", "12.5", "12.", "1:02:03", "100:00:00.25", "now"])("NPT may be %s", (start) => {
    expect(read(`r2h-start=${start}`, "range")).toMatchObject({ start, warnings: [] });
  });

  test.each(["-1", "x", "1%0d%0aX: y", "1-2", "1:60:00", "12345678901", "%zz", " 1"])("NPT is not %s", (start) => {
    const request = read(`r2h-start=${start}`, "range");
    expect(request).toMatchObject({ start: undefined, url: "/p" });
    expect(request.warnings).toHaveLength(1);
  });

  test.each(["", "0", "2", "true"])("r2h-duration=%s asks for media", (value) => {
    expect(read(`r2h-duration=${value}&r2h-start=`, "range")).toMatchObject({
      wantsDuration: false,
      start: undefined,
      warnings: [],
    });
  });
});

test("a service's own seek parameter is known", () => {
  const isConfigured = (service: string | undefined, query: string) =>
    readSeekRequest(asByteString(`h/p?${query}`), "query", service === undefined ? undefined : asByteString(service))!
      .isConfigured;
  expect(isConfigured("h/p?Playseek={utc}", "playseek=1")).toBe(true);
  expect(isConfigured("h/p?tvdr={utc}", "playseek=1")).toBe(false);
  expect(isConfigured("h/p", "playseek=1")).toBe(false);
  expect(isConfigured(undefined, "playseek=1")).toBe(false);
});

test("no URL makes it throw, and no control parameter gets through", () => {
  const unit = fc.constantFrom(
    "playseek",
    "r2h-seek-name",
    "R2H-Seek-Offset",
    "r2h-seek-mode",
    "=",
    "&",
    "?",
    "%",
    "1",
  );
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 15 }), fc.constantFrom("range", "query"), (query, way) => {
      const request = readSeekRequest(asByteString(`/p?${query}`), way);
      const names = request?.url.slice("/p?".length).split("&");
      for (const name of names ?? []) expect(name).not.toMatch(/^r2h-seek-(name|offset|mode)(=|$)/i);
    }),
    { numRuns: 2000 },
  );
});
