import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { PidFile, PidFileError } from "../../src/system/pid-file.ts";
import { errorOf } from "../fakes/error-of.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { within } from "../fakes/until.ts";

const MODULE = join(import.meta.dir, "../../src/system/pid-file.ts");
const START_MS = 8000;
const OWN_TEXT = `${process.pid}\n`;

let directory = "";
let pidFile = new PidFile(recordingLog());
let log = recordingLog();

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sluice-pid-"));
  log = recordingLog();
  pidFile = new PidFile(log);
});
afterEach(() => {
  pidFile.remove();
  rmSync(directory, { recursive: true });
});

function at(name: string): string {
  return join(directory, name);
}

/** A second supervisor: takes the file or says why not, then runs `afterwards` and stays until it is killed. */
async function secondSupervisor(path: string, afterwards = "") {
  const program = `
    const { PidFile } = await import(${JSON.stringify(MODULE)});
    try {
      new PidFile({ info() {}, warn() {} }).acquire(${JSON.stringify(path)});
      setInterval(() => {}, 1000);
      ${afterwards}
      console.log("acquired");
    } catch (error) {
      console.log(error.code, error.message);
    }`;
  const child = Bun.spawn([process.execPath, "-e", program], { stdio: ["pipe", "pipe", "inherit"] });
  const reader = child.stdout.getReader();
  const { value } = await within(reader.read(), START_MS, "the second supervisor");
  return {
    child,
    said: Buffer.from(value ?? [])
      .toString()
      .trim(),
  };
}

describe("at start", () => {
  test("the file holds our process id, and is logged", () => {
    pidFile.acquire(at("a.pid"));
    expect(readOutside(at("a.pid"))).toBe(OWN_TEXT);
    expect(statSync(at("a.pid")).mode & 0o777).toBe(0o644 & ~process.umask());
    expect(log.lines).toEqual([`INFO Wrote supervisor PID ${process.pid} to ${at("a.pid")}`]);
  });

  test("a leftover file is overwritten, however long it was", () => {
    writeFileSync(at("a.pid"), "123456789\n".repeat(100));
    pidFile.acquire(at("a.pid"));
    expect(readOutside(at("a.pid"))).toBe(OWN_TEXT);
  });

  test("a relative path stays what it was, even when the working directory changes", () => {
    const before = process.cwd();
    pidFile.acquire(relative(before, at("a.pid")));
    process.chdir("/");
    try {
      pidFile.remove();
    } finally {
      process.chdir(before);
    }
    expect(existsSync(at("a.pid"))).toBe(false);
  });

  const notRegular: [string, (path: string) => void][] = [
    ["a directory", (path) => mkdirSync(path)],
    ["a symbolic link", (path) => symlinkSync(at("target"), path)],
    ["a pipe", (path) => Bun.spawnSync(["mkfifo", path])],
    ["a socket", (path) => listeners.push(Bun.listen({ unix: path, socket: { data() {} } }))],
  ];
  const listeners: { stop(): void }[] = [];
  afterEach(() => {
    for (const listener of listeners.splice(0)) listener.stop();
  });
  test.each(notRegular)("%s is refused and stays", (_, make) => {
    writeFileSync(at("target"), "untouched");
    make(at("a.pid"));
    const { ino } = lstatSync(at("a.pid"));
    expect(errorOf(() => pidFile.acquire(at("a.pid")))).toMatchObject({
      code: "pid-file-not-regular",
      message: `PID file path is not a regular file: ${at("a.pid")}`,
    });
    expect(lstatSync(at("a.pid")).ino).toBe(ino);
    expect(readFileSync(at("target"), "utf8")).toBe("untouched");
  });

  test("a path that cannot be opened is refused with the reason", () => {
    expect(errorOf(() => pidFile.acquire(at("nowhere/a.pid")))).toMatchObject({
      code: "pid-file-failed",
      message: `Cannot open PID file ${at("nowhere/a.pid")}: no such file or directory`,
    });
  });

  test("a file that cannot be written is refused and removed", () => {
    // The smallest full disk: no file of this process may have any bytes.
    const program = `
      const { PidFile } = await import(${JSON.stringify(MODULE)});
      try { new PidFile({ info() {} }).acquire("a.pid"); } catch (error) { console.log(error.code, error.message); }`;
    const shell = ["sh", "-c", `trap "" XFSZ; ulimit -f 0; exec "$0" -e "$1"`, process.execPath, program];
    const { stdout } = Bun.spawnSync(shell, { cwd: directory });
    expect(stdout.toString()).toBe(`pid-file-failed Cannot write PID file ${at("a.pid")}: file too large\n`);
    expect(existsSync(at("a.pid"))).toBe(false);
  });
});

