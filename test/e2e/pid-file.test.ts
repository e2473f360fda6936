/** The PID file stands for the running program, and for no other (config.md section 12). */

import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freeTcpPort } from "../fakes/free-port.ts";
import { failedStart, forEachVariant } from "./harness.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sluice-pid-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

const at = (name: string) => join(directory, name);

forEachVariant("the PID file", (start) => {
  test("is written, locked against a second start, and removed", async () => {
    const path = at("sluice.pid");
    writeFileSync(path, "what a crash has left behind\n");
    {
      await using sluice = await start({ args: ["--pid-file", path], workers: 2 });
      await sluice.waitForLog(new RegExp(`^\\[Supervisor\\] Wrote supervisor PID ${sluice.pid} to ${path}$`));
      expect(readFileSync(path, "utf8")).toBe(`${sluice.pid}\n`);
      expect(statSync(path).mode & 0o777).toBe(0o644 & ~process.umask());
      const log = await failedStart(start, { args: ["--pid-file", path] });
      expect(log).toContain(`[Supervisor] PID file is already locked by another process: ${path}`);
      expect(log).not.toContain("Spawned worker");
      expect(readFileSync(path, "utf8")).toBe(`${sluice.pid}\n`);
      // The lock is the supervisor's, and no worker's death loosens it.
      process.kill(sluice.workers[0]!, "SIGKILL");
      await sluice.waitForLog(/Restarting worker 0/);
      expect(await failedStart(start, { args: ["--pid-file", path] })).toContain("already locked");
    }
    expect(existsSync(path)).toBe(false);
  });

  test("is not removed when somebody else has put another in its place", async () => {
    const path = at("sluice.pid");
    {
      await using _ = await start({ args: ["--pid-file", path] });
      rmSync(path);
      writeFileSync(path, "another's\n");
    }
    expect(readFileSync(path, "utf8")).toBe("another's\n");
  });

  test("that cannot be is a reason not to start", async () => {
    mkdirSync(at("directory"));
    symlinkSync(at("elsewhere"), at("link"));
    for (const name of ["directory", "link"]) {
      const log = await failedStart(start, { args: ["--pid-file", at(name)] });
      expect(log).toContain(`[Supervisor] PID file path is not a regular file: ${at(name)}`);
    }
    expect(existsSync(at("elsewhere"))).toBe(false);
    const log = await failedStart(start, { args: ["--pid-file", at("missing/sluice.pid"), "-l", at("socket")] });
    expect(log).toContain(`Cannot open PID file ${at("missing/sluice.pid")}: no such file or directory`);
    expect(existsSync(at("socket"))).toBe(false);
  });

  test("moves with a reload, unless its new place is impossible", async () => {
    const port = await freeTcpPort();
    const configFile = at("sluice.conf");
    const write = (path: string | undefined) => {
      const line = path === undefined ? "" : `pid-file = ${path}\n`;
      writeFileSync(configFile, `[global]\nverbosity = 3\n${line}[bind]\n127.0.0.1 ${port}\n`);
    };
    const [one, two] = [at("one.pid"), at("two.pid")];
    write(one);
    await using sluice = await start({ configFile, port });
    const reload = async (path: string | undefined, outcome: RegExp) => {
      const since = sluice.log.length;
      write(path);
      process.kill(sluice.pid, "SIGHUP");
      await sluice.waitForLog(outcome, { since });
    };
    const content = `${sluice.pid}\n`;
    const { ino } = statSync(one);

    await reload(one, /reloaded successfully/);
    expect(statSync(one).ino).toBe(ino);
    await reload(two, /reloaded successfully/);
    expect(existsSync(one)).toBe(false);
    expect(readFileSync(two, "utf8")).toBe(content);
    await reload(at("missing/sluice.pid"), /Failed to prepare PID file after configuration reload/);
    expect(readFileSync(two, "utf8")).toBe(content);
    expect((await fetch(sluice.url)).status).toBe(200);

    rmSync(two);
    await reload(two, /reloaded successfully/);
    expect(readFileSync(two, "utf8")).toBe(content);
    expect(await failedStart(start, { args: ["--pid-file", two] })).toContain("already locked");
    await reload(undefined, /reloaded successfully/);
    expect(existsSync(two)).toBe(false);
    await reload(one, /reloaded successfully/);
    await sluice.stop();
    expect(existsSync(one)).toBe(false);
  });
});
