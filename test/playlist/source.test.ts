import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { PlaylistSource } from "../../src/playlist/source.ts";
import { shown } from "../../src/system/shown.ts";
import { endless, PlaylistServer, trickle } from "../fakes/playlist-server.ts";
import { OPEN_REACH } from "../fakes/reach.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { until } from "../fakes/until.ts";
import { ManualClock } from "./manual-clock.ts";

const LIST = "#EXTM3U\n#EXTINF:-1,A\nhttp://h/1\n";
const LIMITS = { maxBytes: 100_000, totalMs: 1000, idleMs: 600 };
const LIMIT_MS = 2000;

const server = new PlaylistServer();
beforeEach(() => {
  server.requests.length = 0;
});
afterAll(() => server[Symbol.asyncDispose]());

function make(url: string) {
  const clock = new ManualClock();
  const log = recordingLog();
  const texts: string[] = [];
  const onLoaded = (list: Buffer) => {
    texts.push(list.toString("latin1"));
  };
  const source = new PlaylistSource({
    reach: () => OPEN_REACH,
    userAgent: () => "test/1",
    url,
    log,
    onLoaded,
    limits: LIMITS,
    schedule: clock.schedule,
  });
  return { source, clock, log, texts };
}

test("loads, and says so", async () => {
  const url = server.on("/a", LIST);
  const { source, log, texts, clock } = make(url);
  expect(await source.refresh()).toBe(true);
  expect(texts).toEqual([LIST]);
  expect(log.lines).toEqual([
    `INFO External M3U configured: ${url} (will load asynchronously)`,
    "INFO External M3U reloaded successfully (async)",
  ]);
  expect([source.staleSince, clock.waiting]).toEqual([undefined, []]);
});

test("unpacks a gzip file, and decodes what is no UTF-8", async () => {
  const bytes = Buffer.from("#EXTINF:-1,\xd6\xd0\xd1\xeb\nhttp://h", "latin1");
  const { source, texts } = make(server.on("/a.gz", Bun.gzipSync(bytes)));
  await source.refresh();
  expect(texts).toEqual([Buffer.from("#EXTINF:-1,中央\nhttp://h").toString("latin1")]);
});

test("uses as much of a list as it may, and says so", async () => {
  const lines = "#EXTINF:-1,A\nhttp://h/1\n".repeat(5000);
  const { source, texts, log } = make(server.on("/long", lines));
  expect(await source.refresh()).toBe(true);
  expect(texts).toEqual([lines.slice(0, LIMITS.maxBytes)]);
  expect(log.lines).toContainEqual(expect.stringMatching(/^ERROR .*\/long: only its first 100000 bytes are used$/));
});

test("tells only of what has changed", async () => {
  let list = LIST;
  const { source, texts } = make(server.on("/same", () => new Response(list)));
  await source.refresh();
  await source.refresh();
  expect(texts).toHaveLength(1);
  list += "#EXTINF:-1,B\nhttp://h/2\n";
  await source.refresh();
  expect(texts).toHaveLength(2);
});

test("asks for nothing that it has already, where the server knows", async () => {
  const url = server.on("/tag", ({ headers }) =>
    headers.has("if-none-match")
      ? new Response(null, { status: 304 })
      : new Response(LIST, { headers: { ETag: '"1"' } }),
  );
  const { source, texts } = make(url);
  expect([await source.refresh(), await source.refresh()]).toEqual([true, true]);
  expect([texts.length, server.requests.length]).toEqual([1, 2]);
});

test.each<[what: string, list: string, isOne: boolean]>([
  ["far behind", `${"# x\n".repeat(9000)}${LIST}`, true],
  ["behind blanks", "#EXTM3U\n \t#EXTINF:-1,A\nu", true],
  ["behind a byte order mark", "\xef\xbb\xbf#EXTINF:-1,A\nu", true],
  ["behind one that is in the middle of a line", "# #EXTINF\n#EXTINF:-1,A\nu", true],
  ["that is a bare URL", "#EXTM3U\nudp://@239.0.0.1:5000", true],
  ["of a text list", "G,#genre#\nA,http://h/1", true],
  ["in the middle of lines only", "x #EXTINF:-1,A\n<p>#EXTINF", false],
  ["in a page only", "<html>\nhttp://h/1", false],
  ["many times in one line", `x${"#EXTINF".repeat(14_000)}`, false],
])("an entry is found %s", async (_, list, isOne) => {
  const { source } = make(server.on("/a", Buffer.from(list, "latin1")));
  expect(await source.refresh()).toBe(isOne);
});

describe("keeps the old list when there is", () => {
  test.each<[what: string, answer: () => Response, reason: string]>([
    ["an error", () => new Response(LIST, { status: 500 }), "HTTP status 500"],
    ["a page", () => new Response("<!doctype html><title>Log in</title>"), "No channel in it: it is an HTML page"],
    ["nothing", () => new Response(""), "No channel in it: it is empty"],
    ["JSON", () => new Response('{"error":1}'), "No channel in it: it is JSON"],
    [
      "a channel",
      () => new Response("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\na.m3u8\n"),
      "No channel in it: it is an HLS playlist, which is one channel",
    ],
    ["no end", endless, "No channel in it"],
    [
      "a redirect to itself",
      () => new Response(null, { status: 302, headers: { Location: "/a" } }),
      "More than 50 redirects",
    ],
    ["a byte now and then", () => trickle(LIST, 100), "Not complete within 1000 ms"],
    ["a broken file", () => new Response(Bun.gzipSync(LIST).slice(0, 30)), "Broken gzip data: unexpected end of file"],
  ])("%s", async (_, answer, reason) => {
    const url = server.on("/a", LIST);
    const { source, log, texts, clock } = make(url);
    await source.refresh();
    server.on("/a", answer);
    const before = Date.now();
    expect(await source.refresh()).toBe(false);
    expect(texts).toEqual([LIST]);
    expect(source.staleSince).toBeWithin(before, Date.now() + 1);
    expect(log.lines.at(-1)).toBe(
      `ERROR Async external M3U fetch failed: ${url}, will retry in 2 seconds (retry 1/8): ${reason}; ` +
        `the last good copy stays in use, stale since ${new Date(source.staleSince!).toISOString()}`,
    );
    expect(clock.waiting).toEqual([2000]);

    server.on("/a", `${LIST}#again`);
    clock.fire();
    await until(() => texts.length === 2, LIMIT_MS, "the retry");
    await until(() => source.staleSince === undefined, LIMIT_MS, "the list to be fresh");
    expect(clock.waiting).toEqual([]);
  });
});

test("close leaves nothing, and nothing is heard of it", async () => {
  const { source, texts, clock, log } = make(server.on("/a", () => trickle(LIST, 20)));
  const loading = source.refresh();
  await until(() => server.requests.length === 1, LIMIT_MS, "the request");
  source.close();
  expect(await loading).toBe(false);
  expect([texts, clock.waiting, log.lines.length]).toEqual([[], [], 1]);
  await until(() => server.pending === 0, LIMIT_MS, "no connection to be left");
});

test.each([
  ["http://user:pw@h/a@b?c", "http://***@h/a@b?c"],
  ["http://h/a@b", "http://h/a@b"],
  ["file:///a@b", "file:///a@b"],
])("%s in the log", (url, masked) => {
  expect(shown(url)).toBe(masked);
});