describe("the lock", () => {
  test("keeps a second supervisor out and the content as it is", async () => {
    pidFile.acquire(at("a.pid"));
    const { child, said } = await secondSupervisor(at("a.pid"));
    await child.exited;
    expect(said).toBe(`pid-file-locked PID file is already locked by another process: ${at("a.pid")}`);
    expect(readOutside(at("a.pid"))).toBe(OWN_TEXT);
  });

  test("keeps us out, and ends with its process even while a child of that lives on", async () => {
    // The grandchild lives until its input ends, which is ours to say.
    const spawn = `console.log(Bun.spawn(["cat"], { stdio: ["inherit", "ignore", "ignore"] }).pid);`;
    const { child, said } = await secondSupervisor(at("a.pid"), spawn);
    const grandchild = Number.parseInt(said, 10);
    expect(errorOf(() => pidFile.acquire(at("a.pid")))).toMatchObject({ code: "pid-file-locked" });
    expect(readFileSync(at("a.pid"), "utf8")).toBe(`${child.pid}\n`);
    child.kill("SIGKILL");
    await child.exited;
    pidFile.acquire(at("a.pid"));
    expect(process.kill(grandchild, 0)).toBe(true);
    child.stdin.end();
  });

  test("is never held twice, however fast it goes from hand to hand", async () => {
    const rounds = `
      const { mkdirSync, rmdirSync } = require("node:fs");
      const { PidFile } = await import(${JSON.stringify(MODULE)});
      const pidFile = new PidFile({ info() {} });
      for (let round = 0; round < 300; ) {
        try { pidFile.acquire("a.pid"); } catch (error) {
          if (error.code === "pid-file-locked") continue;
          throw error;
        }
        // Fails when the other one is in here, too.
        mkdirSync("critical");
        rmdirSync("critical");
        pidFile.remove();
        round++;
      }`;
    const race = () =>
      Bun.spawn([process.execPath, "-e", rounds], { cwd: directory, stdio: ["ignore", "ignore", "pipe"] });
    for (const racer of [race(), race()]) {
      expect(await racer.stderr.text()).toBe("");
      expect(await racer.exited).toBe(0);
    }
  });

  test("of a file that was removed meanwhile is no lock: the new file is locked", async () => {
    pidFile.acquire(at("a.pid"));
    unlinkSync(at("a.pid"));
    const { child, said } = await secondSupervisor(at("a.pid"));
    expect(said).toBe("acquired");
    pidFile.remove();
    expect(readFileSync(at("a.pid"), "utf8")).toBe(`${child.pid}\n`);
    child.kill();
    await child.exited;
  });
});

describe("removal", () => {
  test("takes the file away, once", () => {
    pidFile.acquire(at("a.pid"));
    pidFile.remove();
    expect(existsSync(at("a.pid"))).toBe(false);
    writeFileSync(at("a.pid"), "another's");
    pidFile.remove();
    expect(existsSync(at("a.pid"))).toBe(true);
  });

  test("leaves another file at the path alone", () => {
    pidFile.acquire(at("a.pid"));
    renameSync(at("a.pid"), at("moved"));
    writeFileSync(at("a.pid"), "another's");
    pidFile.remove();
    expect(readFileSync(at("a.pid"), "utf8")).toBe("another's");
  });

  test("never throws", () => {
    pidFile.acquire(at("a.pid"));
    rmSync(directory, { recursive: true });
    pidFile.remove();
    mkdirSync(directory);
  });
});

