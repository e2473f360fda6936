/** Playlists through the HTTP proxy: all they name leads through it too, and a real player plays a real live stream. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HttpClient } from "../fakes/http-client.ts";
import { isNginxInstalled, Nginx } from "../fakes/nginx.ts";
import { until } from "../fakes/until.ts";
import { forEachVariant, type Sluice } from "./harness.ts";
import { soakMs } from "./soak.ts";

const WAIT_MS = 20_000;
const PLAY_MS = soakMs(5000);
const START_MS = 20_000;
/** For a player that starts, waits for segments, and ends. */
const TEST_MS = PLAY_MS + 20_000;
/** Whatever happens to the tests, the encoders are gone after so long. */
const ENCODER_LIFE_MS = 4 * PLAY_MS + 120_000;
const IS_POSSIBLE = isNginxInstalled && Bun.which("ffmpeg") !== null;

const ENCODE =
  "ffmpeg -nostdin -v error -re -f lavfi -i testsrc2=size=160x120:rate=10 -f lavfi -i sine=frequency=440 " +
  "-c:v libx264 -preset ultrafast -g 10 -c:a aac -b:a 32k -f hls -hls_time 1 -hls_list_size 6";
const ENCRYPTED = `${ENCODE} -hls_flags delete_segments -hls_key_info_file key.info -hls_base_url /live/ live/encrypted.m3u8`;
const FRAGMENTED =
  `${ENCODE} -map 0:v -map 1:a -hls_flags delete_segments -hls_segment_type fmp4 -master_pl_name master.m3u8 ` +
  "-var_stream_map v:0,agroup:sound#a:0,agroup:sound,default:yes,language:en live/part_%v.m3u8";

/** What may stand in a playlist, after the name of the origin, and what becomes of it. */
function variety(origin: string): { written: string; rewritten: string } {
  const here = `http://test/http/${origin}`;
  const lines: [written: string, rewritten: string][] = [
    ["#EXTM3U", "#EXTM3U"],
    [
      '#EXT-X-KEY:METHOD=AES-128,URI="a key.bin?x=1",IV=0x00',
      `#EXT-X-KEY:METHOD=AES-128,URI="${here}/lists/a key.bin?x=1",IV=0x00`,
    ],
    ['#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,URI="skd://id"', '#EXT-X-SESSION-KEY:METHOD=SAMPLE-AES,URI="skd://id"'],
    ["#EXTINF:2,http://not.a.link/", "#EXTINF:2,http://not.a.link/"],
    ["relative.ts", `${here}/lists/relative.ts`],
    ["/absolute.ts?a=b&c", `${here}/absolute.ts?a=b&c`],
    ["?q=2", `${here}/lists/NAME?q=2`],
    ["../up/./down.ts", `${here}/up/down.ts`],
    ["//other.example/p.ts", "http://test/http/other.example/p.ts"],
    ["HTTP://Other.example:8080/a.ts", "http://test/http/Other.example:8080/a.ts"],
    ["https://secure.example/s.ts", "https://secure.example/s.ts"],
    ["rtsp://other.example/x", "rtsp://other.example/x"],
    ["", ""],
    ["ümlaut.ts", `${here}/lists/ümlaut.ts`],
    ["last.ts", `${here}/lists/last.ts`],
  ];
  const join = (at: 0 | 1) => `\ufeff${lines.map((line) => line[at]).join("\r\n")}`;
  return { written: join(0), rewritten: join(1) };
}

async function answerTo(sluice: Sluice, target: string, headers: Record<string, string> = {}, method = "GET") {
  using client = await HttpClient.connect(sluice);
  client.request(method, target, headers);
  const head = await client.head(WAIT_MS);
  return { head, body: await client.readToEnd(WAIT_MS) };
}

