import { expect, test } from "bun:test";
import { type ManifestsOptions, manifestsRoute } from "../../src/routes/manifests.ts";
import { parsePathPrefix } from "../../src/wire/url/path-prefix.ts";
import { RoutedServer } from "./routed-server.ts";

const USUAL: ManifestsOptions = {
  statusPagePath: "/status",
  playerPagePath: "/player",
  appPathPrefix: undefined,
  r2hToken: undefined,
};

async function manifest(name: string, options: Partial<ManifestsOptions> = {}) {
  using server = new RoutedServer({
    appPathPrefix: options.appPathPrefix,
    routes: [manifestsRoute({ ...USUAL, ...options })],
  });
  const { status, headers, body } = await server.ask(`${options.appPathPrefix ?? ""}/${name}`);
  return { status, headers, length: body.length, json: status === 200 ? JSON.parse(body.toString()) : undefined };
}

test("the status manifest", async () => {
  const { status, headers, length, json } = await manifest("status.webmanifest");
  expect(status).toBe(200);
  expect(Object.fromEntries(headers)).toMatchObject({
    "content-type": "application/manifest+json; charset=utf-8",
    "content-length": `${length}`,
    "cache-control": "no-cache",
  });
  expect(json).toEqual({
    lang: "zh-Hans",
    dir: "ltr",
    display: "standalone",
    name: "rtp2httpd 面板",
    short_name: "R2H 面板",
    name_localized: { "zh-Hans": "rtp2httpd 面板", "zh-Hant": "rtp2httpd 面板", en: "rtp2httpd Status" },
    short_name_localized: { "zh-Hans": "R2H 面板", "zh-Hant": "R2H 面板", en: "R2H Status" },
    id: "/status",
    scope: "/status",
    start_url: "/status",
    theme_color: "#090b1a",
    background_color: "#090b1a",
    icons: [
      { src: "/assets/icon-192.png", sizes: "192x192", type: "image/png" },
      { src: "/assets/icon-512.png", sizes: "512x512", type: "image/png" },
    ],
  });
});

test("the player manifest, with prefix and token", async () => {
  const { json } = await manifest("player.webmanifest", { appPathPrefix: parsePathPrefix("/tv"), r2hToken: "a b&c" });
  expect(json).toMatchObject({
    name: "rtp2httpd 播放器",
    short_name: "R2H 播放器",
    name_localized: { en: "rtp2httpd Player" },
    short_name_localized: { "zh-Hant": "R2H 播放器", en: "R2H Player" },
    id: "/tv/player",
    scope: "/tv/player",
    start_url: "/tv/player?r2h-token=a%20b%26c",
    theme_color: "#050b18",
    icons: [{ src: "/tv/assets/icon-192.png" }, { src: "/tv/assets/icon-512.png" }],
  });
});

test("a page at the root", async () => {
  const { json } = await manifest("status.webmanifest", { appPathPrefix: parsePathPrefix("/tv"), statusPagePath: "/" });
  expect(json).toMatchObject({ id: "/tv/", scope: "/tv/", start_url: "/tv/" });
});

test("there are no others", async () => {
  expect((await manifest("index.webmanifest")).status).toBe(404);
});
