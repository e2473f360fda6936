/** HTTP servers as the field has them, watched through the relay with programs that we did not write: curl and ffmpeg. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HttpOrigin, type OriginConnection } from "../fakes/http-origin.ts";
import { forEachVariant, type Sluice } from "./harness.ts";

const WAIT_MS = 20_000;
const TEST_MS = 3 * WAIT_MS;
/** Longer than a connection may take to be made. */
const SLOW_ANSWER_MS = 3500;
const HAS_FFMPEG = Bun.which("ffprobe") !== null;
const IS_CI = process.env["CI"] === "true";
const OK = "HTTP/1.1 200 OK\r\n";
const clip = await readFile(join(import.meta.dir, "../../src/demo/clips/one.mpegts"));

async function run(...command: string[]): Promise<Buffer> {
  const child = Bun.spawn(command, { stdio: ["ignore", "pipe", "inherit"], timeout: WAIT_MS });
  return Buffer.from(await new Response(child.stdout).arrayBuffer());
}

const curl = (...args: string[]) => run("curl", "-sS", "--max-time", "20", ...args);

/** The kinds of streams that it finds. */
async function ffprobe(url: string): Promise<string[]> {
  const found = await run("ffprobe", "-v", "fatal", "-show_entries", "stream=codec_type", "-of", "csv=p=0", url);
  return [...new Set(found.toString().match(/[a-z]+/g))].sort();
}

function chunked(size: (length: number) => string, lineEnd: string, end: string): Buffer {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < clip.length; at += 10_000) {
    const data = clip.subarray(at, at + 10_000);
    parts.push(Buffer.from(size(data.length) + lineEnd), data, Buffer.from(lineEnd));
  }
  return Buffer.concat([...parts, Buffer.from(end)]);
}

const hex = (length: number) => length.toString(16);
const plain = chunked(hex, "\r\n", "0\r\n\r\n");
const CHUNKED = "Transfer-Encoding: chunked\r\n";

/** By the first part of a path: everything until the server closes. */
const STREAMS: Readonly<Record<string, Uint8Array[]>> = {
  shoutcast: [Buffer.from("ICY 200 OK\r\nicy-name: a\r\n\r\n"), clip],
  "http-2": [Buffer.from("HTTP/2 200\r\n\r\n"), clip],
  minus: [Buffer.from(`${OK}Content-Length: -1\r\n\r\n`), clip],
  units: [Buffer.from(`${OK}Content-Length: 17 bytes\r\n\r\n`), clip],
  senseless: [Buffer.from(`${OK}--ThisString\r\nX Iinfo 5-1: bad\r\nContent-Type: video/mp2t\r\n\r\n`), clip],
  padded: [Buffer.from(`${OK}${CHUNKED}\r\n`), chunked((length) => hex(length).padEnd(8), "\r\n", "0       \r\n\r\n")],
  "bare-lf": [Buffer.from(`HTTP/1.1 200 OK\n${CHUNKED.trim()}\n\n`), chunked(hex, "\n", "0\n\n")],
};

interface Asked {
  readonly path: string;
  readonly head: string;
}

type Answer = (asked: Asked, connection: OriginConnection) => void | Promise<void>;

class Server implements Disposable {
  readonly asked: Asked[] = [];
  readonly #origin: HttpOrigin;

  constructor(answer: Answer) {
    this.#origin = new HttpOrigin(async (connection) => {
      const head = await connection.head();
      const asked = { path: head.split(" ", 2)[1]!, head };
      this.asked.push(asked);
      await answer(asked, connection);
      connection.end();
    });
  }

  get authority(): string {
    return `127.0.0.1:${this.#origin.port}`;
  }

  get port(): number {
    return this.#origin.port;
  }

  [Symbol.dispose](): void {
    this.#origin[Symbol.dispose]();
  }
}

function sendWhole(connection: OriginConnection, body: string | Uint8Array, headers = "", status = "200 OK"): void {
  connection.send(`HTTP/1.1 ${status}\r\n${headers}Content-Length: ${body.length}\r\n\r\n`);
  connection.send(body);
}

