import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { mergeServiceQuery } from "../../src/timeshift/service-query.ts";
import { asByteString } from "../../src/wire/text/byte-string.ts";

describe("data parameters", () => {
  test.each([
    ["http://h/x?a=1&b=2&a=3", "a=9&c=4&a=8", "http://h/x?a=9&a=8&b=2&c=4"],
    ["http://h/x", "a=1&b", "http://h/x?a=1&b"],
    ["http://h/x?a=1", "", "http://h/x?a=1"],
    ["http://h/x?a=1&a=2", "b=3", "http://h/x?a=1&a=2&b=3"],
    ["http://h/x?a=1&b=2", "A=3", "http://h/x?a=1&b=2&A=3"],
    ["http://h/x?a=1", "%61=3", "http://h/x?a=1&%61=3"],
    ["http://h/x?a&b=1", "a=2", "http://h/x?a=2&b=1"],
    ["http://h/x?a=1&b=1", "a", "http://h/x?a&b=1"],
    ["http://h/x?a=1=2", "a=3=4", "http://h/x?a=3=4"],
    ["http://h/x?u={utc}", "v=1", "http://h/x?u={utc}&v=1"],
    ["rtsp://h/x?r2h-start=5", "r2h-start=6", "rtsp://h/x?r2h-start=6"],
  ])("%s with %j is %s", (service, query, expected) => {
    expect(mergeServiceQuery(asByteString(service), asByteString(query))).toBe<unknown>(expected);
  });
});

describe("control parameters", () => {
  test.each([
    // each from the playlist while the request has none of that name
    ["h/x?r2h-seek-offset=5&a=1", "b=2", "h/x?a=1&b=2&r2h-seek-offset=5"],
    ["h/x?r2h-seek-offset=5", "R2H-Seek-Offset=6", "h/x?R2H-Seek-Offset=6"],
    ["h/x?r2h-seek-offset=5&r2h-seek-offset=6", "a", "h/x?a&r2h-seek-offset=5"],
    ["h/x?r2h-seek-mode=range(UTC%2B8)", "a", "h/x?a&r2h-seek-mode=range(UTC%2B8)"],
    ["h/x?R2H-Ifname=eth0&r2h-ifname-fcc=eth1", "r2h-ifname=eth2", "h/x?r2h-ifname=eth2&r2h-ifname-fcc=eth1"],
    ["h/x?r2h-seek-name=x&x={utc}", "x=1", "h/x?x=1&r2h-seek-name=x"],
    ["h/x?r2h-seek-name=x&x={utc}", "y=1&r2h-seek-name=y", "h/x?y=1&r2h-seek-name=y"],
    // a name that was found counts as configured, so that another one is data
    ["h/x?a=1&playseek={utc}", "playseek=2", "h/x?a=1&playseek=2&r2h-seek-name=playseek"],
    ["h/x?TVDR={utc}", "playseek=2", "h/x?playseek=2&r2h-seek-name=TVDR"],
    ["h/x?TVDR={utc}", "playseek=2&r2h-seek-name=playseek", "h/x?playseek=2&r2h-seek-name=playseek"],
    // a fixed value is kept, a placeholder is not
    ["h/x?playseek=5", "r2h-token=t", "h/x?r2h-token=t&r2h-seek-name=playseek&playseek=5"],
    ["h/x?playseek={utc}&playseek=5", "a", "h/x?a&r2h-seek-name=playseek&playseek=5"],
    ["h/x?playseek=5", "PLAYSEEK=6", "h/x?PLAYSEEK=6&r2h-seek-name=playseek"],
    ["h/x?playseek={utc}", "a", "h/x?a&r2h-seek-name=playseek"],
    ["h/x?playseek=", "a", "h/x?a&r2h-seek-name=playseek"],
    ["h/x?r2h-seek-name=x&x=5", "a", "h/x?a&r2h-seek-name=x&x=5"],
    ["h/x?playseek=5", "r2h-seek-name=y&y=6", "h/x?r2h-seek-name=y&y=6"],
  ])("%s with %j is %s", (service, query, expected) => {
    expect(mergeServiceQuery(asByteString(service), asByteString(query))).toBe<unknown>(expected);
  });
});

test("the merged URL has at most 2047 bytes", () => {
  const merged = (length: number) =>
    mergeServiceQuery(asByteString("h/x"), asByteString("a".repeat(length - "h/x?".length)));
  expect(merged(2047)).toHaveLength(2047);
  expect(merged(2048)).toBeUndefined();
});

test("every parameter of the request gets through, and nothing of the service but what it replaces is lost", () => {
  const name = fc.constantFrom("a", "b", "c", "d");
  const parameter = fc.tuple(name, fc.nat(9)).map(([name, value]) => `${name}=${value}`);
  const query = fc.array(parameter, { minLength: 1, maxLength: 6 });
  const named = (list: readonly string[], name: string) => list.filter((text) => text.startsWith(`${name}=`));
  fc.assert(
    fc.property(query, query, (configured, requested) => {
      const merged = mergeServiceQuery(asByteString(`h/x?${configured.join("&")}`), asByteString(requested.join("&")))!;
      const parameters = merged.slice("h/x?".length).split("&");
      for (const name of ["a", "b", "c", "d"]) {
        const wanted = named(requested, name);
        expect(named(parameters, name)).toEqual(wanted.length > 0 ? wanted : named(configured, name));
      }
    }),
  );
});

test("no text makes it throw", () => {
  const unit = fc.constantFrom("playseek", "r2h-seek-name", "r2h-ifname", "=", "&", "?", "%", "{utc}", "1");
  const text = fc.string({ unit, maxLength: 15 });
  fc.assert(
    fc.property(text, text, (service, query) => {
      mergeServiceQuery(asByteString(service), asByteString(query));
    }),
  );
});
