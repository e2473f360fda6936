/**
 * Stands in for the program where the player page is tested: the page under its strict policy, a playlist, a guide, and
 * media that are made from the demonstration clips in real time.
 */
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MULTICAST_CHANNELS } from "../../src/demo/channels.ts";
import { PaceClock } from "../../src/demo/pace-clock.ts";
import { ClipLoop, type LoopClip, parseLoopClip } from "../../src/wire/mpegts/loop.ts";
import { TS_PACKET_BYTES } from "../../src/wire/mpegts/packet.ts";
import { freeTcpPort } from "./free-port.ts";

const CLIP_TICKS = 16 * 90_000;

const ROOT = join(import.meta.dir, "../..");
const TICK_MS = 20;
/** What a client gets at once, as after a join that begins with a picture. */
const HEAD_START_TICKS = 90_000;
const MADE_CLIP_TICKS = 4 * 90_000;
const HALF_HOUR_MS = 1_800_000;
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'sha256-CONFIG'",
  "style-src 'self'",
  "img-src 'self' data: http: https:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'self'",
].join("; ");
const CONFIG = 'window.__RTP2HTTPD_CONFIG__={"appPathPrefix":"","logLevel":1};';

/** One request, as the server saw it: path and query. */
export type SeenRequest = string;

/** @param usual makes the answer that would have been given */
export type Answer = (usual: () => Response | Promise<Response>) => Response | Promise<Response>;

export class PlayerServer {
  readonly origin: string;
  readonly requests: SeenRequest[] = [];
  readonly #answers = new Map<string, Answer>();
  readonly #streams = new Set<{ readonly path: string }>();
  readonly #server: Bun.Server<undefined>;
  readonly #directory: string;

