import { expect, test } from "bun:test";
import { ownUrl } from "../../src/demo/own-url.ts";
import { parsePathPrefix } from "../../src/wire/url/path-prefix.ts";

const OPEN = { appPathPrefix: undefined, r2hToken: undefined };

test.each([
  ["0.0.0.0", "http://localhost:80/x"],
  ["::", "http://localhost:80/x"],
  ["::1", "http://[::1]:80/x"],
  ["192.0.2.1", "http://192.0.2.1:80/x"],
])("what listens on %s is opened as %s", (address, url) => {
  expect(ownUrl({ address, port: 80 }, OPEN, "/x")).toBe(url);
});

test("has the app prefix and the token, encoded", () => {
  const settings = { appPathPrefix: parsePathPrefix("/tv"), r2hToken: "ä &" };
  expect(ownUrl({ address: "127.0.0.1", port: 5140 }, settings, "/")).toBe(
    "http://127.0.0.1:5140/tv/?r2h-token=%C3%A4%20%26",
  );
  expect(ownUrl(undefined, settings, "/x?a=b")).toBe("/tv/x?a=b&r2h-token=%C3%A4%20%26");
});
