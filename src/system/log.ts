/** The diagnostic log: five levels, one line a message, and repeated trouble counted instead of repeated. */

import { writeSync } from "node:fs";
import { createConsola } from "consola/core";
import { libc } from "./libc.ts";
import { LineOutput, openAnew } from "./line-output.ts";
import { shown } from "./shown.ts";

export const LOG_FATAL = 0;
export const LOG_ERROR = 1;
export const LOG_WARN = 2;
export const LOG_INFO = 3;
export const LOG_DEBUG = 4;

export type LogLevel = 0 | 1 | 2 | 3 | 4;

/** What the rooms of the house write to. A message whose level is above `level` costs one comparison and is dropped. */
export interface Log {
  /** The highest level that is written. Guard costly DEBUG messages with `log.level >= LOG_DEBUG`. */
  level: LogLevel;
  fatal(message: string): void;
  error(message: string): void;
  warn(message: string): void;
  info(message: string): void;
  debug(message: string): void;
}

const STDOUT = 1;
/** Longest line, prefix and newline included (config.md section 13). */
const LINE_MAX_BYTES = 1023;
/** Tries to write one line while its reader is not keeping up; then the rest of the line is dropped. */
const WRITE_ATTEMPTS = 10;
const WRITE_RETRY_MS = 1;
/** consola's own filter stays open, because `Log.level` decides before consola is called. */
const CONSOLA_EVERYTHING = 5;

const RED = 31;
const YELLOW = 33;
const CYAN = 36;
const GREY = 90;
const LEVELS: Readonly<Record<string, LogLevel>> = {
  fatal: LOG_FATAL,
  error: LOG_ERROR,
  warn: LOG_WARN,
  info: LOG_INFO,
  debug: LOG_DEBUG,
};
const LEVEL_COLOURS: Readonly<Record<string, number>> = {
  fatal: RED,
  error: RED,
  warn: YELLOW,
  info: CYAN,
  debug: GREY,
};

/** A line that was written. */
export interface LogLine {
  readonly level: LogLevel;
  /** Unix time in milliseconds. */
  readonly time: number;
  /** As printed where nobody watches, with prefix and newline. */
  readonly text: string;
}

interface LogOptions {
  readonly level: LogLevel;
  /** Who speaks, without the brackets: `Supervisor`, `Worker 0`. */
  readonly prefix: string;
  /** Takes one finished line with its newline. Default: standard output, at once, and without waiting for who reads it. */
  readonly write?: (line: string) => void;
  /** Is told every line that was written, for those who show the last ones. */
  readonly onLine?: (line: LogLine) => void;
  /** Write for human eyes: time, level name, colour. Default: whether standard output is a terminal. */
  readonly terminal?: boolean;
}

/** Creates a log whose lines are those of config.md section 13, or have time and level in front on a terminal. */
export function createLog(options: LogOptions): Log {
  const { level, prefix, terminal = isTerminal(STDOUT), onLine } = options;
  const head = terminal ? terminalHead(wantsColour()) : () => "";
  const lostLine = (lines: number) => {
    const message = `${lines} log line${lines === 1 ? " was" : "s were"} lost here: nobody read the log`;
    return `${head("warn", new Date())}${messageLine(prefix, message)}\n`;
  };
  const { write = toStdout(lostLine) } = options;
  const consola = createConsola({
    level: CONSOLA_EVERYTHING,
    // Repeated lines are never merged; the second setting holds even if the clock is set back, where 0 ms does not.
    throttle: 0,
    throttleMin: Number.POSITIVE_INFINITY,
    reporters: [
      {
        log({ type, date, args }) {
          const text = `${messageLine(prefix, String(args[0]))}\n`;
          write(`${head(type, date)}${text}`);
          onLine?.({ level: LEVELS[type] ?? LOG_DEBUG, time: date.getTime(), text });
        },
      },
    ],
  });
  const log: Log = {
    level,
    fatal(message) {
      consola.fatal(message);
    },
    error(message) {
      if (log.level >= LOG_ERROR) consola.error(message);
    },
    warn(message) {
      if (log.level >= LOG_WARN) consola.warn(message);
    },
    info(message) {
      if (log.level >= LOG_INFO) consola.info(message);
    },
    debug(message) {
      if (log.level >= LOG_DEBUG) consola.debug(message);
    },
  };
  return log;
}

/** Lets `say` write lines of their own level that the level of the log would keep back. */
export function sayRegardless(log: Log, say: () => void): void {
  const { level } = log;
  log.level = LOG_DEBUG;
  try {
    say();
  } finally {
    log.level = level;
  }
}

/** The same for what is to be seen at the start, unless somebody wants quiet (config.md section 13). */
export function sayUnlessQuiet(log: Log, say: () => void): void {
  if (log.level > LOG_FATAL) sayRegardless(log, say);
}

