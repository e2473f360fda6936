/** A guide that is none, or a worse one, never takes the place of a good one (m3u.md section 9). */
import { afterAll, expect, test } from "bun:test";
import { deflateSync } from "node:zlib";
import { Guide } from "../../src/playlist/guide.ts";
import { checkGuide } from "../../src/playlist/guide-check.ts";
import { collect } from "../../src/playlist/streams.ts";
import { type Answer, PlaylistServer } from "../fakes/playlist-server.ts";
import { OPEN_REACH } from "../fakes/reach.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { ManualClock } from "./manual-clock.ts";

const LIMITS = { maxBytes: 1_000_000, totalMs: 60_000, idleMs: 60_000 };

const programme = (start: string) => `<programme channel="a" start="${start}"><title>x</title></programme>`;
const guideOf = (...starts: string[]) => `<tv><channel id="a"/>${starts.map(programme).join("")}</tv>`;
const GOOD = guideOf("20990101000000 +0000", "20990102000000 +0000");
/** Far more than a block of any codec. */
const LONG = guideOf(...Array.from({ length: 10_000 }, (_, i) => `2099010${i % 9}${(i * 7919) % 1_000_000}`));
const cut = (bytes: Uint8Array) => new Uint8Array(bytes.subarray(0, bytes.length / 2));

const server = new PlaylistServer();
const brief = Bun.listen({
  hostname: "127.0.0.1",
  port: 0,
  socket: {
    data(socket) {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n${GOOD}`);
      socket.shutdown();
    },
  },
});
afterAll(() => {
  brief.stop(true);
  return server[Symbol.asyncDispose]();
});

function make() {
  const log = recordingLog();
  const { schedule } = new ManualClock();
  return {
    log,
    guide: new Guide({ log, schedule, limits: LIMITS, reach: () => OPEN_REACH, userAgent: () => "test/1" }),
  };
}

async function text(guide: Guide): Promise<string> {
  const open = guide.open("identity");
  return open ? (await collect(open.chunks)).toString() : "";
}

const WORSE: [what: string, answer: Answer, reason: string][] = [
  ["a page, packed", () => new Response(Bun.gzipSync("<html><body>Sorry</body></html>")), "No XMLTV document"],
  ["text", () => new Response("Too many requests"), "No XMLTV document"],
  ["JSON", () => new Response('{"error":"none"}'), "No XMLTV document"],
  ["another XML", () => new Response('<?xml version="1.0"?><rss><tv></tv></rss>'), "No XMLTV document"],
  ["the beginning", () => new Response('<?xml version="1.0"?><tv><channel>1</channel><chan'), "it breaks off"],
  ["nearly all", () => new Response("<tv><channel>1</channel></t"), "it breaks off"],
  ["only the head", () => new Response('<?xml version="1.0"?>'), "No XMLTV document"],
  ["a part of a gzip file", () => new Response(cut(Bun.gzipSync(LONG))), "Broken gzip data: unexpected end of file"],
  ["a part of a zlib file", () => new Response(cut(deflateSync(LONG))), "Broken deflate data: unexpected end of file"],
  ["a part of a zstd file", () => new Response(cut(Bun.zstdCompressSync(LONG))), "it breaks off"],
  [
    "less than announced",
    () => Response.redirect(`http://127.0.0.1:${brief.port}/`),
    "connection reset, or closed too early, by the other side",
  ],
  ["a guide without programmes", () => new Response("<tv></tv>"), "No programme in it"],
  [
    "a guide of long ago",
    () => new Response(guideOf("20240101000000 +0000", "2024-01-03T00:00:00Z")),
    "Its last programme began on 20240103, ours 20990102",
  ],
  [
    "an encoding of their own",
    () => new Response('<?xml version="1.0" encoding="x"?><tv/>'),
    'Its encoding "x" is not known',
  ],
  ["a 7z file", () => new Response(Buffer.from("377abcaf271c0004", "hex")), "A 7z file, which cannot be unpacked"],
  ["a rar file", () => new Response(Buffer.from("526172211a0700", "hex")), "A rar file, which cannot be unpacked"],
  ["gzip in gzip", () => new Response(Bun.gzipSync(Bun.gzipSync(LONG))), "A gzip file within another packed one"],
  ["a bomb", () => new Response(Bun.gzipSync(Buffer.alloc(2_000_000, 0x20))), "More than 1000000 bytes"],
];

test.each(WORSE)("%s", async (_, answer, reason) => {
  const { guide, log } = make();
  guide.setUrls([server.on("/a", GOOD)]);
  await guide.refresh();
  server.on("/a", answer);
  await guide.refresh();
  expect(log.lines.at(-1)).toContain(`: ${reason}; the last good copy stays in use`);
  expect(await text(guide)).toBe(GOOD);
  // A good one is taken again.
  const next = GOOD.replaceAll("2099", "2100");
  server.on("/a", next);
  await guide.refresh();
  expect([await text(guide), guide.staleSince]).toEqual([next, undefined]);
  guide.close();
});

test("what is whole of one that breaks off is better than nothing, and no good copy", async () => {
  const { guide, log } = make();
  const wholePart = (starts: string[]) =>
    guideOf(...starts)
      .replace("</tv>", "")
      .replace("<tv>", "");
  const published = (part: string) => `<?xml version="1.0" encoding="UTF-8"?>\n<tv>\n${part}\n</tv>\n`;
  guide.setUrls([server.on("/b", `<tv>${wholePart(["20990101"])}<programme chan`)]);
  await guide.refresh();
  expect(await text(guide)).toBe(published(wholePart(["20990101"])));
  expect(log.lines.at(-1)).toEndWith(": it breaks off: its 1 whole programmes are used");
  server.on("/b", () => new Response(cut(Bun.gzipSync(LONG))));
  await guide.refresh();
  expect([guide.kind, (await text(guide)).endsWith("</programme>\n</tv>\n")]).toEqual(["gzip", true]);
  server.on("/b", GOOD);
  await guide.refresh();
  expect([await text(guide), guide.staleSince]).toEqual([GOOD, undefined]);
  guide.close();
});

test("what is broken behind its end is cut off", async () => {
  const document = async function* () {
    yield Buffer.from(LONG);
    throw new Error("incorrect header check");
  };
  expect(await checkGuide(document())).toMatchObject({ mend: "whole", breaksOff: undefined, programmes: 10_000 });
});

test("an old one is taken where there is nothing newer", async () => {
  const { guide } = make();
  for (const old of [guideOf("20200101"), guideOf("20200201"), guideOf()]) {
    guide.setUrls([server.on("/d", old)]);
    await guide.refresh();
    if (old !== guideOf()) expect(await text(guide)).toBe(old);
  }
  guide.close();
});
