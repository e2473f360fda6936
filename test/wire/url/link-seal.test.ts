import { expect, test } from "bun:test";
import fc from "fast-check";
import { asByteString, utf8Encode } from "../../../src/wire/text/byte-string.ts";
import { LinkSeal } from "../../../src/wire/url/link-seal.ts";

const seal = new LinkSeal("key");
const check = (path: string, query: string, by = seal) => by.check(asByteString(path), asByteString(query));

test("a sealed link is known, whatever a player adds to its query or encodes in its path", () => {
  const path = fc.array(fc.constantFrom("/", "a", " ", "{x}", "%20", "|", "\xe4", ".ts"), { maxLength: 8 });
  fc.assert(
    fc.property(path, fc.option(fc.string({ maxLength: 5 }), { nil: undefined }), (parts, name) => {
      const channel = name === undefined ? undefined : utf8Encode(name);
      const target = `/http/h:80/x${parts.join("")}`;
      const query = seal.parameters(`${target}?a=1`, channel);
      const encoded = target.replace(/[ {}|\xe4]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
      for (const asked of [target, encoded]) expect(check(asked, `a=2&${query}&_HLS_msn=5`)).toEqual({ channel });
      expect(check(target, query, new LinkSeal("other"))).toBeUndefined();
      expect(check(`${target}x`, query)).toBeUndefined();
      expect(check(target.replace("/http/", "/https/"), query)).toBeUndefined();
      expect(check(target, `r2h-channel=Other&${query}`)).toBeUndefined();
    }),
  );
});

test("a path with a variable is sealed up to the server", () => {
  const query = seal.parameters("/http/h/a/{$quality}/x.m3u8", undefined);
  expect(check("/http/h/a/hd/x.m3u8", query)).toEqual({ channel: undefined });
  expect(check("/http/h2/a/hd/x.m3u8", query)).toBeUndefined();
  expect(check("/http/h/", seal.parameters("/http/h/", undefined))).toEqual({ channel: undefined });
  expect(check("/http/h/a", seal.parameters("/http/h/", undefined))).toBeUndefined();
});

test("no seal is no link", () => {
  expect([check("/http/h/a", ""), check("/http/h/a", "r2h-link=")]).toEqual([undefined, undefined]);
});