/** The stream modules behind `node:tty` take a megabyte and a half, which only a program without libc has to spend. */
export function isTerminal(fd: number): boolean {
  return libc ? libc.isatty(fd) === 1 : process.getBuiltinModule("node:tty").isatty(fd);
}

/**
 * `[prefix] message`, without what is secret, with what could start a second line or drive a terminal made visible, cut to the line
 * limit.
 */
function messageLine(prefix: string, message: string): string {
  // Not all of a very long one: nobody gets to see the rest.
  const told = shown(message.slice(0, 8 * LINE_MAX_BYTES));
  return cutUtf8(`[${prefix}] ${told.replace(/\p{Cc}/gu, visibleControl)}`, LINE_MAX_BYTES - 1);
}

function visibleControl(character: string): string {
  if (character === "\n") return "\\n";
  if (character === "\r") return "\\r";
  if (character === "\t") return "\\t";
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

/** The longest beginning of `text` that takes at most `maxBytes` in UTF-8 without splitting a character. */
export function cutUtf8(text: string, maxBytes: number): string {
  if (Buffer.byteLength(text) <= maxBytes) return text;
  return text.slice(0, new TextEncoder().encodeInto(text, new Uint8Array(maxBytes)).read);
}

/** Any value of NO_COLOR counts, unlike consola's own rule. */
function wantsColour(): boolean {
  const { NO_COLOR, TERM } = process.env;
  return NO_COLOR === undefined && TERM !== "dumb";
}

function terminalHead(colour: boolean): (type: string, date: Date) => string {
  return (type, date) => {
    const name = type.toUpperCase().padEnd(5);
    const shown = colour ? `\x1b[${LEVEL_COLOURS[type] ?? GREY}m${name}\x1b[0m` : name;
    return `${date.toTimeString().slice(0, 8)} ${shown} `;
  };
}

function toStdout(lostLine: (lines: number) => string): (line: string) => void {
  const output = new LineOutput(openAnew(STDOUT), lostLine);
  return (line) => {
    try {
      output.write(Buffer.from(line));
    } catch {
      // A reader that went away or a full disk is nothing that a log could report.
    }
  };
}

/**
 * For what is said once and waited for: writes `text` to a file descriptor at once. Never throws: a reader that went away (EPIPE) or a full disk is nothing
 * that a log could report, and a full pipe (EAGAIN) is retried for a few milliseconds only, as the relay must go on.
 */
export function writeUnbuffered(descriptor: number, text: string): void {
  const bytes = Buffer.from(text);
  let written = 0;
  for (let attempt = 0; written < bytes.length && attempt < WRITE_ATTEMPTS; attempt++) {
    try {
      written += writeSync(descriptor, bytes, written);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) return;
      Bun.sleepSync(WRITE_RETRY_MS);
    }
  }
}

/** At most one line a key in this time. */
const TROUBLE_INTERVAL_MS = 1000;
/** Keys counted apart in one interval; trouble under further keys is counted together. */
const TROUBLE_KEYS_MAX = 64;
const TROUBLE_REST = "Other trouble";

/** Calls `callback` once after `delayMs`; the returned function cancels that. */
export type Schedule = (callback: () => void, delayMs: number) => () => void;

const scheduleTimeout: Schedule = (callback, delayMs) => {
  // A report that is still due is no reason to keep the process alive.
  const timer = setTimeout(callback, delayMs).unref();
  return () => clearTimeout(timer);
};

/** A message, to which the number is added, or what makes the line of the number. It should be a constant. */
export type Trouble = string | ((times: number) => string);

/**
 * Trouble that may come with every packet, counted by key and written once a second, as `key` or `key (n times)`, or as
 * the key says. A timer runs only while something waits to be written.
 */
export class TroubleReport {
  readonly #write: (line: string) => void;
  readonly #schedule: Schedule;
  readonly #counts = new Map<Trouble, number>();
  #cancel: (() => void) | undefined;

  /** `write` takes one line without newline, for example `(line) => log.warn(line)`. */
  constructor(write: (line: string) => void, schedule: Schedule = scheduleTimeout) {
    this.#write = write;
    this.#schedule = schedule;
  }

  /** Counts `times` occurrences of the trouble `key`. */
  count(key: Trouble, times = 1): void {
    const before = this.#counts.get(key);
    if (before === undefined && key !== TROUBLE_REST && this.#counts.size >= TROUBLE_KEYS_MAX) {
      this.count(TROUBLE_REST, times);
      return;
    }
    this.#counts.set(key, (before ?? 0) + times);
    this.#cancel ??= this.#schedule(() => this.flush(), TROUBLE_INTERVAL_MS);
  }

  /** Writes what is pending now and stops the timer. Call it before the process or the stream ends. */
  flush(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const pending = [...this.#counts];
    this.#counts.clear();
    for (const [key, times] of pending) this.#write(troubleLine(key, times));
  }
}

function troubleLine(key: Trouble, times: number): string {
  if (typeof key === "function") return key(times);
  return times === 1 ? key : `${key} (${times} times)`;
}
