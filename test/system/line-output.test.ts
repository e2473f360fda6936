import { dlopen } from "bun:ffi";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LineOutput, openAnew } from "../../src/system/line-output.ts";
import { until } from "../fakes/until.ts";

const WAIT_MS = 10_000;
const LINES = 5000;
const { O_RDWR, O_NONBLOCK } = constants;
const AF_UNIX = 1;
const SOCK_STREAM = 1;
const { socketpair } = dlopen("libc.so.6", {
  socketpair: { args: ["i32", "i32", "i32", "ptr"], returns: "i32" },
}).symbols;

let directory = "";
let opened: number[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sluice-output-"));
  Bun.spawnSync(["mkfifo", join(directory, "pipe")]);
});
afterEach(() => {
  for (const fd of opened) closeSync(fd);
  opened = [];
  rmSync(directory, { recursive: true });
});

function open(flags: number): number {
  const fd = openSync(join(directory, "pipe"), flags);
  opened.push(fd);
  return fd;
}

/** Descriptors to write to, with one to read from; whoever writes to the first two plainly waits when nobody reads. */
const ways: [name: string, open: () => { to: number; from: number }][] = [
  ["a pipe", () => ({ to: open(O_RDWR), from: open(O_RDWR | O_NONBLOCK) })],
  [
    "a socket",
    () => {
      const pair = new Int32Array(2);
      expect(socketpair(AF_UNIX, SOCK_STREAM, 0, pair)).toBe(0);
      opened.push(...pair);
      return { to: pair[0]!, from: openSocketEnd(pair[1]!) };
    },
  ],
  ["a pipe whose writers do not wait", () => ({ to: open(O_RDWR | O_NONBLOCK), from: open(O_RDWR | O_NONBLOCK) })],
];

const F_SETFL = 4;
const { fcntl } = dlopen("libc.so.6", { fcntl: { args: ["i32", "i32", "i64"], returns: "i32" } }).symbols;

function openSocketEnd(fd: number): number {
  expect(fcntl(fd, F_SETFL, O_NONBLOCK)).toBe(0);
  return fd;
}

/** Adds what there is to read. */
function readAll(from: number, text: string[]): void {
  const chunk = new Uint8Array(1 << 16);
  try {
    for (let count = readSync(from, chunk); count > 0; count = readSync(from, chunk))
      text.push(Buffer.from(chunk.subarray(0, count)).toString());
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
  }
}

const line = (number: number) => `${number} ${"x".repeat(100)}\n`;

describe.each(ways)("%s", (_, openWay) => {
  test("that is read has each line at once", () => {
    const { to, from } = openWay();
    const output = new LineOutput(to, () => "lost\n");
    for (let i = 0; i < 100; i++) {
      output.write(Buffer.from(line(i)));
      const text: string[] = [];
      readAll(from, text);
      expect(text.join("")).toBe(line(i));
    }
  });

  test("that nobody reads makes nobody wait, and says what was lost when somebody reads", async () => {
    const { to, from } = openWay();
    const output = new LineOutput(to, (lines) => `${lines} lost\n`);
    for (let i = 0; i < LINES; i++) output.write(Buffer.from(line(i)));
    const text: string[] = [];
    const all = () => text.join("");
    // Without another line to write.
    const hasAll = () => {
      readAll(from, text);
      return all().includes("lost\n");
    };
    await until(hasAll, WAIT_MS, "the rest");
    output.write(Buffer.from("again\n"));
    readAll(from, text);
    const lines = all().split("\n");
    const lost = Number(/^(\d+) lost$/.exec(lines.at(-3)!)?.[1]);
    expect(lost).toBeGreaterThan(0);
    expect(lines.slice(-2)).toEqual(["again", ""]);
    expect(lines.slice(0, -3)).toEqual(Array.from({ length: LINES - lost }, (_, i) => line(i).trimEnd()));
  });
});

test("what cannot be written is told, and what waits is dropped", () => {
  const { to } = ways[0]![1]();
  const output = new LineOutput(to, () => "lost\n");
  for (let i = 0; i < LINES; i++) output.write(Buffer.from(line(i)));
  output.close();
  const full = openSync("/dev/full", "w");
  opened.push(full);
  expect(() => new LineOutput(full, () => undefined).write(Buffer.from("x\n"))).toThrow("ENOSPC");
});

test("what is opened anew is a description of its own: whoever has the same pipe is not changed", () => {
  const to = open(O_RDWR);
  const anew = openAnew(to);
  expect(anew).not.toBe(to);
  opened.push(anew);
  const isWaiting = (fd: number) => {
    const [, flags = ""] = /flags:\s+(\S+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8")) ?? [];
    return (Number.parseInt(flags, 8) & O_NONBLOCK) === 0;
  };
  expect([to, anew].map(isWaiting)).toEqual([true, false]);
  const file = openSync(join(directory, "file"), "w");
  opened.push(file);
  expect(openAnew(file)).toBe(file);
});
