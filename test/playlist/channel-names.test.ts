import { expect, test } from "bun:test";
import fc from "fast-check";
import { ChannelNames } from "../../src/playlist/channel-names.ts";
import { asByteString } from "../../src/wire/text/byte-string.ts";

const take = (wanted: readonly string[]) => {
  const names = new ChannelNames();
  return wanted.map((name) => names.take(asByteString(name)));
};

test.each<[wanted: string[], names: string[]]>([
  [
    ["A", "A", "A"],
    ["A", "A/2", "A/3"],
  ],
  [
    ["A/2", "A", "A"],
    ["A/2", "A", "A/3"],
  ],
  [
    ["A", "A/7", "A", "A"],
    ["A", "A/7", "A/8", "A/9"],
  ],
  [
    ["A", "A/1", "A"],
    ["A", "A/1", "A/2"],
  ],
  [
    ["A", "A/2", "A/2", "A"],
    ["A", "A/2", "A/2/2", "A/3"],
  ],
  [
    ["A", "A/999", "A", "A"],
    ["A", "A/999", "A/1000", "A/1001"],
  ],
  [
    ["A", "A/1000", "A/007", "A"],
    ["A", "A/1000", "A/007", "A/2"],
  ],
  [
    ["", ""],
    ["", "/2"],
  ],
])("%j", (wanted, names) => {
  expect(take(wanted)).toEqual<unknown>(names);
});

test("are unique, free ones stay, and 20 000 of the same name are no trouble", () => {
  const name = fc.constantFrom("A", "A/2", "A/3", "B", "B/999", "A/2/2");
  fc.assert(
    fc.property(fc.array(name, { maxLength: 60 }), (wanted) => {
      const names = take(wanted);
      expect(new Set(names).size).toBe(wanted.length);
      for (const [i, each] of wanted.entries())
        if (!names.slice(0, i).includes(asByteString(each))) expect(names[i]).toBe<unknown>(each);
    }),
  );
  expect(take(new Array(20_000).fill("A")).at(-1)).toBe<unknown>("A/20000");
});

test("a name that is a page of our own, or that no client can ask for, gets an address that works", () => {
  const names = new ChannelNames(["status", "status/sse", "assets/"]);
  const take = (name: string) => names.take(asByteString(name));
  expect(
    ["status", "status/", "status", "status/sse/", "assets/x", "assets", "Status", "..", "a/./b", "a/..b"].map(take),
  ).toEqual<unknown>([
    ...["channel/status", "channel/status/", "channel/status/2", "channel/status/sse/", "channel/assets/x"],
    ...["assets", "Status", "_..", "a/_./b", "a/..b"],
  ]);
});

test("are short enough for a request, and cut between characters", () => {
  const long = Buffer.from("ä".repeat(600)).toString("latin1");
  const [first = "", second = "", third = ""] = take([`x${long}`, `x${long}y`, `${long}`]);
  expect(Buffer.from(first, "latin1").toString()).toBe(`x${"ä".repeat(511)}`);
  expect([second, third]).toEqual([`${first}/2`, long.slice(0, 1024)]);
});