/** Every URL of a playlist: lines that are no tags or comments, and URI attributes. */
function linksOf(playlist: string): string[] {
  const lines = playlist.split(/\r?\n/).filter((line) => line !== "" && !line.startsWith("#"));
  return [...lines, ...[...playlist.matchAll(/URI="([^"]*)"/g)].map((match) => match[1]!)];
}

/** Plays for a while as `ffmpeg -f null` does; returns its errors and how much it has played, in ms. */
async function play(url: string): Promise<{ errors: string; playedMs: number }> {
  const seconds = `${PLAY_MS / 1000}`;
  const player = Bun.spawn(
    ["ffmpeg", "-nostdin", "-v", "error", "-progress", "pipe:1", "-i", url, "-t", seconds, "-f", "null", "-"],
    { stdio: ["ignore", "pipe", "pipe"], timeout: TEST_MS },
  );
  const [progress, errors] = await Promise.all([player.stdout.text(), player.stderr.text()]);
  const [, microseconds] = [...progress.matchAll(/out_time_us=(\d+)/g)].at(-1) ?? [];
  return { errors, playedMs: Number(microseconds ?? 0) / 1000 };
}

if (IS_POSSIBLE) {
  let root: string;
  let nginx: Nginx;
  const encoders: Bun.Subprocess[] = [];

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "sluice-playlists-"));
    for (const name of ["live", "lists", "gzip"]) await mkdir(join(root, name));
    await writeFile(join(root, "live/secret.key"), "0123456789abcdef");
    await writeFile(join(root, "key.info"), "secret.key?id=1\nlive/secret.key\n");
    for (const command of [ENCRYPTED, FRAGMENTED]) {
      const words = command.split(" ").map((word) => word.replace("#", " "));
      encoders.push(Bun.spawn(words, { cwd: root, stdio: ["ignore", "ignore", "inherit"], timeout: ENCODER_LIFE_MS }));
    }
    nginx = await Nginx.serve(root);
    const { written } = variety(`127.0.0.1:${nginx.port}`);
    await writeFile(join(root, "lists/all.m3u8"), written);
    await writeFile(join(root, "gzip/all.m3u8.gz"), Bun.gzipSync(written));
    await writeFile(join(root, "lists/long.m3u8"), "segment.ts\n".repeat(100_000));
    for (const name of ["encrypted", "part_0", "part_1"]) {
      const text = () =>
        Bun.file(join(root, `live/${name}.m3u8`))
          .text()
          .catch(() => "");
      await until(async () => linksOf(await text()).length > 3, START_MS, `three segments of ${name}`);
    }
  }, START_MS * 2);

  afterAll(async () => {
    for (const encoder of encoders) encoder.kill("SIGKILL");
    await Promise.all(encoders.map(({ exited }) => exited));
    await nginx.stop();
    await rm(root, { recursive: true, force: true });
  });

  forEachVariant("proxied playlists", (start) => {
    let sluice: Sluice;
    let path: string;
    beforeAll(async () => {
      sluice = await start({ args: ["-m", "64"] });
      path = `/http/127.0.0.1:${nginx.port}`;
    });

    test.concurrent.each(["encrypted.m3u8", "master.m3u8"])(
      "%s is played without an error",
      async (name) => {
        const { errors, playedMs } = await play(`${sluice.url}${path}/live/${name}`);
        expect(errors).toBe("");
        expect(playedMs).toBeGreaterThan(PLAY_MS - 200);
      },
      TEST_MS,
    );

    test("of live streams lead through the relay", async () => {
      const named = {
        encrypted: "#EXT-X-KEY:METHOD=AES-128,URI=",
        master: "#EXT-X-MEDIA:TYPE=AUDIO,",
        part_0: "#EXT-X-MAP:URI=",
        part_1: "#EXT-X-MAP:URI=",
      };
      for (const [name, tag] of Object.entries(named)) {
        const { head, body } = await answerTo(sluice, `${path}/live/${name}.m3u8`);
        expect(head.status).toBe(200);
        expect(head.headers.get("content-length")).toBe(`${body.length}`);
        expect(body.toString()).toContain(tag);
        const links = linksOf(body.toString());
        expect(links.length).toBeGreaterThan(1);
        for (const link of links) {
          expect(link).toStartWith(`http://test${path}/live/`);
          // Segments come and go; keys, init segments and other playlists stay.
          if (!/\.(ts|m4s)$/.test(link)) {
            expect((await answerTo(sluice, link.slice("http://test".length))).head.status).toBe(200);
          }
        }
      }
    });

    test.each(["lists", "gzip"])("keep every byte that is no link (%s)", async (directory) => {
      const { rewritten } = variety(`127.0.0.1:${nginx.port}`);
      const { head, body } = await answerTo(sluice, `${path}/${directory}/all.m3u8`, {
        Range: "bytes=0-3",
        "Accept-Encoding": "gzip",
      });
      expect(head.status).toBe(200);
      expect(body.toString()).toBe(rewritten.replaceAll("/lists/", `/${directory}/`).replace("NAME", "all.m3u8"));
      expect(head.headers.get("content-length")).toBe(`${body.length}`);
      expect(head.headers.get("content-type")).toBe("application/vnd.apple.mpegurl");
      for (const name of ["content-encoding", "transfer-encoding", "accept-ranges", "content-range"]) {
        expect([name, head.headers.get(name)]).toEqual([name, null]);
      }
      expect(head.headers.get("etag")).toMatch(/^W\/"/);
      expect(head.headers.get("connection")).toBe("close");
    });

    test("name the host that the client has asked", async () => {
      const { body } = await answerTo(sluice, `${path}/lists/all.m3u8`, { Host: "tv.example:8080" });
      expect(body.toString()).toContain(`http://tv.example:8080${path}/lists/relative.ts\r\n`);
    });

    test("arrive whole at a client that stalls", async () => {
      using client = await HttpClient.connect(sluice);
      client.request("GET", `${path}/lists/long.m3u8`);
      const { headers } = await client.head(WAIT_MS);
      client.pause();
      await Bun.sleep(500);
      client.resume();
      const body = await client.readToEnd(WAIT_MS);
      expect(body.length).toBe(Number(headers.get("content-length")));
      expect(body.toString()).toBe(`http://test${path}/lists/segment.ts\n`.repeat(100_000));
    });

    test("are left alone for HEAD", async () => {
      const { head, body } = await answerTo(sluice, `${path}/lists/long.m3u8`, {}, "HEAD");
      expect([head.status, head.headers.get("content-length"), body.length]).toEqual([200, "1100000", 0]);
    });

    test("are not all that a server has: a part of a file", async () => {
      const { head, body } = await answerTo(sluice, `${path}/live/secret.key`, { Range: "bytes=2-5" });
      expect([head.status, head.headers.get("content-range"), body.toString()]).toEqual([206, "bytes 2-5/16", "2345"]);
    });
  });
} else {
  describe("proxied playlists", () => test.skip("nginx or ffmpeg is not installed", () => {}));
}
