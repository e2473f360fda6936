import { expect, test } from "bun:test";
import { isCompressible, mimeType } from "../../src/web/mime.ts";

test.each([
  ["main-abc123.js", "application/javascript; charset=utf-8", true],
  ["main.css", "text/css; charset=utf-8", true],
  ["index.html", "text/html; charset=utf-8", true],
  ["logo.svg", "image/svg+xml", true],
  ["icon-192.png", "image/png", false],
  ["favicon.ico", "image/x-icon", false],
  ["a.b.woff2", "font/woff2", false],
  ["decoder.wasm", "application/wasm", true],
  ["noextension", "application/octet-stream", false],
  ["what.ever", "application/octet-stream", false],
  ["x.constructor", "application/octet-stream", false],
])("%s is %s", (name, type, compressible) => {
  expect(mimeType(name)).toBe(type);
  expect(isCompressible(type)).toBe(compressible);
});
