import { afterEach, describe, expect, test } from "bun:test";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import {
  createLog,
  cutUtf8,
  LOG_DEBUG,
  LOG_ERROR,
  LOG_FATAL,
  type Log,
  type LogLevel,
  type Schedule,
  TroubleReport,
  writeUnbuffered,
} from "../../src/system/log.ts";

function recordingLog(level: LogLevel = LOG_DEBUG, terminal = false): { log: Log; lines: string[] } {
  const lines: string[] = [];
  return { log: createLog({ level, prefix: "Worker 0", write: (line) => lines.push(line), terminal }), lines };
}

function lineOf(message: string): string {
  const { log, lines } = recordingLog();
  log.info(message);
  expect(lines).toHaveLength(1);
  return lines[0] ?? "";
}

const METHODS = ["fatal", "error", "warn", "info", "debug"] as const;

describe("levels", () => {
  test.each([0, 1, 2, 3, 4] as const)("level %d writes itself and what is more severe", (level) => {
    const { log, lines } = recordingLog(level);
    for (const method of METHODS) log[method](method);
    expect(lines).toEqual(METHODS.slice(0, level + 1).map((method) => `[Worker 0] ${method}\n`));
  });

  test("the level can be changed while running", () => {
    const { log, lines } = recordingLog(LOG_ERROR);
    log.debug("dropped");
    log.level = LOG_DEBUG;
    log.debug("written");
    log.level = LOG_FATAL;
    log.error("dropped");
    expect(lines).toEqual(["[Worker 0] written\n"]);
  });

  test("two logs have levels and prefixes of their own", () => {
    const lines: string[] = [];
    const options = { write: (line: string) => lines.push(line), terminal: false };
    const one = createLog({ ...options, level: LOG_DEBUG, prefix: "Supervisor" });
    const other = createLog({ ...options, level: LOG_ERROR, prefix: "Worker 1" });
    one.debug("a");
    other.debug("b");
    other.error("c");
    expect(lines).toEqual(["[Supervisor] a\n", "[Worker 1] c\n"]);
  });
});

describe("lines", () => {
  test("repeated messages are all written", () => {
    const { log, lines } = recordingLog();
    for (let i = 0; i < 50; i++) log.warn("same");
    expect(lines).toEqual(Array(50).fill("[Worker 0] same\n"));
  });

  test("an empty message and one with placeholders are written as they are", () => {
    expect(lineOf("")).toBe("[Worker 0] \n");
    expect(lineOf("100 %s %d \\n")).toBe("[Worker 0] 100 %s %d \\n\n");
  });

  test("control characters are made visible", () => {
    expect(lineOf("a\nb\rc\td")).toBe("[Worker 0] a\\nb\\rc\\td\n");
    expect(lineOf("\x1b[2J\x00\x07\x7f\u009b")).toBe("[Worker 0] \\x1b[2J\\x00\\x07\\x7f\\x9b\n");
  });

  test("a line has at most 1023 bytes and ends between characters", () => {
    const room = 1023 - "[Worker 0] \n".length;
    expect(lineOf("x".repeat(room))).toBe(`[Worker 0] ${"x".repeat(room)}\n`);
    expect(lineOf("x".repeat(room + 1))).toBe(`[Worker 0] ${"x".repeat(room)}\n`);
    expect(lineOf(`${"x".repeat(room - 3)}\u{1f4fa}`)).toBe(`[Worker 0] ${"x".repeat(room - 3)}\n`);
    expect(lineOf(`${"x".repeat(room - 4)}\u{1f4fa}y`)).toBe(`[Worker 0] ${"x".repeat(room - 4)}\u{1f4fa}\n`);
  });

  test("any message is one line within the limit", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", size: "large", maxLength: 2000 }), (message) => {
        const line = lineOf(message);
        expect(Buffer.byteLength(line)).toBeLessThanOrEqual(1023);
        expect(line).toMatch(/^\[Worker 0\] \P{Cc}*\n$/u);
      }),
    );
  });
});

test("cutUtf8 keeps whole characters and as many as fit", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.nat(40), (text, limit) => {
      const cut = cutUtf8(text, limit);
      expect(text.startsWith(cut)).toBe(true);
      expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(limit);
      const [next] = text.slice(cut.length);
      if (next !== undefined) expect(Buffer.byteLength(cut + next)).toBeGreaterThan(limit);
    }),
  );
});

