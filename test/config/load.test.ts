import { describe, expect, test } from "bun:test";
import type { Diagnostic } from "../../src/config/diagnostic.ts";
import { loadSettings, reloadSettings } from "../../src/config/load.ts";
import { DEFAULT_CONFIG_PATHS } from "../../src/config/options.ts";
import { LOG_ERROR, LOG_WARN } from "../../src/system/log.ts";
import { commandLineOf, load, loadText, readerOf } from "./files.ts";

const [FIRST = "", SECOND = "", THIRD = ""] = DEFAULT_CONFIG_PATHS;
const text = (maxClients: number) => `[global]\nmaxclients = ${maxClients}\n`;

const missing = (file: string): Diagnostic => ({
  level: LOG_ERROR,
  message: `Cannot open config file ${file}: no such file or directory`,
  file,
});

describe("the default file", () => {
  test("is the first that can be read", () => {
    expect(DEFAULT_CONFIG_PATHS).toEqual(["/etc/sluice.conf", "/etc/rtp2httpd.conf", "/usr/local/etc/rtp2httpd.conf"]);
    const all = { [FIRST]: text(11), [SECOND]: text(12), [THIRD]: text(13) };
    expect(load([], all)).toMatchObject({ path: FIRST, diagnostics: [], settings: { maxClients: 11 } });
    expect(load([], { [SECOND]: text(12), [THIRD]: text(13) })).toMatchObject({ path: SECOND, diagnostics: [] });
    expect(load([], { [THIRD]: text(13) })).toMatchObject({ path: THIRD, diagnostics: [] });
  });

  test("may be missing", () => {
    const { path, diagnostics, settings } = load(["-m", "7"], {});
    expect(path).toBeUndefined();
    expect(diagnostics).toEqual([{ level: LOG_WARN, message: "No config file found" }]);
    expect(settings).toMatchObject({ maxClients: 7, services: "" });
  });

  test("that is there and cannot be read is told", () => {
    const loaded = loadSettings(commandLineOf([]), (path) =>
      path === FIRST ? { code: "EACCES", reason: "permission denied" } : readerOf({ [THIRD]: text(13) })(path),
    );
    expect(loaded.path).toBe(THIRD);
    const message = `Cannot open config file ${FIRST}: permission denied`;
    expect(loaded.diagnostics).toEqual([{ level: LOG_WARN, message, file: FIRST }]);
  });
});

describe("-c and -C", () => {
  const files = { a: text(21), b: "[global]\nmaxclients = 22\nxff = on\n", [FIRST]: text(11) };

  test.each<[argv: string, path: string | undefined, maxClients: number]>([
    ["", FIRST, 11],
    ["-C", undefined, 5],
    ["-c a", "a", 21],
    ["-c a -c b", "b", 22],
    ["-c b -c a", "a", 21],
    ["-C -c a", "a", 21],
    ["-c a -C", undefined, 21],
    ["-c a -C -c b", "b", 22],
    ["-c a -m 7 -c b", "b", 7],
  ])("%p", (argv, path, maxClients) => {
    const loaded = load(argv.split(" "), files);
    expect(loaded.path).toBe(path);
    expect(loaded.settings.maxClients).toBe(maxClients);
    expect(loaded.diagnostics.filter(({ level }) => level === LOG_ERROR)).toEqual([]);
  });

  test.each<[argv: string, path: string | undefined, maxClients: number]>([
    ["-c none", FIRST, 11],
    ["-c none -c a", "a", 21],
    ["-c a -c none", "a", 21],
    ["-C -c none", undefined, 5],
    ["-c none -C", undefined, 5],
    ["-c a -C -c none", undefined, 21],
  ])("%p, of which none cannot be read", (argv, path, maxClients) => {
    const loaded = load(argv.split(" "), files);
    expect(loaded).toMatchObject({ path, diagnostics: [missing("none")], settings: { maxClients } });
  });

  test("no file at all", () => {
    const { diagnostics } = load(["-c", "none"], {});
    expect(diagnostics).toEqual([missing("none"), { level: LOG_WARN, message: "No config file found" }]);
  });

  test("later files override keys and listeners, and go on with the playlist", () => {
    const one = "[global]\nmaxclients = 7\nxff = on\n[bind]\n* 80\n* 81\n[services]\n#EXTM3U\nrtp://239.0.0.1:1\n";
    const two = "[global]\nmaxclients = 8\n[bind]\n* 82\n[services]\nrtp://239.0.0.2:2\n";
    expect(load(["-c", "one", "-c", "two"], { one, two }).settings).toMatchObject({
      maxClients: 8,
      xff: true,
      listen: [{ host: undefined, port: 82 }],
      services: "#EXTM3U\nrtp://239.0.0.1:1\nrtp://239.0.0.2:2\n",
    });
  });
});

