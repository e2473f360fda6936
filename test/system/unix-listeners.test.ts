import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { UnixListeners } from "../../src/system/unix-listeners.ts";
import { errorOf } from "../fakes/error-of.ts";
import { openSockets } from "../fakes/namespace.ts";
import { recordingLog } from "../fakes/recording-log.ts";

let directory = "";
let log = recordingLog();
let listeners = new UnixListeners(log);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sluice-unix-"));
  log = recordingLog();
  listeners = new UnixListeners(log);
});
afterEach(() => {
  listeners.close();
  rmSync(directory, { recursive: true });
});

function at(name: string): string {
  return join(directory, name);
}

/** The names of the files that are there. */
function present(...names: string[]): string[] {
  return names.filter((name) => existsSync(at(name)));
}

describe("Unix listeners", () => {
  test("are opened in the order of their paths, and closed with their files", () => {
    const before = openSockets();
    listeners.prepare([at("b"), at("a")]).commit();
    expect(listeners.all.map(({ path }) => path)).toEqual([at("b"), at("a")]);
    expect(log.lines).toEqual([`INFO Listening on Unix socket ${at("b")}`, `INFO Listening on Unix socket ${at("a")}`]);
    expect(openSockets(before)).toHaveLength(2);
    listeners.close();
    expect(listeners.all).toEqual([]);
    expect(present("a", "b")).toEqual([]);
    expect(openSockets(before)).toEqual([]);
  });

  test("may be 32, of different paths", () => {
    const paths = Array.from({ length: 33 }, (_, i) => at(`s${i}`));
    expect(errorOf(() => listeners.prepare(paths))).toMatchObject({
      code: "too-many",
      message: "Too many Unix socket listeners (max 32)",
    });
    expect(errorOf(() => listeners.prepare([at("a"), at("b"), at("a")]))).toMatchObject({
      code: "duplicate",
      message: `Duplicate Unix socket listener path: ${at("a")}`,
    });
    expect(present("a", "b", "s0")).toEqual([]);
    listeners.prepare(paths.slice(1)).commit();
    expect(listeners.all).toHaveLength(32);
  });

  test("are all or none", () => {
    const before = openSockets();
    writeFileSync(at("file"), "text");
    expect(errorOf(() => listeners.prepare([at("a"), at("file"), at("b")]))).toMatchObject({ code: "not-a-socket" });
    expect(listeners.all).toEqual([]);
    expect(present("a", "b", "file")).toEqual(["file"]);
    expect(openSockets(before)).toEqual([]);
  });
});

describe("a reload", () => {
  beforeEach(() => {
    listeners.prepare([at("a"), at("b")]).commit();
    log.lines.length = 0;
  });

  test("opens the new, keeps the unchanged, and closes the rest on commit", () => {
    const [a, b] = listeners.all;
    const change = listeners.prepare([at("c"), at("b")]);
    expect(log.lines).toEqual([
      `INFO Listening on Unix socket ${at("c")}`,
      `INFO Keeping Unix socket listener ${at("b")}`,
    ]);
    expect(listeners.all).toEqual([a!, b!]);
    expect(present("a", "b", "c")).toEqual(["a", "b", "c"]);
    change.commit();
    expect(listeners.all.map(({ path }) => path)).toEqual([at("c"), at("b")]);
    expect(listeners.all[1]).toBe(b!);
    expect(present("a", "b", "c")).toEqual(["b", "c"]);
  });

  test("can be taken back", () => {
    const before = listeners.all;
    listeners.prepare([at("c"), at("b")]).rollback();
    expect(listeners.all).toBe(before);
    expect(present("a", "b", "c")).toEqual(["a", "b"]);
  });

  test("that is refused takes itself back", () => {
    const before = listeners.all;
    writeFileSync(at("file"), "text");
    expect(errorOf(() => listeners.prepare([at("b"), at("c"), at("file")]))).toMatchObject({ code: "not-a-socket" });
    expect(listeners.all).toBe(before);
    expect(present("a", "b", "c", "file")).toEqual(["a", "b", "file"]);
  });

  test("makes a socket anew whose file was deleted", () => {
    const [a] = listeners.all;
    unlinkSync(at("a"));
    listeners.prepare([at("a"), at("b")]).commit();
    expect(listeners.all[0]).not.toBe(a!);
    expect(present("a", "b")).toEqual(["a", "b"]);
  });
});
