/** A log that nobody reads stops nothing: neither a stream nor a signal (config.md section 13). */

import { expect, test } from "bun:test";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freeTcpPort } from "../fakes/free-port.ts";
import { until } from "../fakes/until.ts";
import { builtBinary } from "./binary.ts";
import { answerTo, Channel, CLEAN, ON_LOOPBACK, Viewer } from "./channel.ts";

const MAIN = join(import.meta.dir, "../../src/main.ts");
const WAIT_MS = 20_000;
const START_MS = 60_000;
const TEST_MS = 150_000;
/** Less than the 5 s after which workers that hang are killed. */
const STOP_MS = 4500;
/** Each makes three lines or more; a pipe holds 64 KiB, and 256 KiB may wait in a worker. */
const REQUESTS = 1500;
const { O_RDWR, O_NONBLOCK } = constants;

test.each(["source", "binary"] as const)(
  "with a pipe that nobody reads, the stream goes on and a signal ends it (%s)",
  async (variant) => {
    const directory = mkdtempSync(join(tmpdir(), "sluice-stalled-"));
    const path = join(directory, "pipe");
    expect(Bun.spawnSync(["mkfifo", path]).exitCode).toBe(0);
    const [output, reader] = [openSync(path, O_RDWR), openSync(path, O_RDWR | O_NONBLOCK)];
    const port = await freeTcpPort();
    const program = variant === "source" ? [process.execPath, MAIN] : [await builtBinary(MAIN)];
    const args = ["-C", "-v", "4", "-l", `127.0.0.1:${port}`, ...ON_LOOPBACK];
    const child = Bun.spawn([...program, ...args], { stdio: ["ignore", output, output] });
    try {
      const isUp = () =>
        answerTo({ port }, "/").then(
          () => true,
          () => false,
        );
      await until(isUp, START_MS, "the program to serve");
      using channel = await Channel.sending();
      using viewer = await Viewer.open({ port }, channel);
      const target = `/${"x".repeat(1000)}`;
      for (let i = 0; i < REQUESTS; i++) await answerTo({ port }, target);
      await viewer.more(500);
      expect(viewer.verifier.counts).toMatchObject(CLEAN);

      const chunk = new Uint8Array(1 << 16);
      let text = "";
      const isTold = () => {
        try {
          text += Buffer.from(chunk.subarray(0, readSync(reader, chunk))).toString();
        } catch {
          // Nothing more to read yet.
        }
        return /^\[Worker 0\] \d+ log lines were lost here: nobody read the log$/m.test(text);
      };
      await until(isTold, WAIT_MS, "the loss to be told");
      for (let i = 0; i < REQUESTS; i++) await answerTo({ port }, target);
      const stopped = performance.now();
      child.kill("SIGTERM");
      expect(await child.exited).toBe(0);
      expect(performance.now() - stopped).toBeLessThan(STOP_MS);
    } finally {
      child.kill("SIGKILL");
      for (const fd of [output, reader]) closeSync(fd);
      rmSync(directory, { recursive: true });
    }
  },
  TEST_MS,
);
