import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArguments } from "../../src/cli/arguments.ts";
import { loadSettings, type Reload } from "../../src/config/load.ts";
import { LogRing } from "../../src/status/log-ring.ts";
import { Supervisor } from "../../src/supervisor/supervisor.ts";
import { recordingLog } from "../fakes/recording-log.ts";

const { settings } = loadSettings(parseArguments(["-C"]).commandLine, () => ({ code: "ENOENT", reason: "none" }));

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
  await supervisor.reload();
  expect(log.lines.at(-1)).toBe("ERROR Configuration reload failed: broken");
  await supervisor.reload();
  expect(reloads).toBe(2);
  expect(log.lines.at(-1)).toStartWith("INFO Only reload M3U/EPG");
  expect(existsSync(pidFile)).toBe(true);
  await supervisor.stop();
  expect(existsSync(pidFile)).toBe(false);
  expect(log.lines.at(-1)).toBe("INFO All workers stopped, cleaning up");
});
