import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AccessLogFile } from "../../src/system/access-log-file.ts";
import { asByteString } from "../../src/wire/text/byte-string.ts";
import { recordingLog } from "../fakes/recording-log.ts";

let directory = "";
let log = recordingLog();
let file = new AccessLogFile(log);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sluice-access-"));
  log = recordingLog();
  file = new AccessLogFile(log);
});
afterEach(() => {
  file.reopen();
  rmSync(directory, { recursive: true });
});

function at(name: string): string {
  return join(directory, name);
}

/** The names of the descriptors that are open on files in the directory. */
function openFiles(): string[] {
  const { stdout } = Bun.spawnSync(["sh", "-c", `ls -l /proc/${process.pid}/fd`]);
  return stdout
    .toString()
    .split("\n")
    .filter((row) => row.includes(directory));
}

describe("the access log", () => {
  test("is there from the first line on, readable for all and appended to", () => {
    expect(openFiles()).toEqual([]);
    expect(existsSync(at("log"))).toBe(false);
    file.write(at("log"), asByteString("one\n"));
    expect(statSync(at("log")).mode & 0o777).toBe(0o644 & ~process.umask());
    file.write(at("log"), asByteString("two\n"));
    expect(readFileSync(at("log"), "utf8")).toBe("one\ntwo\n");
    expect(openFiles()).toHaveLength(1);
  });

  test("adds to what is there and to what other workers write", () => {
    writeFileSync(at("log"), "before\n");
    const other = new AccessLogFile(log);
    file.write(at("log"), asByteString("one\n"));
    other.write(at("log"), asByteString("other\n"));
    file.write(at("log"), asByteString("two\n"));
    other.reopen();
    expect(readFileSync(at("log"), "utf8")).toBe("before\none\nother\ntwo\n");
  });

  test("takes bytes as they are", () => {
    file.write(at("log"), asByteString("\xe9\xa2\x91\xff\n"));
    expect([...readFileSync(at("log"))]).toEqual([0xe9, 0xa2, 0x91, 0xff, 0x0a]);
  });

  test("is renewed after a rotation", () => {
    file.write(at("log"), asByteString("one\n"));
    renameSync(at("log"), at("log.1"));
    file.write(at("log"), asByteString("two\n"));
    file.reopen();
    expect(openFiles()).toEqual([]);
    expect(existsSync(at("log"))).toBe(false);
    file.write(at("log"), asByteString("three\n"));
    expect(readFileSync(at("log.1"), "utf8")).toBe("one\ntwo\n");
    expect(readFileSync(at("log"), "utf8")).toBe("three\n");
  });

  test("goes to another path with the next line", () => {
    file.write(at("a"), asByteString("one\n"));
    file.write(at("b"), asByteString("two\n"));
    expect(readFileSync(at("a"), "utf8")).toBe("one\n");
    expect(readFileSync(at("b"), "utf8")).toBe("two\n");
    expect(openFiles()).toHaveLength(1);
  });
});

describe("trouble with the file", () => {
  test("is told once a path, and every line tries again", () => {
    const path = at("later/log");
    for (let i = 0; i < 3; i++) file.write(path, asByteString("lost\n"));
    file.reopen();
    file.write(path, asByteString("lost\n"));
    expect(log.lines).toEqual([`ERROR Failed to open access log ${path}: no such file or directory`]);
    file.write(directory, asByteString("lost\n"));
    expect(log.lines.slice(1)).toEqual([
      `ERROR Failed to open access log ${directory}: illegal operation on a directory`,
    ]);
    mkdirSync(at("later"));
    file.write(path, asByteString("kept\n"));
    expect(readFileSync(path, "utf8")).toBe("kept\n");
    expect(log.lines).toHaveLength(2);
  });

  test("a full disk is told once", () => {
    for (let i = 0; i < 3; i++) file.write("/dev/full", asByteString("lost\n"));
    expect(log.lines).toEqual(["ERROR Failed to write access log /dev/full: no space left on device"]);
    file.write(at("log"), asByteString("kept\n"));
    expect(readFileSync(at("log"), "utf8")).toBe("kept\n");
  });

  test("a pipe whose reader has stopped makes nobody wait, and what is lost is counted", () => {
    Bun.spawnSync(["mkfifo", at("pipe")]);
    const reader = openSync(at("pipe"), constants.O_RDWR | constants.O_NONBLOCK);
    for (let i = 0; i < 10_000; i++) file.write(at("pipe"), asByteString(`${"x".repeat(100)}\n`));
    expect(log.lines).toEqual([]);
    file.reopen();
    expect(log.lines).toEqual([
      expect.stringMatching(new RegExp(`^WARN \\d{4} lines of access log ${at("pipe")} were lost: nobody read it$`)),
    ]);
    closeSync(reader);
  });

  test("a pipe that nobody reads makes nobody wait", () => {
    Bun.spawnSync(["mkfifo", at("pipe")]);
    file.write(at("pipe"), asByteString("lost\n"));
    expect(log.lines).toEqual([`ERROR Failed to open access log ${at("pipe")}: no such device or address`]);
  });
});
