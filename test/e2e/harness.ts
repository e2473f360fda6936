/** Starts the real program for end-to-end tests, from its sources or as the executable, and sees that nothing is left. */

import { afterAll, beforeAll, describe } from "bun:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freeTcpPort } from "../fakes/free-port.ts";
import { until, within } from "../fakes/until.ts";
import { builtBinary } from "./binary.ts";
import { anonymousBytes, groupMembers, openFiles, residentBytes, signalGroup } from "./processes.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
const READY = /Server initialization complete/;
/** A start takes half a second, an end less; but the machine may be busy, and what hangs hangs longer than this. */
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 10_000;
/** How long processes of the group may outlive the first one. */
const LEFTOVER_TIMEOUT_MS = 5000;
const LOG_TIMEOUT_MS = 20_000;
const BUILD_TIMEOUT_MS = 120_000;
const LOG_TAIL_LINES = 30;

export type Variant = "source" | "binary";

export interface SluiceOptions {
  /** Default: none is named, which serves. */
  readonly command?: "serve" | "demo";
  /** Arguments after `-C -v 4 -l ADDRESS`. */
  readonly args?: readonly string[];
  /** Where to listen instead of `127.0.0.1:PORT` with a free port; `url` and `port` are then of no use. */
  readonly listen?: string;
  /** A config file that says what `-C -v 4 -l ADDRESS` says otherwise. It is to log INFO, and to listen on `port`. */
  readonly configFile?: string;
  /** Default: a free one. */
  readonly port?: number;
  readonly variant?: Variant;
  /** Number of workers (`-w`), each of which must be ready. Default the program's own: one. */
  readonly workers?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** A command that is to run the program, with its first arguments. */
  readonly runner?: readonly string[];
  /** Working directory. Default the system's directory for temporary files. */
  readonly cwd?: string;
  /** Files and sockets that each of its processes may have open. Default: what we may. */
  readonly maxFiles?: number;
  /** The program's main file, for tests of this harness. */
  readonly entry?: string;
}

const running = new Set<Sluice>();
process.on("exit", () => {
  for (const sluice of running) signalGroup(sluice.pid, "SIGKILL");
});

/** One running program. Get one from `startSluice`. */
export class Sluice {
  readonly port: number;
  readonly url: string;
  /** The supervisor, which also leads the process group of its workers. */
  readonly pid: number;
  /** Lines of stdout and stderr so far. */
  readonly log: string[] = [];

  readonly #child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  readonly #output: Promise<unknown>;
  #state: "running" | "stopping" | "exited" | "crashed" = "running";

  constructor(command: string[], port: number, options: SluiceOptions) {
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    const { NODE_ENV: _, ...env } = process.env;
    this.#child = Bun.spawn(command, {
      cwd: options.cwd ?? tmpdir(),
      env: { ...env, NO_COLOR: "1", ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
      onExit: () => {
        this.#state = this.#state === "running" ? "crashed" : "exited";
      },
    });
    this.pid = this.#child.pid;
    this.#output = Promise.all([this.#collect(this.#child.stdout), this.#collect(this.#child.stderr)]);
    running.add(this);
  }

  /**
   * Waits for a log line that matches, `count` times, among those from index `since` on; returns the last match.
   * Rejects with the end of the log after `ms` milliseconds, or as soon as the program has exited.
   */
  async waitForLog(
    pattern: RegExp,
    { since = 0, count = 1, ms = LOG_TIMEOUT_MS }: { since?: number; count?: number; ms?: number } = {},
  ): Promise<RegExpExecArray> {
    const matches: RegExpExecArray[] = [];
    let next = since;
    const scan = () => {
      for (; next < this.log.length && matches.length < count; next++) {
        const match = pattern.exec(this.log[next]!);
        if (match !== null) matches.push(match);
      }
      return matches.length === count;
    };
    const hasExited = () => this.#state === "crashed" || this.#state === "exited";
    try {
      await until(() => scan() || hasExited(), ms, `the log line ${pattern}`);
    } catch (error) {
      throw this.#failure(`${error instanceof Error ? error.message : error}`);
    }
    if (hasExited()) await this.#output;
    if (!scan()) throw this.#failure(`exited (${this.#exitReason()}) before the log line ${pattern}`);
    return matches[count - 1]!;
  }

  /** Resident memory of supervisor and workers, in bytes. */
  async rss(): Promise<number> {
    return residentBytes(await groupMembers(this.pid));
  }

  /** The part of `rss` that no file backs, in bytes. */
  async anonymous(): Promise<number> {
    return anonymousBytes(await groupMembers(this.pid));
  }

  /** Open file descriptors of supervisor and workers. */
  async fds(): Promise<number> {
    return openFiles(await groupMembers(this.pid));
  }

  /** Process ids of the workers by their ids, as far as the log tells: those that were spawned last. */
  get workers(): number[] {
    const pids: number[] = [];
    for (const line of this.log) {
      const [, id, pid] = /Spawned worker (\d+) with pid (\d+)/.exec(line) ?? [];
      if (id !== undefined) pids[Number(id)] = Number(pid);
    }
    return pids;
  }

  /** Process ids of supervisor and workers. */
  async pids(): Promise<number[]> {
    return groupMembers(this.pid);
  }

  /** Waits for an exit that the test expects. Returns the exit status, or the name of the signal that killed it. */
  async waitForExit(ms = STOP_TIMEOUT_MS): Promise<number | string> {
    if (this.#state === "running") this.#state = "stopping";
    await within(this.#child.exited, ms, "the program to exit").catch((error) => {
      throw this.#failure(error.message);
    });
    this.#state = "exited";
    await this.#reap();
    return this.#exitReason();
  }

  /**
   * Sends SIGTERM and waits; kills what is left after 10 s. Rejects with the end of the log if the program had exited
   * by itself before, did not end in time or with status 0, or left a process behind.
   */
  async stop(): Promise<void> {
    if (this.#state === "exited") return;
    if (this.#state === "crashed") {
      await this.#reap();
      throw this.#failure(`had exited by itself (${this.#exitReason()})`);
    }
    this.#state = "stopping";
    this.#child.kill("SIGTERM");
    try {
      const reason = await this.waitForExit();
      if (reason !== 0) throw this.#failure(`stopped with ${reason} instead of 0`);
    } finally {
      await this.kill();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Kills all its processes, whatever their state. */
  async kill(): Promise<void> {
    if (this.#state === "running") this.#state = "stopping";
    signalGroup(this.pid, "SIGKILL");
    await this.#untilGone();
    running.delete(this);
  }

  /** Checks that the end of the first process was the end of all. */
  async #reap(): Promise<void> {
    try {
      await this.#untilGone();
    } catch {
      const left = await groupMembers(this.pid);
      await this.kill();
      throw this.#failure(`left processes behind: ${left.join(", ")}`);
    }
    running.delete(this);
    await this.#output;
  }

  #untilGone(): Promise<void> {
    const isGone = async () => (await groupMembers(this.pid)).length === 0;
    return until(isGone, LEFTOVER_TIMEOUT_MS, "the end of all processes");
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of stream) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop()!;
      this.log.push(...lines);
    }
    if (rest !== "") this.log.push(rest);
  }

  #exitReason(): number | string {
    return this.#child.signalCode ?? this.#child.exitCode ?? "still running";
  }

  #failure(what: string): Error {
    return new Error(`sluice ${what}; its log ends with:\n  ${this.log.slice(-LOG_TAIL_LINES).join("\n  ")}`);
  }
}

