/** What is made of the playlists: `/playlist.m3u`, the guide and the page at `/`, from one program of these routes. */

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { type PlaylistSettings, Playlists } from "../../src/playlist/playlists.ts";
import { AccessControl } from "../../src/routes/access-control.ts";
import { guideRoute } from "../../src/routes/guide.ts";
import { indexRoute } from "../../src/routes/index-page.ts";
import { ownLinks } from "../../src/routes/own-links.ts";
import { playlistRoute } from "../../src/routes/playlist.ts";
import { router } from "../../src/routes/router.ts";
import { asByteString } from "../../src/wire/text/byte-string.ts";
import { parsePathPrefix } from "../../src/wire/url/path-prefix.ts";
import { PlaylistServer } from "../fakes/playlist-server.ts";
import { OPEN_REACH } from "../fakes/reach.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { until } from "../fakes/until.ts";
import { TestServer } from "../http/serve.ts";
import { listChannels } from "../playlist/list-channels.ts";
import { SCHEMES } from "../playlist/schemes.ts";

const WAIT_MS = 4000;
const GUIDE = "<tv>新闻</tv>";
const OPTIONS = {
  ...{ statusPagePath: "/status", playerPagePath: "/player" },
  ...{
    hostname: undefined,
    allowedHosts: [],
    xff: true,
    r2hToken: "t&t",
    corsAllowOrigin: undefined,
    appPathPrefix: parsePathPrefix("/tv"),
  },
  useRelativePathInM3u: false,
};
const COOKIE = { Cookie: "r2h-token=t%26t" };

const origin = new PlaylistServer();
const log = recordingLog();
const links = ownLinks(OPTIONS, () => ({ host: "10.0.0.1", port: 5140 }));
const playlists = new Playlists({ reach: () => OPEN_REACH, log });
const server = serve(playlists);
afterAll(async () => {
  server[Symbol.dispose]();
  playlists.close();
  await origin[Symbol.asyncDispose]();
});

function serve(lists: Playlists): TestServer {
  const routes = [indexRoute(lists, OPTIONS), playlistRoute(lists, links), guideRoute(lists.guide)];
  return new TestServer(router({ accessControl: new AccessControl(OPTIONS, log), routes, log }));
}

function configure(inline: string): Promise<void> {
  const settings: PlaylistSettings = {
    ...{ inline, urls: [], intervalS: 0, token: "t&t", appPathPrefix: asByteString("/tv") },
    userAgent: "test/1",
    schemes: SCHEMES,
  };
  return playlists.configure(settings);
}

async function ask(path: string, headers: Readonly<Record<string, string>> = {}, method = "GET", of = server) {
  using client = await of.connect();
  client.request(method, `/tv${path}`, { ...COOKIE, ...headers });
  const head = await client.head(WAIT_MS);
  return { status: head.status, headers: head.headers, body: await client.readToEnd(WAIT_MS) };
}

test("without playlists there are none", async () => {
  const none = new Playlists({ reach: () => OPEN_REACH, log });
  using bare = serve(none);
  for (const path of ["/playlist.m3u", "/epg.xml", "/epg.xml.gz"]) {
    expect((await ask(path, {}, "GET", bare)).status).toBe(404);
  }
  expect((await ask("/", {}, "GET", bare)).body.toString()).toContain("The relay runs.");
  none.close();
});

