import { expect, test } from "bun:test";
import { ownLinks } from "../../src/routes/own-links.ts";
import { baseUrl } from "../../src/wire/url/base-url.ts";
import { parsePathPrefix } from "../../src/wire/url/path-prefix.ts";
import { parsePublicHost } from "../../src/wire/url/public-host.ts";

const NOTHING = {
  hostname: undefined,
  xff: false,
  r2hToken: undefined,
  appPathPrefix: undefined,
  useRelativePathInM3u: false,
};
const HEADERS = [
  ["Host", "tv.lan:5140"],
  ["X-Forwarded-Host", "tv.example"],
  ["X-Forwarded-Proto", "https"],
] as const;
const local = () => ({ host: "192.0.2.1", port: 5140 });

test.each([
  [{}, "http://tv.lan:5140/"],
  [{ appPathPrefix: parsePathPrefix("/tv") }, "http://tv.lan:5140/tv/"],
  [{ appPathPrefix: parsePathPrefix("/é") }, "http://tv.lan:5140/\xc3\xa9/"],
  [{ xff: true }, "https://tv.example/"],
  [{ hostname: parsePublicHost("https://x") }, "https://tv.lan:5140/"],
  [{ useRelativePathInM3u: true, appPathPrefix: parsePathPrefix("/tv") }, "/tv/"],
])("%j: links begin with %s", (options, base) => {
  expect(baseUrl(HEADERS, ownLinks({ ...NOTHING, ...options }, local).rules)).toBe<unknown>(base);
});

test("the own address is asked for only when the client names no host, and each time", () => {
  let port = 1000;
  const { rules } = ownLinks(NOTHING, () => ({ host: "192.0.2.1", port: ++port }));
  baseUrl(HEADERS, rules);
  expect(baseUrl([], rules)).toBe<unknown>("http://192.0.2.1:1001/");
  expect(baseUrl([], rules)).toBe<unknown>("http://192.0.2.1:1002/");
});

test("a token is encoded, and an empty one is none", () => {
  expect(ownLinks({ ...NOTHING, r2hToken: "é/ $" }, local).encodedToken).toBe("%C3%A9/%20%24");
  expect(ownLinks(NOTHING, local).encodedToken).toBeUndefined();
  expect(ownLinks({ ...NOTHING, r2hToken: "" }, local).encodedToken).toBeUndefined();
});
