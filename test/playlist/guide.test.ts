import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { Guide } from "../../src/playlist/guide.ts";
import { collect } from "../../src/playlist/streams.ts";
import { endless, PlaylistServer, silence, trickle } from "../fakes/playlist-server.ts";
import { OPEN_REACH } from "../fakes/reach.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { until } from "../fakes/until.ts";
import { ManualClock } from "./manual-clock.ts";

const MAX_GUIDES = 16;

/** For what comes: a machine may be slow. */
const AMPLE = { maxBytes: 1_000_000, totalMs: 60_000, idleMs: 60_000 };
const LIMITS = { maxBytes: 1_000_000, totalMs: 1000, idleMs: 600 };
const LIMIT_MS = 2000;

const server = new PlaylistServer();
beforeEach(() => {
  server.requests.length = 0;
});
afterAll(() => server[Symbol.asyncDispose]());

function make(limits = AMPLE) {
  const clock = new ManualClock();
  const log = recordingLog();
  const parts = { reach: () => OPEN_REACH, userAgent: () => "test/1" };
  return { clock, log, guide: new Guide({ ...parts, log, limits, schedule: clock.schedule }) };
}

const doc = (name: string) => `<tv><channel>${name}</channel></tv>`;
const merged = (...names: string[]) =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<tv>\n${names.map((name) => `<channel>${name}</channel>`).join("")}\n</tv>\n`;

async function text(guide: Guide): Promise<string | undefined> {
  const open = guide.open("identity");
  return open && new TextDecoder("utf-8", { ignoreBOM: true }).decode(await collect(open.chunks));
}

describe("one guide", () => {
  test("is published as it came", async () => {
    const { guide, log } = make();
    expect([guide.kind, guide.open("identity")]).toEqual(["none", undefined]);
    const text1 = `\ufeff<?xml version="1.0"?>\n<!DOCTYPE tv SYSTEM "xmltv.dtd">\n<tv a='>'><odd/></tv>\n<!-- end -->\n`;
    const url = server.on("/a.xml", text1);
    const size = Buffer.byteLength(text1);
    guide.setUrls([url]);
    expect([guide.kind, guide.open("identity")]).toEqual(["plain", undefined]);
    await guide.refresh();
    expect([guide.kind, await text(guide), guide.open("gzip")]).toEqual(["plain", text1, undefined]);
    expect(log.lines).toEqual([`INFO EPG data cached: ${size} bytes, plain, ${url}`]);
    const { etag, bytes } = guide.open("identity")!;
    expect([etag, bytes]).toEqual([`"${new Bun.CryptoHasher("md5").update(text1).digest("hex")}"`, size]);
    guide.close();
    expect([guide.kind, guide.open("identity")]).toEqual(["none", undefined]);
  });

  test("is gzip when its bytes are", async () => {
    const { guide } = make();
    const packed = Bun.gzipSync(doc("1"));
    guide.setUrls([server.on("/a", packed)]);
    await guide.refresh();
    expect([guide.kind, await text(guide)]).toEqual(["gzip", doc("1")]);
    const open = guide.open("gzip")!;
    expect(open.bytes).toBe(packed.length);
    expect((await collect(open.chunks)).equals(Buffer.from(packed))).toBe(true);
    guide.close();
  });

  test.each<[what: string, answer: () => Response | Promise<Response>, reason: string]>([
    ["an error", () => new Response("", { status: 503 }), "HTTP status 503"],
    ["a page", () => new Response("\n<!DOCTYPE HTML><p>"), "An HTML page, not a guide"],
    ["nothing", () => new Response(""), "It is empty"],
    ["no end", endless, "More than 1000000 bytes"],
    ["no answer", silence, "Nothing came for 600 ms"],
    ["a byte now and then", () => trickle("<tv>".repeat(10), 100), "Not complete within 1000 ms"],
  ])("is kept when there is %s instead", async (_, answer, reason) => {
    const { guide, log, clock } = make(LIMITS);
    const url = server.on("/a", doc("1"));
    guide.setUrls([url]);
    await guide.refresh();
    server.on("/a", answer);
    await guide.refresh();
    expect([await text(guide), typeof guide.staleSince]).toEqual([doc("1"), "number"]);
    const since = new Date(guide.staleSince!).toISOString();
    expect(log.lines.at(-1)).toBe(
      `ERROR Async EPG fetch failed: ${url}, will retry in 2 seconds (retry 1/8): ${reason}; ` +
        `the last good copy stays in use, stale since ${since}`,
    );
    server.on("/a", doc("2"));
    clock.fire();
    await until(() => guide.staleSince === undefined, LIMIT_MS, "the retry");
    expect([await text(guide), clock.waiting]).toEqual([doc("2"), []]);
    guide.close();
  });

  test("is not sent again when the server knows that it is unchanged", async () => {
    const { guide, log } = make();
    const url = server.on("/tag", ({ headers }) =>
      headers.has("if-none-match")
        ? new Response(null, { status: 304 })
        : new Response(doc("1"), { headers: { ETag: '"1"' } }),
    );
    guide.setUrls([url]);
    await guide.refresh();
    await guide.refresh();
    expect([server.requests.length, log.lines.length, await text(guide)]).toEqual([2, 1, doc("1")]);
    guide.close();
  });

  test("that is read while a new one comes is read to its end", async () => {
    const { guide } = make();
    const first = doc("1".repeat(500_000));
    guide.setUrls([server.on("/a", first)]);
    await guide.refresh();
    const reader = guide.open("identity")!.chunks[Symbol.asyncIterator]();
    let read = (await reader.next()).value!.length;
    server.on("/a", doc("2"));
    await guide.refresh();
    for (let next = await reader.next(); !next.done; next = await reader.next()) read += next.value.length;
    expect([read, await text(guide)]).toEqual([first.length, doc("2")]);
    guide.close();
  });
});

describe("several guides", () => {
  const urls = () => [server.on("/a", doc("1")), server.on("/b", Bun.gzipSync(doc("2"))), server.on("/c", doc("3"))];

  test("become one, fetched one after the other", async () => {
    const { guide } = make();
    guide.setUrls(urls());
    await guide.refresh();
    expect([server.paths, guide.kind, await text(guide)]).toEqual([["/a", "/b", "/c"], "gzip", merged("1", "2", "3")]);
    const packed = await collect(guide.open("gzip")!.chunks);
    expect(Buffer.from(Bun.gunzipSync(new Uint8Array(packed))).toString()).toBe(merged("1", "2", "3"));
    guide.close();
  });

  test("stay plain when all are", async () => {
    const { guide } = make();
    guide.setUrls([server.on("/a", doc("1")), server.on("/c", doc("3"))]);
    await guide.refresh();
    expect([guide.kind, await text(guide)]).toEqual(["plain", merged("1", "3")]);
    guide.close();
  });

  test("keep the last good copy of each", async () => {
    const { guide, clock } = make();
    guide.setUrls(urls());
    await guide.refresh();
    const { etag } = guide.open("gzip")!;
    server.on("/a", () => new Response("", { status: 500 }));
    server.on("/c", doc("4"));
    await guide.refresh();
    expect(await text(guide)).toBe(merged("1", "2", "4"));
    expect(guide.open("gzip")!.etag).not.toBe(etag);
    server.on("/a", doc("5"));
    clock.fire();
    await until(async () => (await text(guide)) === merged("5", "2", "4"), LIMIT_MS, "the retry");
    expect(guide.staleSince).toBeUndefined();
    guide.close();
  });

  test("that are named no more are dropped", async () => {
    const { guide, clock } = make();
    const [a, b, c] = urls() as [string, string, string];
    guide.setUrls([a, b, c, a]);
    await guide.refresh();
    guide.setUrls([a, c]);
    await until(async () => (await text(guide)) === merged("1", "3"), LIMIT_MS, "the guide without it");
    guide.setUrls([c]);
    expect(await text(guide)).toBe(doc("3"));
    guide.setUrls([]);
    expect([guide.kind, clock.waiting]).toEqual(["none", []]);
    guide.close();
  });

  test("are limited in number", async () => {
    const { guide } = make();
    guide.setUrls(Array.from({ length: MAX_GUIDES + 1 }, (_, i) => server.on(`/${i}`, doc(`${i}`))));
    await guide.refresh();
    expect(server.requests).toHaveLength(MAX_GUIDES);
    guide.close();
  });
});

test("a refresh takes the place of one that runs; close ends both", async () => {
  const { guide, clock, log } = make();
  guide.setUrls([server.on("/a", silence), server.on("/b", doc("2"))]);
  const first = guide.refresh();
  await until(() => server.requests.length === 1, LIMIT_MS, "the request");
  server.on("/a", doc("1"));
  await Promise.all([first, guide.refresh()]);
  expect([server.paths, await text(guide)]).toEqual([["/a", "/a", "/b"], merged("1", "2")]);
  server.on("/a", silence);
  const last = guide.refresh();
  await until(() => server.requests.length === 4, LIMIT_MS, "the request");
  const lines = log.lines.length;
  guide.close();
  await last;
  expect([guide.kind, clock.waiting, log.lines.length, server.requests.length]).toEqual(["none", [], lines, 4]);
});