describe("with a list and a guide", () => {
  beforeAll(async () => {
    const url = origin.on("/g", GUIDE);
    await configure(`#EXTM3U x-tvg-url="${url}"\n#EXTINF:-1,新闻 <1>\nrtp://239.0.0.1$HD\n#EXTINF:-1,/x\nhttp://h/\n`);
    await until(() => playlists.guide.open("identity") !== undefined, WAIT_MS, "the guide");
  });

  beforeEach(async () => {
    const { guide } = playlists;
    const isPlain = () => guide.kind === "plain" && guide.staleSince === undefined;
    if (isPlain()) return;
    origin.on("/g", GUIDE);
    playlists.refresh();
    await until(isPlain, WAIT_MS, "the plain guide");
  });

  test("the playlist leads back by the way the client came", async () => {
    const { headers, body } = await ask("/playlist.m3u/", {
      "X-Forwarded-Host": "a.example",
      "X-Forwarded-Proto": "https",
    });
    expect(body.toString()).toBe(
      '#EXTM3U x-tvg-url="https://a.example/tv/epg.xml?r2h-token=t%26t"\n\n' +
        "#EXTINF:-1,新闻 <1>\nhttps://a.example/tv/%E6%96%B0%E9%97%BB%20%3C1%3E/HD?r2h-token=t%26t$HD\n\n" +
        "#EXTINF:-1,/x\nhttps://a.example/tv/%2Fx?r2h-token=t%26t\n\n",
    );
    expect(headers.get("content-type")).toBe("audio/x-mpegurl");
    expect(headers.get("content-length")).toBe(String(body.length));
    expect(headers.get("cache-control")).toBe("no-cache");
    expect(headers.get("etag")).toMatch(/^"[0-9a-f]{32}"$/);
  });

  test.each(["/playlist.m3u", "/epg.xml"])("%s is not sent to a client that has it", async (path) => {
    const etag = (await ask(path)).headers.get("etag")!;
    const { status, headers, body } = await ask(path, { "If-None-Match": `"x", W/${etag}` });
    expect([status, headers.get("etag"), headers.get("content-type"), body.length]).toEqual([304, etag, null, 0]);
    expect((await ask(path, { Host: "other", "If-None-Match": etag })).status).toBe(path === "/epg.xml" ? 304 : 200);
    const head = await ask(path, {}, "HEAD");
    expect([head.status, head.headers.get("etag"), head.body.length]).toEqual([200, etag, 0]);
  });

  test("the page lists the channels by name", async () => {
    const page = (await ask("/")).body.toString();
    expect(page).toContain('<nav><a href="/tv/player">');
    expect(page).toContain('<a href="/tv/%E6%96%B0%E9%97%BB%20%3C1%3E/HD">新闻 &lt;1&gt;/HD</a>');
    expect(page).toContain('<a href="/tv/%2Fx">/x</a>');
  });

  test("a plain guide is sent as it is, and is no .gz", async () => {
    const { headers, body } = await ask("/epg.xml");
    expect([body.toString(), headers.get("content-type")]).toEqual([GUIDE, "application/xml"]);
    expect([headers.get("content-encoding"), headers.get("content-length")]).toEqual([null, String(body.length)]);
    expect((await ask("/epg.xml.gz")).status).toBe(404);
  });

  test("no browser runs a guide: others have written it", async () => {
    const { headers } = await ask("/epg.xml");
    expect([headers.get("content-security-policy"), headers.get("x-content-type-options")]).toEqual([
      "sandbox",
      "nosniff",
    ]);
  });

  test("a packed guide is sent packed to those who can undo it", async () => {
    const packed = Bun.gzipSync(GUIDE);
    origin.on("/g", packed);
    playlists.refresh();
    await until(() => playlists.guide.kind === "gzip", WAIT_MS, "the packed guide");
    expect((await ask("/playlist.m3u")).body.toString()).toContain("/tv/epg.xml.gz?r2h-token");
    const file = await ask("/epg.xml.gz", { "Accept-Encoding": "identity" });
    expect(file.body.equals(packed)).toBe(true);
    expect([file.headers.get("content-type"), file.headers.get("content-encoding")]).toEqual([
      "application/gzip",
      null,
    ]);
    const coded = await ask("/epg.xml");
    expect(coded.body.equals(packed)).toBe(true);
    expect([coded.headers.get("content-type"), coded.headers.get("content-encoding")]).toEqual([
      "application/xml",
      "gzip",
    ]);
    const plain = await ask("/epg.xml", { "Accept-Encoding": "identity" });
    expect([plain.body.toString(), plain.headers.get("content-encoding")]).toEqual([GUIDE, null]);
  });

  test("the guide stays when its server fails", async () => {
    origin.on("/g", () => new Response("", { status: 500 }));
    playlists.refresh();
    await until(() => playlists.guide.staleSince !== undefined, WAIT_MS, "the failure");
    expect((await ask("/epg.xml", { "Accept-Encoding": "" })).status).toBe(200);
  });
});

test.each([
  ["of many names", 1, 1005, 1000, "which has 5 more"],
  ["of long names", 30_000, 400, 251, "which has 149 more"],
])("the page of a list %s stays short", async (_, length, count, listed, more) => {
  const name = "C".repeat(length);
  const names = Array.from({ length: count }, (_, i) => `#EXTINF:-1,${name}${i}\nhttp://h/${i}\n`);
  const { channels } = listChannels([names.join("")], { appPathPrefix: asByteString(""), schemes: SCHEMES });
  using small = new TestServer(
    router({
      accessControl: new AccessControl({ ...OPTIONS, r2hToken: undefined }, log),
      routes: [indexRoute({ channels }, OPTIONS)],
      log,
    }),
  );
  using client = await small.connect();
  client.request("GET", "/tv");
  const page = (await client.response(WAIT_MS)).body.toString();
  expect(page.match(/<li>/g)).toHaveLength(listed);
  expect(page).toContain(more);
});