  private constructor(
    port: number,
    directory: string,
    files: ReadonlyMap<string, Blob>,
    clips: ReadonlyMap<string, LoopClip>,
  ) {
    this.#directory = directory;
    this.#server = Bun.serve({
      port,
      hostname: "127.0.0.1",
      idleTimeout: 0,
      fetch: (request) => {
        const { pathname, search } = new URL(request.url);
        this.requests.push(pathname + search);
        const usual = () => {
          const clip = clips.get(pathname);
          if (clip) return new Response(this.#stream(pathname, clip), { headers: { "Content-Type": "video/mp2t" } });
          return answer(pathname, files);
        };
        return this.#answers.get(pathname)?.(usual) ?? usual();
      },
    });
    this.origin = `http://127.0.0.1:${port}`;
  }

  /** Builds the page and makes the clips that the repository does not hold; needs ffmpeg. */
  static async start(): Promise<PlayerServer> {
    const directory = await mkdtemp(join(tmpdir(), "sluice-player-"));
    const files = new Map<string, Blob>();
    await Promise.all([
      buildPage(files),
      ffmpeg(
        "testsrc2=s=320x180:r=25",
        "-c:v libx265 -x265-params log-level=error:keyint=25 -bf 0 -c:a aac",
        join(directory, "hevc.ts"),
      ),
      ffmpeg(
        "testsrc2=s=320x180:r=25",
        "-c:v libx264 -pix_fmt yuv420p -g 25 -bf 0 -c:a ac3",
        join(directory, "ac3.ts"),
      ),
      makeHls(directory, files),
    ]);
    files.set("/playlist.m3u", new Blob([playlist()], { type: "audio/x-mpegurl" }));
    files.set("/epg.xml", new Blob([guide(Date.now())], { type: "application/xml" }));
    const [one, two] = await Promise.all(MULTICAST_CHANNELS.map(({ clip }) => readClip(clip, CLIP_TICKS)));
    const clips = new Map([
      ["/one", one!],
      ["/one-sd", one!],
      ["/one/catchup", one!],
      ["/two", two!],
      ["/hevc", await readClip(join(directory, "hevc.ts"), MADE_CLIP_TICKS)],
      ["/ac3", await readClip(join(directory, "ac3.ts"), MADE_CLIP_TICKS)],
    ]);
    return new PlayerServer(await freeTcpPort(), directory, files, clips);
  }

  /** Answers `path` in another way, until that is disposed of. (A browser's own interception misses what comes soon after.) */
  answer(path: string, answer: Answer): Disposable {
    this.#answers.set(path, answer);
    return { [Symbol.dispose]: () => void this.#answers.delete(path) };
  }

  /** Paths of the media that are being sent. */
  get openStreams(): readonly string[] {
    return Array.from(this.#streams, ({ path }) => path);
  }

  #stream(path: string, clip: LoopClip): ReadableStream<Uint8Array> {
    const entry = { path };
    this.#streams.add(entry);
    return liveStream(clip, () => this.#streams.delete(entry));
  }

  async stop(): Promise<void> {
    await this.#server.stop(true);
    await rm(this.#directory, { recursive: true, force: true });
  }
}

async function answer(pathname: string, files: ReadonlyMap<string, Blob>): Promise<Response> {
  const file = files.get(pathname);
  if (!file) return new Response("no such thing", { status: 404 });
  const policy = POLICY.replace("CONFIG", new Bun.CryptoHasher("sha256").update(CONFIG).digest("base64"));
  return new Response(file, { headers: { "Content-Type": file.type, "Content-Security-Policy": policy } });
}

/** An endless stream in real time, as the program sends it. */
function liveStream(clip: LoopClip, onEnd: () => void): ReadableStream<Uint8Array> {
  const loop = new ClipLoop(clip);
  const clock = new PaceClock(performance.now());
  let timer: Timer | undefined;
  return new ReadableStream({
    start(controller) {
      const send = () => {
        const until = clock.advance(performance.now()) + HEAD_START_TICKS;
        const packets: Uint8Array[] = [];
        while (loop.nextDueTicks() <= until) {
          const packet = new Uint8Array(TS_PACKET_BYTES);
          loop.emitNext(packet, 0);
          packets.push(packet);
        }
        if (packets.length > 0) controller.enqueue(Buffer.concat(packets));
      };
      send();
      timer = setInterval(send, TICK_MS);
    },
    cancel() {
      clearInterval(timer);
      onEnd();
    },
  });
}

async function readClip(path: string, ticks: number): Promise<LoopClip> {
  const clip = parseLoopClip(await Bun.file(path).bytes(), ticks);
  if (!clip) throw new Error(`${path} cannot be looped`);
  return clip;
}

async function buildPage(files: Map<string, Blob>): Promise<void> {
  const { outputs } = await Bun.build({
    entrypoints: [join(ROOT, "src/web/player/main.tsx")],
    target: "browser",
    minify: true,
    splitting: true,
    naming: { entry: "main.[ext]", chunk: "[name]-[hash].[ext]" },
    tsconfig: join(ROOT, "src/web/tsconfig.json"),
  });
  for (const output of outputs) {
    files.set(
      `/assets/${output.path.replace(/^\.\//, "")}`,
      new Blob([await output.arrayBuffer()], { type: output.type }),
    );
  }
  const template = await Bun.file(join(ROOT, "src/web/player/index.html")).text();
  const page = template
    .replace("<head>", `<head><base href="/"><script>${CONFIG}</script>`)
    .replace(
      "</head>",
      '<link rel="stylesheet" href="./assets/main.css"><script type="module" src="./assets/main.js"></script></head>',
    );
  files.set("/player", new Blob([page], { type: "text/html; charset=utf-8" }));
  files.set("/assets/icon-192.png", new Blob([], { type: "image/png" }));
  // No picture, though the server has it: a missing file would be an error in the browser's console.
  files.set("/broken.png", new Blob(["broken"], { type: "image/png" }));
  files.set("/player.webmanifest", new Blob(["{}"], { type: "application/manifest+json" }));
}

/** Four seconds with a tone. */
async function ffmpeg(picture: string, codecs: string, file: string): Promise<void> {
  await run(
    ["ffmpeg", "-nostdin", "-y", "-v", "error", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=440:r=48000"],
    ["-t", "4", "-threads", "1", ...codecs.split(" "), "-f", "mpegts", "-pcr_period", "40", file],
  );
}

async function makeHls(directory: string, files: Map<string, Blob>): Promise<void> {
  const clip = MULTICAST_CHANNELS[2]!.clip;
  await run(
    ["ffmpeg", "-nostdin", "-y", "-v", "error", "-f", "mpegts", "-i", clip, "-c", "copy", "-f", "hls"],
    ["-hls_time", "4", "-hls_list_size", "0", join(directory, "hls.m3u8")],
  );
  for (const name of await readdir(directory)) {
    if (name.startsWith("hls"))
      files.set(`/${name}`, new Blob([await Bun.file(join(directory, name)).bytes()], { type: "video/mp2t" }));
  }
  // Only its type tells what it is: the URL of the channel does not.
  files.set(
    "/three",
    new Blob([await Bun.file(join(directory, "hls.m3u8")).text()], { type: "application/vnd.apple.mpegurl" }),
  );
}

async function run(command: string[], more: string[]): Promise<void> {
  const child = Bun.spawn([...command, ...more], { stdio: ["ignore", "ignore", "pipe"] });
  if ((await child.exited) !== 0) throw new Error(`ffmpeg: ${await new Response(child.stderr).text()}`);
}

function playlist(): string {
  const catchup =
    'catchup="default" catchup-source="http://elsewhere/one/catchup?playseek={utc:YmdHMS}-{utcend:YmdHMS}&ago={offset}"';
  const logo = (colour: string) =>
    `data:image/svg+xml;utf8,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 10'><circle cx='8' cy='5' r='4' fill='${colour}'/></svg>`;
  const entries = [
    [`tvg-id="one" tvg-logo="${logo("deepskyblue")}" group-title="News;Home" ${catchup}`, "Sluice One", "/one$HD"],
    [`tvg-id="one" group-title="News;Home"`, "Sluice One", "/one-sd$SD"],
    [`tvg-id="two" tvg-logo="/broken.png" group-title="Home"`, "Sluice Two", "http://elsewhere:8080/two"],
    [`tvg-logo="${logo("orange")}" group-title="Films"`, "Sluice Three", "/three"],
    ['group-title="Films"', "Ultra Cinema", "/hevc"],
    ['group-title="Films"', "Dolby Music", "/ac3"],
    ['group-title="Films"', "Closed Channel", "/closed"],
    ...Array.from({ length: 24 }, (_, i) => ['group-title="Regional"', `Regional ${i + 1}`, `/two?region=${i + 1}`]),
  ];
  const lines = entries.map(([attributes, name, url]) => `#EXTINF:-1 ${attributes},${name}\n${url}\n`);
  return `#EXTM3U x-tvg-url="http://elsewhere/epg.xml.gz"\n\n${lines.join("\n")}`;
}

const TITLES = ["Morning Light", "The Weather & You", "Harbour Stories", "World at One", "Garden Hour", "Night Trains"];

function guide(nowMs: number): string {
  const first = Math.floor(nowMs / HALF_HOUR_MS) * HALF_HOUR_MS - 48 * HALF_HOUR_MS;
  const time = (ms: number) => `${new Date(ms).toISOString().replaceAll(/[-:T]|\.\d+Z/g, "")} +0000`;
  const programmes = ["one", "two"].flatMap((id) =>
    Array.from({ length: 72 }, (_, i) => {
      const start = first + i * HALF_HOUR_MS;
      const title = TITLES[i % TITLES.length]!.replace("&", "&amp;");
      return `<programme start="${time(start)}" stop="${time(start + HALF_HOUR_MS)}" channel="${id}"><title>${title}</title></programme>`;
    }),
  );
  const channels = ["one", "two"].map(
    (id) => `<channel id="${id}"><display-name>Sluice ${id}</display-name></channel>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<tv>${channels.join("")}${programmes.join("\n")}</tv>`;
}
