import { expect, test } from "bun:test";
import fc from "fast-check";
import { splitLabel, withoutLabel } from "../../../src/wire/m3u/label.ts";
import { asByteString } from "../../../src/wire/text/byte-string.ts";

test.each<[text: string, url: string, label: string]>([
  ["rtp://239.0.0.1:5140/?fcc=10.0.0.1:15970$UHD", "rtp://239.0.0.1:5140/?fcc=10.0.0.1:15970", "UHD"],
  ["rtp://239.0.0.1:5140$HD", "rtp://239.0.0.1:5140", "HD"],
  ["rtp://239.0.0.1:5140", "rtp://239.0.0.1:5140", ""],
  ["http://h/a$HD?b=1", "http://h/a?b=1", "HD"],
  ["http://h/a$HD?b=1$SD", "http://h/a?b=1", "SD"],
  ["http://h/a?b=$1&c=2", "http://h/a?b=$1&c=2", ""],
  ["http://h/$a/b", "http://h/$a/b", ""],
  ["http://h/\x24{(b)yyyy}/a", "http://h/\x24{(b)yyyy}/a", ""],
  ["http://h/a?playseek=\x24{(b)yyyy}-\x24{(e)yyyy}$x", "http://h/a?playseek=\x24{(b)yyyy}-\x24{(e)yyyy}", "x"],
  ["http://h/a$", "http://h/a$", ""],
  ["http://h/a?", "http://h/a?", ""],
  ["$x", "", "x"],
])("%s", (text, url, label) => {
  expect(splitLabel(asByteString(text))).toEqual<unknown>({ url, label });
});

test.each<[name: string, bare: string]>([
  ["News/One$HD", "News/One"],
  ["News/One", "News/One"],
  ["a$b/c", "a$b/c"],
  ["a$1$2", "a$1"],
  ["a?$b", "a?"],
  ["a$", "a$"],
  ["a\x24{b}", "a\x24{b}"],
  ["a$b\x24{c", "a"],
])("a name: %s", (name, bare) => {
  expect(withoutLabel(asByteString(name))).toBe<unknown>(bare);
});

test("no text throws, and a URL and its label make up the text", () => {
  const text = fc
    .array(fc.constantFrom("$", "{", "?", "/", "&", "=", "a", "\xff"), { maxLength: 20 })
    .map((all) => all.join(""));
  fc.assert(
    fc.property(text, (all) => {
      const { url, label } = splitLabel(asByteString(all));
      expect(url.length + label.length).toBeLessThanOrEqual(all.length);
      if (!all.includes("?")) expect(label === "" ? url : `${url}$${label}`).toBe(all);
      expect(all.startsWith(withoutLabel(asByteString(all)))).toBe(true);
    }),
  );
});
