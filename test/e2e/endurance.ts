/** Random clients, reloads and killed workers for a while, and what must be true of the program then: `bun run soak` and a test. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freeTcpPort } from "../fakes/free-port.ts";
import { HttpClient } from "../fakes/http-client.ts";
import { below, type Random } from "../fakes/mutation.ts";
import { seededRandom } from "../fakes/random.ts";
import { RtspServer } from "../fakes/rtsp-server.ts";
import { TsVerifier } from "../fakes/ts-verifier.ts";
import { until } from "../fakes/until.ts";
import { Channel } from "./channel.ts";
import { type Sluice, startSluice, type Variant } from "./harness.ts";

const CLIENTS = 16;
const CHANNELS = 4;
const CHANNEL_RATE = 4_000_000;
const BODY_MAX_BYTES = 4 * 1024 * 1024;
const LONGEST_VISIT_MS = 1500;
const RELOAD_INTERVAL_MS = 1500;
/** Longer than the supervisor lets a worker that dies too often wait. */
const KILL_INTERVAL_MS = 6000;
const SAMPLE_INTERVAL_MS = 500;
const WAIT_MS = 30_000;
/** What the collector, and the clients of the moment, make of memory and descriptors. */
const MEMORY_NOISE_BYTES = 30_000_000;
const FILES_NOISE = 60;

export interface EnduranceOptions {
  readonly variant: Variant;
  readonly seconds: number;
  readonly seed: number;
  /** Is told what happens, a line at a time. */
  readonly say?: (line: string) => void;
}

/** All that clients and samples have seen. */
interface Findings {
  visits: number;
  bodies: number;
  bytes: number;
  kills: number;
  reloads: number;
  readonly memory: number[];
  readonly files: number[];
  readonly faults: string[];
}

/** Returns what was wrong, nothing if all is well. */
export async function endure(options: EnduranceOptions): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), "sluice-soak-"));
  try {
    return await new Endurance(options, join(directory, "sluice.conf")).run();
  } finally {
    rmSync(directory, { recursive: true });
  }
}