describe("a reload", () => {
  const commandLine = commandLineOf(["-w", "2", "-c", "first", "-c", "x"]);

  test("keeps the command line, and a key that is gone has its default again", () => {
    const files: Record<string, string> = { first: "[global]\nhostname = a\n", x: "[global]\nxff = 1\nworkers = 9\n" };
    const before = loadSettings(commandLine, readerOf(files));
    expect(before.settings).toMatchObject({ workers: 2, xff: true, hostname: { text: "a" } });
    files["x"] = "[global]\nmaxclients = 9\n";
    const after = reloadSettings(commandLine, before.path, readerOf(files));
    // Only the last file is read again (config.md section 2).
    const settings = { workers: 2, xff: false, maxClients: 9, hostname: undefined };
    expect(after).toMatchObject({ kind: "loaded", path: "x", diagnostics: [], settings });
    files["x"] = "";
    expect(reloadSettings(commandLine, "x", readerOf(files))).toMatchObject({
      settings: { maxClients: 5, xff: false },
    });
    expect(before.settings).toMatchObject({ xff: true, maxClients: 5 });
  });

  test("tells again what the command line overrides", () => {
    const again = reloadSettings(commandLine, "x", readerOf({ x: "[global]\nworkers = 9" }));
    const message = 'Config file value "workers" ignored (already set on command line)';
    expect(again).toMatchObject({ diagnostics: [{ level: LOG_WARN, message, file: "x", line: 2 }] });
  });

  test("fails when the file cannot be opened, and does not look elsewhere", () => {
    expect(reloadSettings(commandLine, "gone", readerOf({ [FIRST]: "" }))).toEqual({
      kind: "unreadable",
      path: "gone",
      diagnostics: [
        {
          level: LOG_ERROR,
          message: "Failed to parse config file during reload: gone (no such file or directory)",
          file: "gone",
        },
      ],
    });
  });

  test("without a file is none", () => {
    expect(reloadSettings(commandLine, undefined, readerOf({ [FIRST]: "" }))).toEqual({ kind: "no-file" });
  });
});

describe("zero-copy", () => {
  test("is off while there is a Unix socket", () => {
    const { settings, diagnostics } = load(["-ZCl", "80", "-l", "/run/x"], {});
    expect(settings.zerocopyOnSend).toBe(false);
    const message = "Zero-copy send disabled because Unix socket listener is configured";
    expect(diagnostics).toEqual([{ level: LOG_WARN, message }]);
  });

  test("is as given otherwise", () => {
    expect(load(["-ZC"], {}).settings.zerocopyOnSend).toBe(true);
    expect(load(["-Cl", "/run/x"], {}).diagnostics).toEqual([]);
  });
});

test("a port of [bind] may be a service name", () => {
  const files = { x: "[bind]\n* http-alt\n* bogus\n", "/etc/services": "http-alt 8080/tcp\n" };
  const { settings, diagnostics } = load(["-c", "x"], files);
  expect(settings.listen).toEqual([{ host: undefined, port: 8080 }]);
  expect(diagnostics.map(({ message }) => message)).toEqual([
    "Invalid TCP bind address line: unknown port bogus for *",
  ]);
  expect(loadText("[bind]\n* http-alt\n").settings.listen).toEqual([{ host: undefined, port: 5140 }]);
});