const playlist = (...links: string[]) =>
  `#EXTM3U\n#EXT-X-TARGETDURATION:10\n${links.map((link) => `#EXTINF:10,\n${link}\n`).join("")}#EXT-X-ENDLIST\n`;

const BASIC = `Authorization: Basic ${Buffer.from("user:hush:pw").toString("base64")}\r\n`;

forEachVariant("servers of the field", (start) => {
  let sluice: Sluice;
  beforeAll(async () => {
    sluice = await start();
  });

  test(
    "send streams with heads and chunks that players read",
    async () => {
      using server = new Server(({ path }, connection) => {
        for (const piece of STREAMS[path.slice(1, path.indexOf(".", 1))]!) connection.send(piece);
      });
      for (const name of Object.keys(STREAMS)) {
        const got = await curl(`${sluice.url}/http/${server.authority}/${name}.ts`);
        expect([name, got.equals(clip)]).toEqual([name, true]);
      }
    },
    TEST_MS,
  );

  test.skipIf(!HAS_FFMPEG && !IS_CI)(
    "send streams that ffmpeg plays",
    async () => {
      using server = new Server(({ path }, connection) => {
        for (const piece of STREAMS[path.slice(1, path.indexOf(".", 1))]!) connection.send(piece);
      });
      for (const name of ["shoutcast", "minus", "bare-lf"]) {
        expect(await ffprobe(`${sluice.url}/http/${server.authority}/${name}.ts`)).toEqual(["audio", "video"]);
      }
    },
    TEST_MS,
  );

  test("send chunks, which a client of HTTP/1.0 cannot read", async () => {
    using server = new Server((_, connection) => {
      connection.send(`${OK}${CHUNKED}\r\n`);
      connection.send(plain);
    });
    const url = `${sluice.url}/http/${server.authority}/a.ts`;
    expect((await curl("-0", "--raw", url)).equals(clip)).toBe(true);
    const [head = ""] = (await curl("-0", "--raw", "-i", url)).toString("latin1").split("\r\n\r\n", 1);
    expect(head).not.toMatch(/^Transfer-Encoding:/im);
    expect((await curl("--raw", url)).equals(plain)).toBe(true);
  });

  test("refuse a range of a live stream", async () => {
    using server = new Server(({ head }, connection) => {
      if (/^Range:/m.test(head)) sendWhole(connection, "", "", "416 Range Not Satisfiable");
      else sendWhole(connection, "live");
    });
    const url = `${sluice.url}/http/${server.authority}/a.ts`;
    expect((await curl("-r", "0-", url)).toString()).toBe("live");
    expect((await curl("-r", "5-", "-w", "%{http_code}", url)).toString()).toBe("416");
    expect(server.asked).toHaveLength(3);
  });

  test(
    "answer late",
    async () => {
      using server = new Server(async (_, connection) => {
        await Bun.sleep(SLOW_ANSWER_MS);
        sendWhole(connection, "tuned");
      });
      expect((await curl(`${sluice.url}/http/${server.authority}/a.ts`)).toString()).toBe("tuned");
    },
    TEST_MS,
  );

  test("have names in other letters", async () => {
    using server = new Server(({ head }, connection) => sendWhole(connection, /^Host: (.*)\r$/m.exec(head)![1]!));
    const wide = encodeURIComponent("ｌｏｃａｌｈｏｓｔ");
    expect((await curl(`${sluice.url}/http/${wide}:${server.port}/`)).toString()).toBe(`localhost:${server.port}`);
  });

  test.each(["Path=/live/one/", "Path=/; Domain=tv.provider.example", "Path=/live; Secure; SameSite=None"])(
    "want a cookie with segments: %s",
    async (attributes) => {
      using server = new Server(({ path, head }, connection) => {
        if (path.endsWith(".m3u8")) sendWhole(connection, playlist("seg.ts"), `Set-Cookie: sid=abc; ${attributes}\r\n`);
        else if (/^Cookie: sid=abc\r$/m.test(head)) sendWhole(connection, "segment");
        else sendWhole(connection, "", "", "403 Forbidden");
      });
      const folder = mkdtempSync(join(tmpdir(), "sluice-jar-"));
      const jar = join(folder, "jar");
      const list = await curl("-c", jar, `${sluice.url}/http/${server.authority}/live/one/index.m3u8`);
      const link = /^http:.*$/m.exec(list.toString())![0];
      expect((await curl("-b", jar, link)).toString()).toBe("segment");
      rmSync(folder, { recursive: true });
    },
  );
});

