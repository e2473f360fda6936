import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Reload } from "../../src/config/load.ts";
import { LogRing } from "../../src/status/log-ring.ts";
import { Supervisor } from "../../src/supervisor/supervisor.ts";
import { load } from "../config/files.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { until } from "../fakes/until.ts";

const WAIT_MS = 3000;
const { settings } = load(["-C"], {});

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sluice-supervisor-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Its worker sleeps; its socket and PID file are in the test's directory. */
async function supervise(reload: () => Reload) {
  const log = recordingLog();
  const pidFile = join(directory, "pid");
  const supervisor = new Supervisor({
    settings: { ...settings, pidFile, listen: [{ path: join(directory, "socket") }] },
    reload,
    log,
    logRing: new LogRing(),
    workerCommand: ["sh", "-c", "exec sleep 60"],
  });
  await supervisor.start();
  return { supervisor, log, pidFile };
}

test("a reload that breaks is reported, and neither a later reload nor the stop suffers from it", async () => {
  let reloads = 0;
  const { supervisor, log, pidFile } = await supervise(() => {
    if (++reloads === 1) throw new Error("broken");
    return { kind: "no-file" };
  });
  await supervisor.reload("signal");
  expect(log.lines.at(-1)).toBe("ERROR Configuration reload failed: broken");
  await supervisor.reload("signal");
  expect(reloads).toBe(2);
  expect(log.lines.at(-1)).toStartWith("INFO Only reload M3U/EPG");
  expect(existsSync(pidFile)).toBe(true);
  await supervisor.stop();
  expect(existsSync(pidFile)).toBe(false);
  expect(log.lines.at(-1)).toBe("INFO All workers stopped, cleaning up");
});

test("the log says who has asked: a signal or the status page", async () => {
  const { supervisor, log } = await supervise(() => ({ kind: "no-file" }));
  const asked = () => log.lines.filter((line) => /Received|asked for/.test(line));
  await supervisor.reload("signal");
  supervisor.renewWorkers("signal");
  supervisor.received(0, { kind: "reload" });
  supervisor.received(0, { kind: "renew-workers" });
  await until(() => asked().length === 4, WAIT_MS, "the last one, which lets an answer out first");
  expect(asked()).toEqual([
    "INFO Received SIGHUP, reloading configuration",
    "INFO Received SIGUSR1, restarting workers, sending SIGTERM to tracked workers",
    "INFO Reload asked for by the status page, reloading configuration",
    "INFO Restart asked for by the status page, restarting workers, sending SIGTERM to tracked workers",
  ]);
  await supervisor.stop();
});
