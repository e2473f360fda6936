import { describe, expect, test } from "bun:test";
import type { Diagnostic } from "../../src/config/diagnostic.ts";
import { loadSettings, reloadSettings } from "../../src/config/load.ts";
import { DEFAULT_CONFIG_PATHS } from "../../src/config/options.ts";
import type { Settings } from "../../src/config/settings.ts";
import { LOG_ERROR, LOG_FATAL, LOG_WARN } from "../../src/system/log.ts";
import { commandLineOf, load, loadText, readerOf } from "./files.ts";

const [FIRST = "", SECOND = "", THIRD = ""] = DEFAULT_CONFIG_PATHS;
const text = (maxClients: number) => `[global]\nmaxclients = ${maxClients}\n`;

const missing = (file: string): Diagnostic => ({
  level: LOG_FATAL,
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

  test("that is there and cannot be read is not passed over", () => {
    const loaded = loadSettings(commandLineOf([]), (path) =>
      path === FIRST ? { code: "EACCES", reason: "permission denied" } : readerOf({ [THIRD]: text(13) })(path),
    );
    const message = `Cannot open config file ${FIRST}: permission denied`;
    expect(loaded).toEqual({ kind: "refused", diagnostics: [{ level: LOG_FATAL, message, file: FIRST }] });
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

  test.each(["-c none", "-c none -c a", "-c a -c none", "-C -c none", "-c none -C"])(
    "%p, of which none cannot be read",
    (argv) => {
      const loaded = loadSettings(commandLineOf(argv.split(" ")), readerOf(files));
      expect(loaded).toEqual({ kind: "refused", diagnostics: [missing("none")] });
    },
  );

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
  const ARGV = ["-w", "2", "-c", "first", "-c", "x"];
  const commandLine = commandLineOf(ARGV);
  const { settings: DEFAULTS } = load(["-C"], {});

  test("keeps the command line, and a key that is gone has its default again", () => {
    const files: Record<string, string> = {
      first: "[global]\nfast-start = 0\n",
      x: "[global]\nxff = 1\nworkers = 9\n",
    };
    const before = load(ARGV, files);
    expect(before.settings).toMatchObject({ workers: 2, xff: true, fastStart: false });
    files["x"] = "[global]\nmaxclients = 9\n";
    const after = reloadSettings(commandLine, before.path, readerOf(files), before.settings);
    // Only the last file is read again (config.md section 2).
    const settings = { workers: 2, xff: false, maxClients: 9, fastStart: true };
    expect(after).toMatchObject({ kind: "loaded", path: "x", diagnostics: [], settings });
    expect(before.settings).toMatchObject({ xff: true, maxClients: 5 });
  });

  test("tells again what the command line overrides", () => {
    const again = reloadSettings(commandLine, "x", readerOf({ x: "[global]\nworkers = 9" }), DEFAULTS);
    const message = 'Config file value "workers" ignored (already set on command line)';
    expect(again).toMatchObject({ diagnostics: [{ level: LOG_WARN, message, file: "x", line: 2 }] });
  });

  test("fails when the file cannot be opened, and does not look elsewhere", () => {
    expect(reloadSettings(commandLine, "gone", readerOf({ [FIRST]: "" }), DEFAULTS)).toEqual({
      kind: "refused",
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
    expect(reloadSettings(commandLine, undefined, readerOf({ [FIRST]: "" }), DEFAULTS)).toEqual({ kind: "no-file" });
  });
});

describe("what cannot be meant", () => {
  const SOUND = "[global]\nr2h-token = secret\n[bind]\n127.0.0.1 5140\n";
  const inUtf16 = new TextDecoder().decode(Buffer.from(`\ufeff${SOUND}`, "utf16le"));
  const meaningless: [what: string, text: string, reason: string][] = [
    ["an empty file", "", "it is empty"],
    ["blanks", " \r\n\t\n", "it is empty"],
    ["UTF-16", inUtf16, "it has NUL bytes"],
    ["zeros of a power cut", SOUND + "\0".repeat(100), "it has NUL bytes"],
    ["anything else", "<html>\n<title>504</title>\n", "none of [global], [bind] and [services] is in it"],
    ["a header cut short", "# sluice\n[glob", "none of [global], [bind] and [services] is in it"],
    ["listeners that are none", "[global]\nxff = 1\n[bind]\n192.168.1.1:5140\n", "no line of [bind] in it can be used"],
  ];
  const argv = ["-c", "x"];

  test.each(meaningless)("%s is refused at the start", (_, content, reason) => {
    expect(loadSettings(commandLineOf(argv), readerOf({ x: content }))).toMatchObject({
      kind: "refused",
      diagnostics: expect.arrayContaining([
        { level: LOG_FATAL, message: expect.stringContaining(`Cannot use config file x: ${reason}`), file: "x" },
      ]),
    });
    expect(loadSettings(commandLineOf([]), readerOf({ [FIRST]: content })).kind).toBe("refused");
  });

  test.each(meaningless)("%s is refused at a reload", (_, content, reason) => {
    const { settings } = load(argv, { x: SOUND });
    const reload = reloadSettings(commandLineOf(argv), "x", readerOf({ x: content }), settings);
    expect(reload).toMatchObject({
      kind: "refused",
      diagnostics: expect.arrayContaining([
        {
          level: LOG_ERROR,
          message: expect.stringContaining(`Failed to parse config file during reload: x (${reason}`),
          file: "x",
        },
      ]),
    });
  });

  test("comments alone mean the defaults, at a reload only where there was no more before", () => {
    const files = { x: "# r2h-token = secret\n" };
    const { settings } = load(argv, files);
    expect(settings.r2hToken).toBeUndefined();
    const again = (before: Settings) => reloadSettings(commandLineOf(argv), "x", readerOf(files), before);
    expect(again(settings).kind).toBe("loaded");
    expect(again(load(argv, { x: "[services]\n#EXTM3U\n" }).settings).kind).toBe("refused");
    expect(again(load(argv, { x: "[global]\nxff = 1\n" }).settings)).toMatchObject({
      diagnostics: [{ message: "Failed to parse config file during reload: x (it has no section any more)" }],
    });
  });
});

describe("wider access at a reload", () => {
  const BEFORE = "[global]\nmaxclients = 7\nudpxy = no\nhostname = tv\nr2h-token = secret\n[bind]\n127.0.0.1 5140\n";

  function reload(after: string, ...argv: string[]) {
    const words = [...argv, "-c", "x"];
    return reloadSettings(commandLineOf(words), "x", readerOf({ x: after }), load(words, { x: BEFORE }).settings);
  }

  test.each([
    ["udpxy = no\n", 'it says no udpxy any more; to mean wider access, say "udpxy = on"'],
    ["hostname = tv\n", 'it says no hostname any more; to mean wider access, say "hostname ="'],
    ["r2h-token = secret\n", 'it says no r2h-token any more; to mean wider access, say "r2h-token ="'],
    ["[bind]\n127.0.0.1 5140\n", "it says no [bind] any more; to mean all addresses, say so there"],
  ])("does not come from the lack of %j", (lost, reason) => {
    const message = `Failed to parse config file during reload: x (${reason})`;
    const diagnostics: Diagnostic[] = [{ level: LOG_ERROR, message, file: "x" }];
    expect(reload(BEFORE.replace(lost, ""))).toEqual({ kind: "refused", diagnostics });
  });

  test("comes when the file says so", () => {
    const after = "[global]\nudpxy = on\nhostname =\nr2h-token =\n[bind]\n* 5140\n";
    expect(reload(after)).toMatchObject({
      kind: "loaded",
      settings: { udpxy: true, hostname: undefined, r2hToken: undefined, listen: [{ host: undefined, port: 5140 }] },
    });
  });

  test("is not what another value is, nor the lack of what means nothing", () => {
    expect(reload(BEFORE.replace("secret", "other").replace("127.0.0.1", "127.0.0.2")).kind).toBe("loaded");
    expect(reload(BEFORE.replace("maxclients = 7\n", ""))).toMatchObject({ settings: { maxClients: 5 } });
    expect(reload("[global]\nxff = 1\n", "-T", "t", "-H", "h", "-U", "-l", "80").kind).toBe("loaded");
    const opened = load(["-c", "x"], { x: "[global]\nudpxy = on\nr2h-token =\n" }).settings;
    const files = readerOf({ x: "[global]\nmaxclients = 3\n" });
    expect(reloadSettings(commandLineOf(["-c", "x"]), "x", files, opened).kind).toBe("loaded");
  });

  test("of a file cut short anywhere never comes", () => {
    for (let length = 0; length < BEFORE.length; length++) {
      const outcome = reload(BEFORE.slice(0, length));
      if (outcome.kind !== "loaded") continue;
      const { r2hToken, hostname, udpxy, listen } = outcome.settings;
      expect({ r2hToken, hostname, udpxy }).toMatchObject({
        r2hToken: "secret",
        hostname: { text: "tv" },
        udpxy: false,
      });
      expect(listen).toMatchObject([{ host: "127.0.0.1" }]);
    }
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
  expect(() => loadText("[bind]\n* http-alt\n")).toThrow("no line of [bind] in it can be used");
});