forEachVariant("a channel that wants its cookie back", (start) => {
  test.skipIf(!HAS_FFMPEG && !IS_CI)(
    "is played by ffmpeg",
    async () => {
      using server = new Server(({ path, head }, connection) => {
        if (path.endsWith(".m3u8"))
          sendWhole(connection, playlist("seg.ts"), "Set-Cookie: sid=abc; Path=/live/one/\r\n");
        else if (/^Cookie: sid=abc\r$/m.test(head)) sendWhole(connection, clip);
        else sendWhole(connection, "", "", "403 Forbidden");
      });
      const folder = mkdtempSync(join(tmpdir(), "sluice-cookie-"));
      const list = join(folder, "list.m3u");
      await Bun.write(list, `#EXTM3U\n#EXTINF:-1,One\nhttp://${server.authority}/live/one/index.m3u8\n`);
      await using sluice = await start({ args: ["-M", `file://${list}`] });
      await sluice.waitForLog(/Parsed 1 M3U entr/, { ms: WAIT_MS });
      for (const path of ["/One.m3u8", "/One", `/http/127.0.0.1:${server.port}/live/one/index.m3u8`]) {
        expect([path, await ffprobe(sluice.url + path)]).toEqual([path, ["audio", "video"]]);
      }
      rmSync(folder, { recursive: true });
    },
    TEST_MS,
  );
});

/** A server that wants a login for all it has. */
const wantsLogin: Answer = ({ path, head }, connection) => {
  if (!head.includes(BASIC)) {
    sendWhole(connection, "", 'WWW-Authenticate: Basic realm="box"\r\n', "401 Unauthorized");
  } else if (path.startsWith("/list")) sendWhole(connection, playlist("seg.ts"), "Content-Type: text/plain\r\n");
  else sendWhole(connection, clip, "Content-Type: video/mp2t\r\n");
};

forEachVariant("servers with a login", (start) => {
  test(
    "are logged in to with what their URLs say, and nobody else hears of it",
    async () => {
      using server = new Server(wantsLogin);
      using other = new Server((_, connection) => sendWhole(connection, "other"));
      const folder = mkdtempSync(join(tmpdir(), "sluice-login-"));
      const lists = join(folder, "list.m3u");
      await Bun.write(lists, `#EXTM3U\n#EXTINF:-1,Box\nhttp://user:hush%3apw@${server.authority}/list.m3u8\n`);
      const accessLog = join(folder, "access.log");
      await using sluice = await start({ args: ["-M", `file://${lists}`, "--access-log", accessLog] });
      await sluice.waitForLog(/Parsed 1 M3U entr/, { ms: WAIT_MS });
      const direct = `${sluice.url}/http/user:hush%3apw@${server.authority}`;
      expect((await curl(`${direct}/a.ts`)).equals(clip)).toBe(true);
      // A player follows what it was given.
      const given = /^http:.*$/m.exec((await curl(`${direct}/list`)).toString())![0];
      expect((await curl(given)).equals(clip)).toBe(true);
      const published = (await curl(`${sluice.url}/playlist.m3u`)).toString();
      const channel = /^http:.*$/m.exec(published)![0];
      expect(channel).toBe(`${sluice.url}/Box.m3u8`);
      const list = (await curl(channel)).toString();
      const link = /^http:.*$/m.exec(list)![0];
      expect((await curl(link)).equals(clip)).toBe(true);
      if (HAS_FFMPEG || IS_CI) expect(await ffprobe(channel)).toEqual(["audio", "video"]);
      // The link alone is no key to other servers, nor without its seal to its own.
      expect((await curl(link.replace(/r2h-link=[^&]*/, "r2h-link=x"))).toString()).toBe("");
      const elsewhere = link.replace(server.authority, other.authority);
      expect((await curl(elsewhere)).toString()).toBe("other");
      expect(other.asked.some(({ head }) => /^Authorization:/m.test(head))).toBe(false);
      const status = await curl(`${sluice.url}/status/api/status`);
      const told = [published, list, status.toString(), await readFile(accessLog, "latin1"), ...sluice.log].join("\n");
      expect(told).toContain("Box");
      expect(told).not.toMatch(/hush/i);
      expect(told).not.toContain(BASIC.trim().split(" ")[2]!);
      rmSync(folder, { recursive: true });
    },
    TEST_MS,
  );

  test("may ask for a digest", async () => {
    using server = new Server(({ head }, connection) => {
      const isRight = /^Authorization: Digest username="user", realm="tv", nonce="n", uri="\/a\.ts\?b"/m.test(head);
      if (isRight) sendWhole(connection, "let in");
      else sendWhole(connection, "", 'WWW-Authenticate: Digest realm="tv", nonce="n"\r\n', "401 Unauthorized");
    });
    const sluice = await start();
    expect((await curl(`${sluice.url}/http/user:pw@${server.authority}/a.ts?b`)).toString()).toBe("let in");
    expect(server.asked).toHaveLength(2);
  });
});