class Endurance {
  readonly #options: EnduranceOptions;
  readonly #configFile: string;
  readonly #random: Random;
  readonly #found: Findings = {
    ...{ visits: 0, bodies: 0, bytes: 0, kills: 0, reloads: 0 },
    ...{ memory: [], files: [], faults: [] },
  };
  readonly #channels: Channel[] = [];
  #sluice!: Sluice;
  #rtsp!: RtspServer;
  #origin!: Bun.Server<undefined>;
  #end = 0;

  constructor(options: EnduranceOptions, configFile: string) {
    this.#options = options;
    this.#configFile = configFile;
    this.#random = seededRandom(options.seed);
  }

  async run(): Promise<string[]> {
    const { seconds, variant, say } = this.#options;
    using resources = new DisposableStack();
    for (let i = 0; i < CHANNELS; i++) this.#channels.push(resources.use(await Channel.sending({}, CHANNEL_RATE)));
    this.#rtsp = resources.use(await RtspServer.open());
    const origin = Bun.serve({ port: 0, hostname: "127.0.0.1", idleTimeout: 60, fetch: answer });
    resources.defer(() => void origin.stop(true));
    this.#origin = origin;
    const port = await freeTcpPort();
    this.#configure(port);
    this.#sluice = await startSluice({ variant, configFile: this.#configFile, port, workers: 2 });
    await using sluice = this.#sluice;
    const files = await sluice.fds();
    this.#end = performance.now() + seconds * 1000;
    const clients = Array.from({ length: CLIENTS }, () => this.#keepVisiting());
    const others = [
      this.#every(RELOAD_INTERVAL_MS, () => this.#reload(port)),
      this.#every(KILL_INTERVAL_MS, () => this.#kill()),
      this.#every(SAMPLE_INTERVAL_MS, () => this.#sample()),
    ];
    await Promise.all([...clients, ...others]);
    await this.#judge(files);
    const { visits, bodies, bytes, kills, reloads, faults } = this.#found;
    say?.(`${visits} visits, ${bodies} whole bodies, ${bytes} bytes, ${reloads} reloads, ${kills} killed workers`);
    return faults;
  }

  get #isOver(): boolean {
    return performance.now() >= this.#end;
  }

  #configure(port: number, maxClients = 100): void {
    const values = `verbosity = 3\nupstream-interface = lo\nworkers = 2\nmaxclients = ${maxClients}`;
    writeFileSync(this.#configFile, `[global]\n${values}\n[bind]\n127.0.0.1 ${port}\n`);
  }

  async #every(ms: number, act: () => void | Promise<void>): Promise<void> {
    for (let next = performance.now() + ms; next < this.#end; next += ms) {
      await Bun.sleep(Math.max(0, next - performance.now()));
      await act();
    }
  }

  #reload(port: number): void {
    this.#configure(port, 100 + (++this.#found.reloads % 2));
    process.kill(this.#sluice.pid, "SIGHUP");
  }

  /** Always the second: the first keeps what it has leaked for the whole time. */
  #kill(): void {
    const pid = this.#sluice.workers[1];
    if (pid === undefined) return;
    this.#found.kills++;
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      this.#found.faults.push(`worker 1 (pid ${pid}) had gone by itself`);
    }
  }

  async #sample(): Promise<void> {
    this.#found.memory.push(await this.#sluice.anonymous());
    this.#found.files.push(await this.#sluice.fds());
    const { visits, kills, faults } = this.#found;
    if (this.#found.memory.length % 120 === 0) {
      this.#options.say?.(
        `${visits} visits, ${kills} kills, ${faults.length} faults, ${this.#found.memory.at(-1)} bytes`,
      );
    }
  }

  async #keepVisiting(): Promise<void> {
    const visits = [this.#multicast, this.#download, this.#download, this.#relayedRtsp, this.#vanish];
    while (!this.#isOver) {
      const { kills } = this.#found;
      const visit = visits[below(visits.length, this.#random)]!;
      const error = await visit.call(this).catch((reason: unknown) => reason);
      this.#found.visits++;
      // Whose worker is killed may see anything.
      if (error !== undefined && kills === this.#found.kills) this.#found.faults.push(`${visit.name}: ${error}`);
    }
  }

  async #open(target: string): Promise<HttpClient> {
    const client = await HttpClient.connect(this.#sluice);
    client.request("GET", target);
    const { status } = await client.head(WAIT_MS);
    if (status === 200) return client;
    client.destroy();
    throw new Error(`${target} was answered ${status}`);
  }

  #multicast(): Promise<void> {
    const channel = this.#channels[below(CHANNELS, this.#random)]!;
    return this.#watch(channel.path, channel.streamId);
  }

  #relayedRtsp(): Promise<void> {
    return this.#watch(`/rtsp/127.0.0.1:${this.#rtsp.port}/ch`, 1);
  }

  /** One in four stops reading for a while. */
  async #watch(target: string, streamId: number): Promise<void> {
    using client = await this.#open(target);
    const verifier = new TsVerifier(streamId);
    client.stream((chunk) => {
      verifier.push(chunk);
      this.#found.bytes += chunk.length;
    });
    if (this.#random() < 0.25) {
      client.pause();
      await Bun.sleep(this.#random() * LONGEST_VISIT_MS);
      client.resume();
    }
    await Bun.sleep(this.#random() * LONGEST_VISIT_MS);
    await until(() => verifier.packets > 0 || client.state !== "open", WAIT_MS, "media");
    const { duplicate, corrupt, foreign, stray } = verifier;
    if (client.state !== "open") throw new Error("the stream ended");
    if (duplicate + corrupt + foreign + stray > 0) throw new Error(JSON.stringify(verifier.counts));
  }

  async #download(): Promise<void> {
    const length = below(BODY_MAX_BYTES, this.#random);
    using client = await this.#open(`/http/127.0.0.1:${this.#origin.port}/${length}`);
    const body = await client.readToEnd(WAIT_MS);
    this.#found.bytes += body.length;
    if (Bun.hash.crc32(body) !== Bun.hash.crc32(bodyOf(length))) throw new Error(`${body.length} of ${length} bytes`);
    this.#found.bodies++;
  }

  /** Goes within its request, or as soon as it is sent. */
  async #vanish(): Promise<void> {
    const client = await HttpClient.connect(this.#sluice);
    const target = this.#channels[below(CHANNELS, this.#random)]!.path;
    const request = `GET ${target} HTTP/1.1\r\nHost: soak\r\n\r\n`;
    client.send(request.slice(0, below(2 * request.length, this.#random)));
    if (this.#random() < 0.5) client.close();
    else client.destroy();
  }

  async #judge(files: number): Promise<void> {
    const { faults, memory, files: fileSamples, bodies, bytes } = this.#found;
    const check = (what: string, ms: number, holds: () => boolean | Promise<boolean>) =>
      until(holds, ms, what).catch((error: Error) => void faults.push(error.message));
    await check("two workers", WAIT_MS, async () => (await this.#sluice.pids()).length === 3);
    await check("no client in the status", WAIT_MS, async () => (await statusOf(this.#sluice)).totalClients === 0);
    // What a killed worker had sent is counted too. A count that lags is right in the end.
    await check("all bytes to be counted", WAIT_MS, async () => (await statusOf(this.#sluice)).totalBytesSent >= bytes);
    await check(`${files} descriptors`, WAIT_MS, async () => (await this.#sluice.fds()) <= files);
    for (const channel of this.#channels) await check(`leaving ${channel.group}`, WAIT_MS, () => channel.members === 0);
    const isClosed = () => this.#rtsp.connections.every(({ state }) => state !== "open");
    await check("RTSP connections to be closed", WAIT_MS, isClosed);
    if (growth(memory) > MEMORY_NOISE_BYTES) faults.push(`memory grew by ${growth(memory)} bytes`);
    if (growth(fileSamples) > FILES_NOISE) faults.push(`descriptors grew by ${growth(fileSamples)}`);
    if (bodies === 0) faults.push("no body was downloaded");
  }
}

/** How much higher the middle of the last quarter is than that of the second; the first is for warming up. */
function growth(samples: readonly number[]): number {
  const middle = (from: number, to: number) => {
    const part = samples
      .slice(Math.floor(samples.length * from), Math.floor(samples.length * to))
      .sort((a, b) => a - b);
    return part[part.length >> 1] ?? 0;
  };
  return middle(0.75, 1) - middle(0.25, 0.5);
}

/** The first event of the status stream. */
async function statusOf(sluice: Sluice): Promise<{ totalClients: number; totalBytesSent: number }> {
  const response = await fetch(`${sluice.url}/status/sse`);
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of response.body!) {
    text += decoder.decode(chunk, { stream: true });
    const [, event] = /^data: (.*)\n\n/m.exec(text) ?? [];
    if (event !== undefined) return JSON.parse(event);
  }
  throw new Error("the status stream ended before its first event");
}

const PATTERN = Uint8Array.from({ length: BODY_MAX_BYTES }, (_, i) => (i * 31) ^ (i >> 8));

function bodyOf(length: number): Uint8Array<ArrayBuffer> {
  return PATTERN.subarray(0, length);
}

/** `/12345` is that many bytes. */
function answer(request: Request): Response {
  return new Response(bodyOf(Number(new URL(request.url).pathname.slice(1))));
}
