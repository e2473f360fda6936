/** RTSP servers that were not written by us: GStreamer's and VLC's, each with a live picture as MPEG-TS. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freeTcpPort } from "../fakes/free-port.ts";
import { accepts } from "../fakes/http-client.ts";
import { until, within } from "../fakes/until.ts";

/** With its clip, VLC has taken 2 s on an idle machine, and 20 to 36 s beside sixteen busy processes. */
export const SERVER_START_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 20_000;
/** For a picture, beside the time that it takes to come. */
const PLAYER_TIMEOUT_MS = 60_000;
/** Whatever happens to the test, the server is gone after so long. */
const LIFE_MAX_MS = 600_000;
/** Debian's own Python: another one may come first in the path, without the bindings. */
const PYTHON = "/usr/bin/python3";
/** What VLC plays before the player comes, and what the player reads ahead: where the clip ends, VLC ends the session. */
const CLIP_MARGIN_S = 20;

/** Of all servers here. */
export const FRAMES_PER_SECOND = 25;

/** Two paths, `/tcp` and `/udp`, each with its transport alone. Says what clients do, a line each. */
const GSTREAMER = `
import gi
for name in ("Gst", "GstRtsp", "GstRtspServer"):
    gi.require_version(name, "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer
Gst.init(None)

def say(*words):
    print(*words, flush=True)

def connected(_, client):
    client.connect("play-request", lambda *_: say("play"))
    client.connect("get-parameter-request", lambda *_: say("get-parameter"))
    client.connect("teardown-request", lambda *_: say("teardown"))
    client.connect("closed", lambda *_: say("closed"))

server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service("0")
for path, protocol in (("/tcp", GstRtsp.RTSPLowerTrans.TCP), ("/udp", GstRtsp.RTSPLowerTrans.UDP)):
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch("( videotestsrc is-live=true ! video/x-raw,format=I420,width=320,height=240,framerate=${FRAMES_PER_SECOND}/1"
        " ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=12"
        " ! mpegtsmux alignment=7 ! rtpmp2tpay name=pay0 pt=33 )")
    factory.set_protocols(protocol)
    server.get_mount_points().add_factory(path, factory)
server.connect("client-connected", connected)
server.attach(None)
say("port", server.get_bound_port())
GLib.MainLoop().run()
`;

type Child = Bun.Subprocess<"ignore", "pipe", "pipe">;

export const hasGStreamer = Bun.spawnSync([
  PYTHON,
  "-c",
  'import gi; gi.require_version("GstRtspServer", "1.0"); from gi.repository import GstRtspServer as s; s.RTSPServer()',
]).success;

export class GStreamerServer {
  /** What clients did: `play`, `teardown` and the like. */
  readonly events: string[] = [];
  readonly #child: Child;

  static async start(): Promise<GStreamerServer> {
    const server = new GStreamerServer();
    await until(
      () => server.port > 0 || server.#child.exitCode !== null,
      SERVER_START_TIMEOUT_MS,
      "GStreamer to listen",
    );
    if (server.port === 0) throw new Error(`GStreamer: ${await server.#child.stderr.text()}`);
    return server;
  }

  private constructor() {
    this.#child = Bun.spawn([PYTHON, "-c", GSTREAMER], { stdio: ["ignore", "pipe", "pipe"], timeout: LIFE_MAX_MS });
    void this.#collect();
  }

  get port(): number {
    return Number(/^port (\d+)$/m.exec(this.events.join("\n"))?.[1] ?? 0);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return kill(this.#child);
  }

  async #collect(): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of this.#child.stdout) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop()!;
      this.events.push(...lines);
    }
  }
}

const VLC = Bun.which("cvlc");
export const hasVlc =
  VLC !== null && Bun.which("ffmpeg") !== null && (process.getuid?.() !== 0 || Bun.which("setpriv") !== null);

/** Plays a clip over and over to whoever asks for `/live`. */
export class VlcServer {
  readonly port: number;
  readonly #child: Child;
  readonly #directory: string;

  private constructor(port: number, child: Child, directory: string) {
    this.port = port;
    this.#child = child;
    this.#directory = directory;
  }

  /** @param seconds that it is going to be watched */
  static async start(seconds: number): Promise<VlcServer> {
    const directory = await mkdtemp(join(tmpdir(), "sluice-vlc-"));
    const clip = join(directory, "clip.ts");
    await makeClip(clip, seconds + CLIP_MARGIN_S);
    const port = await freeTcpPort();
    const options = [
      "-I",
      "dummy",
      "--no-plugins-cache",
      "--loop",
      clip,
      "--sout",
      `#rtp{sdp=rtsp://127.0.0.1:${port}/live,mux=ts}`,
    ];
    const child = Bun.spawn([...unprivileged(directory), VLC!, ...options], {
      cwd: directory,
      env: { ...process.env, HOME: directory },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: LIFE_MAX_MS,
    });
    const server = new VlcServer(port, child, directory);
    await until(async () => child.exitCode !== null || (await accepts(port)), SERVER_START_TIMEOUT_MS, "VLC to listen");
    if (child.exitCode === null) return server;
    const words = await child.stderr.text();
    await server[Symbol.asyncDispose]();
    throw new Error(`VLC: ${words}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await kill(this.#child);
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** VLC refuses to run as root. */
function unprivileged(directory: string): string[] {
  if (process.getuid?.() !== 0) return [];
  Bun.spawnSync(["chown", "-R", "nobody:nogroup", directory]);
  return ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"];
}

async function makeClip(path: string, seconds: number): Promise<void> {
  const source = `testsrc=size=320x240:rate=${FRAMES_PER_SECOND}:duration=${seconds}`;
  const encoder = [
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-pix_fmt",
    "yuv420p",
    "-tune",
    "zerolatency",
    "-g",
    "12",
    "-f",
    "mpegts",
    path,
  ];
  const child = Bun.spawn(["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", source, ...encoder]);
  if ((await child.exited) !== 0) throw new Error("ffmpeg cannot make a clip");
}

async function kill(child: Child): Promise<void> {
  child.kill("SIGKILL");
  await within(child.exited, STOP_TIMEOUT_MS, "the server to exit");
}

/**
 * Plays so many frames of a URL with ffmpeg; returns how many it decoded, and its errors about the stream. It counts frames
 * and not seconds, because a busy server sends them late, or jumps in its own time.
 */
export async function watch(url: string, frames: number): Promise<{ frames: number; errors: string[] }> {
  const command = ["ffmpeg", "-nostdin", "-nostats", "-v", "debug", "-i", url];
  command.push("-frames:v", String(frames), "-f", "null", "-");
  const timeout = (frames / FRAMES_PER_SECOND) * 1000 + PLAYER_TIMEOUT_MS;
  const child = Bun.spawn(command, { stdio: ["ignore", "ignore", "pipe"], timeout });
  const lines = (await child.stderr.text()).split("\n");
  await child.exited;
  return {
    frames: Number(/(\d+) frames decoded/.exec(lines.join("\n"))?.[1] ?? 0),
    errors: lines.filter((line) => /continuity|corrupt|error while decoding|concealing/i.test(line)),
  };
}
