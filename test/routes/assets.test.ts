import { expect, test } from "bun:test";
import { assetsRoute, faviconRoute } from "../../src/routes/assets.ts";
import type { Site } from "../../src/web/site.ts";
import { RoutedServer } from "./routed-server.ts";

const NAME = "status-a1b2c3d4.js";
const TAG = '"0123"';
const content = { identity: new Blob(["plain"]), gzip: new Blob(["zipped"]), br: new Blob(["brotli"]) };
const site: Site = {
  pages: { status: { html: "", scripts: [] }, player: { html: "", scripts: [] } },
  assets: new Map([
    [NAME, { type: "application/javascript; charset=utf-8", etag: undefined, content }],
    ["icon-192.png", { type: "image/png", etag: TAG, content: { identity: new Blob(["picture"]) } }],
  ]),
};

function serve(load = () => Promise.resolve(site)): RoutedServer {
  return new RoutedServer({ r2hToken: "secret", assets: assetsRoute(load), routes: [faviconRoute(load)] });
}

test("a hashed name is for ever, in the coding that the client likes", async () => {
  using server = serve();
  const codings = [
    ["gzip, deflate", "gzip", "zipped"],
    ["gzip, deflate, br", "br", "brotli"],
    ["gzip;q=0", null, "plain"],
    ["", null, "plain"],
  ] as const;
  for (const [accepted, coding, text] of codings) {
    const { status, headers, body } = await server.ask(
      `/assets/${NAME}`,
      accepted ? { "Accept-Encoding": accepted } : {},
    );
    expect([status, headers.get("content-encoding"), body.toString()]).toEqual([200, coding, text]);
    expect(Object.fromEntries(headers)).toMatchObject({
      "content-type": "application/javascript; charset=utf-8",
      "content-length": `${text.length}`,
      "cache-control": "public, max-age=31536000, immutable",
      vary: "Accept-Encoding",
      "x-content-type-options": "nosniff",
    });
    expect(headers.get("etag")).toBeNull();
  }
});

test("a fixed name has a tag, and needs to be sent only once", async () => {
  using server = serve();
  const first = await server.ask("/assets/icon-192.png", { "Accept-Encoding": "gzip" });
  expect([first.status, first.body.toString()]).toEqual([200, "picture"]);
  expect(Object.fromEntries(first.headers)).toMatchObject({
    "content-type": "image/png",
    "content-length": "7",
    "cache-control": "no-cache",
    etag: TAG,
  });
  expect(first.headers.get("content-encoding")).toBeNull();
  expect(first.headers.get("vary")).toBeNull();
  const again = await server.ask("/assets/icon-192.png", { "If-None-Match": `"other", W/${TAG}` });
  expect([again.status, again.body.length]).toEqual([304, 0]);
  expect(Object.fromEntries(again.headers)).toEqual({
    connection: "close",
    "content-length": "0",
    etag: TAG,
    "cache-control": "no-cache",
  });
  expect((await server.ask("/assets/icon-192.png", { "If-None-Match": '"other"' })).status).toBe(200);
});

test("HEAD has the headers of GET", async () => {
  using server = serve();
  const { status, headers, body } = await server.ask(`/assets/${NAME}`, { "Accept-Encoding": "gzip" }, "HEAD");
  expect([status, headers.get("content-length"), headers.get("content-encoding")]).toEqual([200, "6", "gzip"]);
  expect(body.length).toBe(0);
});

test("other names are not found, whoever asks", async () => {
  using server = serve();
  for (const name of ["", "nope.js", `${NAME}/`, `../assets/${NAME}`, "%69con-192.png", "constructor"]) {
    expect((await server.ask(`/assets/${name}`)).status).toBe(404);
  }
});

test("/favicon.ico is the icon, for those who know the token", async () => {
  using server = serve();
  const { status, headers, body } = await server.ask("/favicon.ico?r2h-token=secret");
  expect([status, headers.get("content-type"), body.toString()]).toEqual([200, "image/png", "picture"]);
  expect((await server.ask("/favicon.ico")).status).toBe(401);
});

test("a site that cannot be loaded is an error of ours", async () => {
  using server = serve(() => Promise.reject(new Error("no such bundle")));
  expect((await server.ask(`/assets/${NAME}`)).status).toBe(500);
  expect(server.log.join("\n")).toContain("no such bundle");
});