forEachVariant("HLS by its first bytes", (start) => {
  let sluice: Sluice;
  let type = "";
  const server = new Server(async ({ path, head }, connection) => {
    const headers = type === "" ? "" : `Content-Type: ${type}\r\n`;
    if (path.endsWith(".ts")) sendWhole(connection, clip);
    else if (path.startsWith("/moved")) sendWhole(connection, "", "Location: /tv.php?id=2\r\n", "302 Found");
    else if (path.startsWith("/packed")) {
      sendWhole(connection, Bun.gzipSync(playlist("/abs/seg.ts")), `${headers}Content-Encoding: gzip\r\n`);
    } else if (path.startsWith("/stream")) sendWhole(connection, clip, headers);
    else {
      // Browsers' players read that, ffmpeg does not.
      const before = path.startsWith("/play/") ? "\ufeff\r\n" : "";
      const bytes = Buffer.from(before + playlist("/abs/seg.ts"));
      const part = /^Range: bytes=0-\r$/m.test(head)
        ? `Content-Range: bytes 0-${bytes.length - 1}/${bytes.length}\r\n`
        : "";
      sendWhole(connection, bytes, headers + part, part === "" ? "200 OK" : "206 Partial Content");
    }
  });
  beforeAll(async () => {
    sluice = await start();
  });
  afterAll(() => server[Symbol.dispose]());

  test.each(["text/plain; charset=utf-8", "text/html", "application/octet-stream", "video/mpegurl", ""])(
    "of type %j is rewritten, and said to be HLS",
    async (given) => {
      type = given;
      for (const path of ["/tv.php?id=1", "/a/index.m3u8&Playseek=1?b=2", "/play/891328", "/moved", "/packed"]) {
        const args = ["-L", "-w", "\n%{http_code} %{content_type}", `${sluice.url}/http/${server.authority}${path}`];
        for (const range of [[], ["-r", "0-"]]) {
          const answer = (await curl(...range, ...args)).toString();
          expect([path, answer]).toEqual([
            path,
            expect.stringContaining(`${sluice.url}/http/${server.authority}/abs/`),
          ]);
          expect(answer).toEndWith("\n200 application/vnd.apple.mpegurl");
        }
      }
    },
  );

  test("is told from media under the path of a playlist", async () => {
    type = "application/vnd.apple.mpegurl";
    expect((await curl(`${sluice.url}/http/${server.authority}/stream.m3u8`)).equals(clip)).toBe(true);
  });

  test.skipIf(!HAS_FFMPEG && !IS_CI)(
    "is played by ffmpeg",
    async () => {
      type = "text/html";
      for (const path of ["/tv.php?id=1", "/moved"]) {
        expect(await ffprobe(`${sluice.url}/http/${server.authority}${path}`)).toEqual(["audio", "video"]);
      }
    },
    TEST_MS,
  );
});