/** Starts the program on a free port and waits until it is ready. Rejects with the end of its log if it exits. */
export async function startSluice(options: SluiceOptions = {}): Promise<Sluice> {
  const { command, args = [], variant = "source", workers, entry = MAIN, runner = [] } = options;
  const program = [...runner, ...(variant === "source" ? [process.execPath, entry] : [await builtBinary(entry)])];
  if (command !== undefined) program.push(command);
  const { port = await freeTcpPort(), listen = `127.0.0.1:${port}`, configFile } = options;
  program.push(...(configFile === undefined ? ["-C", "-v", "4", "-l", listen] : ["-c", configFile]));
  if (workers !== undefined) program.push("-w", `${workers}`);
  const { maxFiles } = options;
  const limited = maxFiles === undefined ? [] : ["sh", "-c", `ulimit -n ${maxFiles}; exec "$@"`, "sh"];
  const sluice = new Sluice([...limited, ...program, ...args], port, options);
  try {
    await sluice.waitForLog(READY, { count: workers ?? 1, ms: START_TIMEOUT_MS });
  } catch (error) {
    await sluice.kill();
    throw error;
  }
  return sluice;
}

/** The end of the log of a start that fails with status 1. Rejects if it does not. */
export async function failedStart(start: Start, options: SluiceOptions): Promise<string> {
  const { message } = await start(options).then(
    async (sluice) => {
      await sluice.stop();
      return new Error("it started");
    },
    (error: Error) => error,
  );
  if (!message.includes("exited (1) before")) throw new Error(message);
  return message;
}

/** Stops every program that tests have left running. Rejects if one of them misbehaves; the others are stopped too. */
export async function stopAll(): Promise<void> {
  const results = await Promise.allSettled([...running].map((sluice) => sluice.stop()));
  const failures = results.flatMap((result) => (result.status === "rejected" ? [result.reason] : []));
  if (failures.length > 0) throw failures.length === 1 ? failures[0] : new AggregateError(failures);
}

export type Start = (options?: Omit<SluiceOptions, "variant">) => Promise<Sluice>;

/** Declares the same tests for the sources and for the executable. `define` gets the function that starts the variant. */
export function forEachVariant(name: string, define: (start: Start) => void): void {
  for (const variant of ["source", "binary"] as const) forVariant(variant, name, define);
}

/** Declares tests for one variant. */
export function forVariant(variant: Variant, name: string, define: (start: Start) => void): void {
  describe(`${name} (${variant})`, () => {
    if (variant === "binary") beforeAll(() => builtBinary(MAIN), BUILD_TIMEOUT_MS);
    afterAll(stopAll, STOP_TIMEOUT_MS * 3);
    define((options) => startSluice({ ...options, variant }));
  });
}