describe("on a terminal", () => {
  const { NO_COLOR, TERM } = process.env;
  afterEach(() => setEnvironment({ NO_COLOR, TERM }));

  function setEnvironment(wanted: Record<string, string | undefined>): void {
    for (const [name, value] of Object.entries(wanted)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }

  function terminalLine(environment: Record<string, string | undefined>): string {
    setEnvironment(environment);
    const { log, lines } = recordingLog(LOG_DEBUG, true);
    log.warn("low\nwater");
    return lines.join("");
  }

  test("a line has the time, the level and colour", () => {
    const line = terminalLine({ NO_COLOR: undefined, TERM: "xterm" });
    expect(line.replaceAll("\x1b", "ESC")).toMatch(/^\d\d:\d\d:\d\d ESC\[33mWARN ESC\[0m \[Worker 0\] low\\nwater\n$/);
  });

  test.each([
    { NO_COLOR: "", TERM: "xterm" },
    { NO_COLOR: "0", TERM: "xterm" },
    { NO_COLOR: undefined, TERM: "dumb" },
  ])("no colour with %p", (environment) => {
    expect(terminalLine(environment)).toMatch(/^\d\d:\d\d:\d\d WARN {2}\[Worker 0\] low\\nwater\n$/);
  });
});

describe("unbuffered writing", () => {
  test("arrives on standard output at once, in order", async () => {
    const module = JSON.stringify(new URL("../../src/system/log.ts", import.meta.url).href);
    const script = `
      const { createLog, writeUnbuffered } = await import(${module});
      createLog({ level: 3, prefix: "Supervisor" }).info("one");
      writeUnbuffered(2, "two");
      process.kill(process.pid, "SIGKILL");`;
    const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", stderr: "pipe" });
    expect(await new Response(child.stdout).text()).toBe("[Supervisor] one\n");
    expect(await new Response(child.stderr).text()).toBe("two");
  });

  test("gives up on a full pipe, a broken pipe and a closed descriptor without throwing", () => {
    const directory = mkdtempSync(join(tmpdir(), "log-"));
    const fifo = join(directory, "fifo");
    expect(Bun.spawnSync(["mkfifo", fifo]).exitCode).toBe(0);
    const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    const writer = openSync(fifo, constants.O_WRONLY | constants.O_NONBLOCK);
    try {
      writeUnbuffered(writer, "x".repeat(1_000_000));
      writeUnbuffered(writer, "dropped");
      const received = Buffer.alloc(1_000_000);
      const length = readSync(reader, received);
      expect(length).toBeGreaterThan(0);
      expect(received.subarray(0, length).every((byte) => byte === "x".charCodeAt(0))).toBe(true);
      closeSync(reader);
      writeUnbuffered(writer, "nobody reads this");
    } finally {
      closeSync(writer);
      rmSync(directory, { recursive: true });
    }
    writeUnbuffered(1_000_000, "no such descriptor");
  });
});

describe("TroubleReport", () => {
  /** A timer that runs when the test says so. */
  function manualTimer() {
    const due: (() => void)[] = [];
    const schedule: Schedule = (callback, delayMs) => {
      expect(delayMs).toBe(1000);
      due.push(callback);
      return () => void due.splice(due.indexOf(callback), 1);
    };
    return { due, schedule };
  }

  test("counts by key and writes one line a key and second", () => {
    const lines: string[] = [];
    const { due, schedule } = manualTimer();
    const report = new TroubleReport((line) => lines.push(line), schedule);
    expect(due).toHaveLength(0);

    for (let i = 0; i < 1000; i++) report.count("Malformed RTP packet");
    report.count("Packets lost", 7);
    report.count("Rejoined group");
    expect(lines).toEqual([]);
    expect(due).toHaveLength(1);

    due[0]?.();
    expect(lines).toEqual(["Malformed RTP packet (1000 times)", "Packets lost (7 times)", "Rejoined group"]);
    expect(due).toHaveLength(0);

    lines.length = 0;
    report.count("Packets lost", 2);
    expect(due).toHaveLength(1);
    due[0]?.();
    expect(lines).toEqual(["Packets lost (2 times)"]);
  });

  test("a key that is a function makes the line of the number", () => {
    const lines: string[] = [];
    const report = new TroubleReport((line) => lines.push(line), manualTimer().schedule);
    const lost = (times: number) => `${times} packets lost`;
    report.count(lost, 7);
    report.count(lost);
    report.count((times) => `${times} strays`);
    report.flush();
    expect(lines).toEqual(["8 packets lost", "1 strays"]);
  });

  test("flush writes what is pending and stops the timer", () => {
    const lines: string[] = [];
    const { due, schedule } = manualTimer();
    const report = new TroubleReport((line) => lines.push(line), schedule);
    report.count("a");
    report.flush();
    report.flush();
    expect(lines).toEqual(["a"]);
    expect(due).toHaveLength(0);
  });

  test("more keys than it keeps apart are counted together", () => {
    const lines: string[] = [];
    const report = new TroubleReport((line) => lines.push(line), manualTimer().schedule);
    for (let i = 0; i < 1000; i++) report.count(`peer ${i}`, 2);
    report.flush();
    expect(lines).toHaveLength(65);
    expect(lines.at(-1)).toBe("Other trouble (1872 times)");
  });

  test("by default reports after a second of real time", async () => {
    const start = performance.now();
    const line = await new Promise((resolve) => {
      new TroubleReport(resolve).count("a", 3);
    });
    expect(line).toBe("a (3 times)");
    expect(performance.now() - start).toBeGreaterThan(900);
  });
});