describe("a reload", () => {
  function another(link: (target: string, path: string) => void): string {
    link(at("a.pid"), at("link"));
    return at("link");
  }
  const sameFiles: [string, () => string][] = [
    ["the same path", () => at("a.pid")],
    ["another spelling of it", () => `${directory}/./a.pid`],
    ["a relative path", () => relative(process.cwd(), at("a.pid"))],
    ["a symbolic link to it", () => another(symlinkSync)],
    ["a hard link to it", () => another(linkSync)],
  ];
  test.each(sameFiles)("to %s changes nothing", async (_, path) => {
    pidFile.acquire(at("a.pid"));
    const samePath = path();
    pidFile.prepareMove(samePath).rollback();
    pidFile.prepareMove(samePath).commit();
    expect(log.lines).toHaveLength(1);
    const { child, said } = await secondSupervisor(at("a.pid"));
    await child.exited;
    expect(said).toStartWith("pid-file-locked");
  });

  test("moves the file: both are there until it is committed", async () => {
    pidFile.acquire(at("a.pid"));
    const move = pidFile.prepareMove(at("b.pid"));
    expect([existsSync(at("a.pid")), existsSync(at("b.pid"))]).toEqual([true, true]);
    move.commit();
    expect([existsSync(at("a.pid")), existsSync(at("b.pid"))]).toEqual([false, true]);
    const { said } = await secondSupervisor(at("b.pid"));
    expect(said).toStartWith("pid-file-locked");
    pidFile.remove();
    expect(existsSync(at("b.pid"))).toBe(false);
  });

  test("that is taken back leaves the old file, locked", async () => {
    pidFile.acquire(at("a.pid"));
    pidFile.prepareMove(at("b.pid")).rollback();
    expect([existsSync(at("a.pid")), existsSync(at("b.pid"))]).toEqual([true, false]);
    const { said } = await secondSupervisor(at("a.pid"));
    expect(said).toStartWith("pid-file-locked");
  });

  test("to a path that is refused leaves the old file, locked", async () => {
    pidFile.acquire(at("a.pid"));
    mkdirSync(at("b.pid"));
    expect(() => pidFile.prepareMove(at("b.pid"))).toThrow(PidFileError);
    const { said } = await secondSupervisor(at("a.pid"));
    expect(said).toStartWith("pid-file-locked");
  });

  test.each(["deleted", "replaced"])("makes a %s file anew and keeps it", (fate) => {
    pidFile.acquire(at("a.pid"));
    unlinkSync(at("a.pid"));
    if (fate === "replaced") writeFileSync(at("a.pid"), "another's");
    pidFile.prepareMove(at("a.pid")).commit();
    expect(readOutside(at("a.pid"))).toBe(OWN_TEXT);
    pidFile.remove();
    expect(existsSync(at("a.pid"))).toBe(false);
  });

  test("without a PID file removes it on commit only", () => {
    pidFile.acquire(at("a.pid"));
    pidFile.prepareMove(undefined).rollback();
    expect(existsSync(at("a.pid"))).toBe(true);
    pidFile.prepareMove(undefined).commit();
    expect(existsSync(at("a.pid"))).toBe(false);
  });

  test("may be the first to ask for a PID file", () => {
    pidFile.prepareMove(undefined).commit();
    pidFile.prepareMove(at("a.pid")).commit();
    expect(readOutside(at("a.pid"))).toBe(OWN_TEXT);
  });
});

/** Reads in another process: closing the file in this one would drop the lock. */
function readOutside(path: string): string {
  return Bun.spawnSync(["cat", path]).stdout.toString();
}
