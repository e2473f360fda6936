/** However a guide is packed or encoded, it is published in a way that every player knows (m3u.md section 9). */
import { afterAll, expect, test } from "bun:test";
import { brotliCompressSync, crc32, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { Guide } from "../../src/playlist/guide.ts";
import { collect } from "../../src/playlist/streams.ts";
import { PlaylistServer } from "../fakes/playlist-server.ts";
import { OPEN_REACH } from "../fakes/reach.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { until } from "../fakes/until.ts";
import { ManualClock } from "./manual-clock.ts";

const LIMITS = { maxBytes: 10_000_000, totalMs: 60_000, idleMs: 60_000 };
const END_MS = 4000;
const PROGRAMME = '<programme start="20990101000000 +0000" channel="a"><title>Tütü</title></programme>\n';
const GUIDE = `<?xml version="1.0" encoding="UTF-8"?>\n<tv>${PROGRAMME.repeat(3000)}</tv>\n`;

const server = new PlaylistServer();
afterAll(() => server[Symbol.asyncDispose]());

type Bytes = Uint8Array<ArrayBuffer>;

async function load(bytes: Uint8Array, headers: Record<string, string> = {}) {
  const log = recordingLog();
  const pids: number[] = [];
  const onProcess = (pid: number, isRunning: boolean) => {
    if (isRunning) pids.push(pid);
    else pids.splice(pids.indexOf(pid), 1);
  };
  const { schedule } = new ManualClock();
  const parts = { log, schedule, limits: LIMITS, reach: () => OPEN_REACH, userAgent: () => "test/1", onProcess };
  const guide = new Guide(parts);
  guide.setUrls([server.on("/guide", () => new Response(bytes as Bytes, { headers }))]);
  await guide.refresh();
  const open = guide.open("identity");
  const published = open && (await collect(open.chunks)).toString();
  const { kind } = guide;
  guide.close();
  await until(() => pids.length === 0, END_MS, "the end of the program");
  return { published, kind, last: log.lines.at(-1) ?? "" };
}

/** A ZIP file, with the sizes behind the data as a program writes it that does not know them before. */
function zip(files: Record<string, string | Uint8Array>, { method = 8, flags = 0, before = "" } = {}): Buffer {
  const parts: Buffer[] = [Buffer.from(before)];
  const directory: Buffer[] = [];
  let at = before.length;
  for (const [name, content] of Object.entries(files)) {
    const bytes = Buffer.from(content as string);
    const data = method === 8 ? deflateRawSync(bytes) : bytes;
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50, 0);
    local.writeUInt16LE(flags | 8, 6);
    local.writeUInt16LE(method, 8);
    local.writeUInt16LE(name.length, 26);
    local.writeUInt16LE(4, 28);
    const entry = Buffer.alloc(46);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(flags | 8, 8);
    entry.writeUInt16LE(method, 10);
    entry.writeUInt32LE(crc32(bytes), 16);
    entry.writeUInt32LE(data.length, 20);
    entry.writeUInt32LE(bytes.length, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt32LE(at, 42);
    directory.push(entry, Buffer.from(name));
    const whole = Buffer.concat([local, Buffer.from(name), Buffer.alloc(4), data, Buffer.alloc(16)]);
    parts.push(whole);
    at += whole.length;
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt32LE(Buffer.concat(directory).length, 12);
  end.writeUInt32LE(at, 16);
  end.writeUInt16LE(2, 20);
  return Buffer.concat([...parts, ...directory, end, Buffer.from("PK")]);
}

/** By the system's own program. */
function packedBy(program: string, content = GUIDE): Uint8Array {
  return Bun.spawnSync([program, "-c"], { stdin: Buffer.from(content) }).stdout;
}

const isMissing = (program: string) => !process.env["CI"] && Bun.which(program) === null;

const PACKED: [how: string, bytes: () => Uint8Array, headers?: Record<string, string>][] = [
  ["zip", () => zip({ "guide.xml": GUIDE })],
  ["zip, stored", () => zip({ "guide.xml": GUIDE }, { method: 0 })],
  ["zip with a folder and a note", () => zip({ "a/": "", "a/README.txt": GUIDE.repeat(2), "a/EPG.XML": GUIDE })],
  ["zip with one file of any name", () => zip({ guide: GUIDE })],
  ["zip with what Macs add", () => zip({ "g.xmltv": GUIDE, "__MACOSX/._g.xmltv": "xx" })],
  ["zlib", () => deflateSync(GUIDE)],
  ["zlib, fast", () => deflateSync(GUIDE, { level: 1 })],
  ["zlib, small", () => deflateSync(GUIDE, { level: 9 })],
  ["zstd", () => Bun.zstdCompressSync(GUIDE)],
  ["deflate as coding", () => deflateSync(GUIDE), { "Content-Encoding": "deflate" }],
  ["deflate as coding, raw", () => deflateRawSync(GUIDE), { "Content-Encoding": "deflate" }],
  ["br as coding", () => brotliCompressSync(GUIDE), { "Content-Encoding": "br" }],
  ["zstd as coding", () => Bun.zstdCompressSync(GUIDE), { "Content-Encoding": "zstd" }],
  ["gzip as coding that is none", () => Buffer.from(GUIDE), { "Content-Encoding": "gzip" }],
  ["coding none", () => Buffer.from(GUIDE), { "Content-Encoding": "none" }],
  ["zip as coding gzip", () => gzipSync(zip({ "g.xml": GUIDE })), { "Content-Encoding": "gzip" }],
];

// With all arguments: what is left out would be taken for a callback.
test.each(PACKED.map(([how, bytes, headers = {}]) => [how, bytes, headers] as const))(
  "%s is unpacked",
  async (_, bytes, headers) => {
    const { published, kind, last } = await load(bytes(), headers);
    expect(last).toStartWith("INFO EPG data cached");
    expect([published === GUIDE, kind]).toEqual([true, "plain"]);
  },
);

test.each(["xz", "lzma", "bzip2"])("%s is unpacked by a program of the system", async (program) => {
  if (isMissing(program)) return;
  const { published, kind, last } = await load(packedBy(program));
  expect(last).toStartWith("INFO EPG data cached");
  expect([published === GUIDE, kind]).toEqual([true, "plain"]);
  const cut = await load(packedBy(program).subarray(0, -20));
  expect(cut.published).toBeUndefined();
  expect(cut.last).toContain(`Broken ${program} data: `);
  const bomb = await load(packedBy(program, " ".repeat(LIMITS.maxBytes + 1)));
  expect(bomb.last).toEndWith(`More than ${LIMITS.maxBytes} bytes`);
});

test("without the program it is said what to install", async () => {
  const { PATH } = process.env;
  process.env["PATH"] = "/nonexistent";
  try {
    const { published, last } = await load(Buffer.from("fd377a585a000000", "hex"));
    expect(published).toBeUndefined();
    const what = "A xz file, and no program xz to unpack it: install the package xz-utils or xz, or name a gzip file";
    expect(last).toEndWith(what);
  } finally {
    process.env["PATH"] = PATH;
  }
});

test("gzip within zip stays gzip", async () => {
  const { published, kind } = await load(zip({ "guide.xml.gz": Bun.gzipSync(GUIDE) }));
  expect([published === GUIDE, kind]).toEqual([true, "gzip"]);
});

function broken(change: (bytes: Buffer) => void): Buffer {
  const bytes = zip({ "g.xml": GUIDE });
  change(bytes);
  return bytes;
}

test.each<[what: string, bytes: Buffer, reason: string]>([
  ["cut", zip({ "g.xml": GUIDE }).subarray(0, -200), "Broken zip data: it breaks off"],
  ["with a password", zip({ "g.xml": GUIDE }, { flags: 1 }), "A zip file with a password"],
  ["of another method", zip({ "g.xml": GUIDE }, { method: 14 }), "Broken zip data: its method 14 is not known"],
  ["empty", zip({}), "It is empty"],
  ["of empty files", zip({ "g.xml": "" }), "Broken zip data: no file in it"],
  ["changed", broken((bytes) => bytes.writeUInt8(bytes[60]! ^ 0x55, 60)), "Broken zip data: "],
  ["with a wrong sum", broken((bytes) => bytes.writeUInt8(0, bytes.length - 24 - 51 + 16)), "its check sum is wrong"],
  ["with a directory nowhere", broken((bytes) => bytes.writeUInt32LE(0xfffff, bytes.length - 8)), "it breaks off"],
])("a zip file %s is refused", async (what, bytes, reason) => {
  const { published, last } = await load(what === "empty" ? Buffer.alloc(0) : bytes);
  expect(published).toBeUndefined();
  expect(last).toContain(reason);
});

const declared = (encoding: string, body = "ÄÖ") =>
  `<?xml version="1.0" encoding="${encoding}"?>\n<tv><programme channel="a" start="2099"><title>${body}</title></programme></tv>`;

const bytesOf = (text: string, ...hex: [string, string][]) =>
  Buffer.from(
    hex.reduce((all, [sign, code]) => all.replaceAll(sign, Buffer.from(code, "hex").toString("latin1")), text),
    "latin1",
  );

const ENCODED: [what: string, bytes: Buffer, wanted?: string][] = [
  ["UTF-16LE with a mark", Buffer.from(`\ufeff${declared("UTF-16")}`, "utf16le")],
  ["UTF-16LE without one", Buffer.from(declared("utf-16"), "utf16le")],
  ["UTF-16BE with a mark", Buffer.from(`\ufeff${declared("UTF-16BE")}`, "utf16le").swap16()],
  ["UTF-16 that says nothing of it", Buffer.from(`\ufeff${declared("utf-8")}`, "utf16le")],
  ["UTF-8 that says UTF-16", Buffer.from(declared("utf-16"))],
  ["UTF-8 with a mark that says ISO-8859-1", Buffer.from(`\ufeff${declared("ISO-8859-1")}`)],
  ["ISO-8859-1", Buffer.from(declared("ISO-8859-1"), "latin1")],
  ["windows-1252 as CP1252", Buffer.from(declared("CP1252"), "latin1")],
  ["windows1252", Buffer.from(declared("windows1252"), "latin1")],
  ["in single quotes", Buffer.from(declared("latin1").replaceAll('"latin1"', "'latin1'"), "latin1")],
  ["windows-1251", bytesOf(declared("windows-1251"), ["ÄÖ", "cde5f2"]), "Нет"],
  ["KOI8-R", bytesOf(declared("KOI8-R"), ["ÄÖ", "eec5d4"]), "Нет"],
  ["GBK", bytesOf(declared("GBK"), ["ÄÖ", "b9e3b6ab"]), "广东"],
  ["GB2312", bytesOf(declared("gb2312"), ["ÄÖ", "b9e3b6ab"]), "广东"],
  ["Big5", bytesOf(declared("big5"), ["ÄÖ", "bc73aa46"]), "廣東"],
  ["ISO-8859-2", bytesOf(declared("iso-8859-2"), ["ÄÖ", "a3b1"]), "Łą"],
  ["blanks before the declaration", Buffer.from(`\r\n  ${declared("UTF-8")}`)],
];

test.each(ENCODED.map(([what, bytes, body = "ÄÖ"]) => [what, bytes, body] as const))(
  "%s becomes UTF-8 and says so",
  async (_, bytes, body) => {
    for (const pack of [false, true]) {
      const { published, kind, last } = await load(pack ? gzipSync(bytes) : bytes);
      expect(last).toStartWith("INFO EPG data cached");
      expect(published?.replaceAll("'", '"')).toBe(declared("UTF-8", body));
      expect(kind).toBe(pack ? "gzip" : "plain");
    }
  },
);

test.each(["cp437", "UTF-7", "x-user-thing"])("%s is refused by its name", async (encoding) => {
  const { published, last } = await load(Buffer.from(declared(encoding)));
  expect(published).toBeUndefined();
  expect(last).toEndWith(`Its encoding "${encoding}" is not known`);
});
