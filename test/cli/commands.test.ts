import { describe, expect, test } from "bun:test";
import { type Implementations, runCli } from "../../src/cli/commands.ts";
import { usageText, versionText } from "../../src/cli/help.ts";
import type { ReloadSettings } from "../../src/config/load.ts";
import type { Settings } from "../../src/config/settings.ts";
import type { ProbeRequest } from "../../src/probe/probe.ts";
import { type Files, readerOf } from "../config/files.ts";

const TRY_HELP = "Try 'sluice --help' for all commands and options.\n";

interface Call {
  readonly command: string;
  readonly settings: Settings;
  readonly reload?: ReloadSettings;
  readonly request?: ProbeRequest;
}

function run(...argv: string[]) {
  return runWith({}, ...argv);
}

async function runWith(files: Files, ...argv: string[]) {
  const calls: Call[] = [];
  const implementations: Implementations = {
    serve: async (settings, reload) => void calls.push({ command: "serve", settings, reload }),
    demo: async (settings) => void calls.push({ command: "demo", settings }),
    probe: async (settings, request) => calls.push({ command: "probe", settings, request }) - 1,
  };
  let stdout = "";
  let stderr = "";
  const status = await runCli(argv, implementations, {
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
    readFile: readerOf(files),
    terminal: false,
  });
  const [call] = calls;
  return { status, stdout, stderr, command: call?.command, settings: call?.settings, call, calls: calls.length };
}

describe("which command runs", () => {
  test.each([
    [[], "serve", 5140],
    [["-l", "80"], "serve", 80],
    [["serve", "-l", "80"], "serve", 80],
    [["demo"], "demo", 5140],
    [["demo", "-l", "80"], "demo", 80],
    [["", "-l80"], "serve", 80],
    [["--"], "serve", 5140],
    [["-U", "--no-fast-start", "-l80"], "serve", 80],
  ])("%p", async (argv, command, port) => {
    const outcome = await run(...argv);
    expect(outcome).toMatchObject({ status: 0, stdout: "", stderr: "", command, calls: 1 });
    expect(outcome.settings?.listen).toEqual([{ host: undefined, port }]);
    expect(outcome.settings?.given.has("listen")).toBe(argv.length > 1 && argv[0] !== "--");
  });
});

describe("words that start nothing", () => {
  const COMMANDS = "the commands are serve, demo, probe, config check, help and version; without one, serve\n";

  test.each([
    ["doctor", ""],
    ["worker9", ""],
    ["constructor", ""],
    ["start", "; did you mean 'serve'?"],
    ["sevre", "; did you mean 'serve'?"],
    ["demos", "; did you mean 'demo'?"],
    ["check", "; did you mean 'config check'?"],
    ["--help-me", undefined],
    ["5140", ""],
  ])("%s", async (word, hint) => {
    const outcome = await run(word, "-l", "80");
    expect(outcome).toMatchObject({ status: 1, calls: 0 });
    expect(outcome.stdout).toBe(`[Supervisor] Unknown ${hint === undefined ? "option" : "command"}! ${word}\n`);
    if (hint === undefined) return;
    expect(outcome.stderr).toBe(`sluice: unknown command '${word}'${hint}\n${COMMANDS}${TRY_HELP}`);
  });

  test.each(["serve demo", "demo serve -l80", "-l 80 demo", "-- demo", "demo now"])("%s", async (words) => {
    const outcome = await run(...words.split(" "));
    expect(outcome).toMatchObject({ status: 1, calls: 0 });
    expect(outcome.stderr).toContain("unexpected word");
  });

  test("help and version do what the options do", async () => {
    expect(await run("help")).toMatchObject({ status: 0, stdout: usageText(), stderr: "", calls: 0 });
    expect(await run("version")).toMatchObject({ status: 0, stdout: versionText(), stderr: "", calls: 0 });
  });
});

test.each(["serve", "demo"])("help and version of %s start nothing", async (command) => {
  const nothing = { status: 0, stderr: "", calls: 0 };
  expect(await run(command, "--help")).toMatchObject({ ...nothing, stdout: usageText() });
  expect(await run(command, "-m0", "-h")).toMatchObject({ ...nothing, stdout: usageText() });
  expect(await run(command, "--version")).toMatchObject({ ...nothing, stdout: versionText() });
});

test("an unknown option is told to the log and to standard error", async () => {
  expect(await run("-q", "-m", "0", "--bogus")).toEqual({
    status: 1,
    stdout: `[Supervisor] Invalid maxclients! Must be between 1 and 65535. Ignoring.
[Supervisor] Unknown option! --bogus
`,
    stderr: `sluice: unrecognized option '--bogus'\n${TRY_HELP}`,
    command: undefined,
    settings: undefined,
    call: undefined,
    calls: 0,
  });
});

test("an impossible address to listen on ends with status 1", async () => {
  expect(await run("-l", "[::1")).toMatchObject({
    status: 1,
    stdout: '[Supervisor] Invalid listen address "[::1": write an IPv6 address as [ADDRESS]:PORT\n',
    stderr: "",
    calls: 0,
  });
});

test("a bad value is logged and the command runs", async () => {
  expect(await run("-m", "0")).toMatchObject({
    status: 0,
    stdout: "[Supervisor] Invalid maxclients! Must be between 1 and 65535. Ignoring.\n",
    stderr: "",
    settings: { maxClients: 5 },
  });
});

test.each(["loud", "-1", "0x4"])("the level %p silences nothing", async (level) => {
  const text = `[global]\nverbosity = ${level}\nbogus = 1\n`;
  const { stdout, settings } = await runWith({ "my.conf": text }, "-c", "my.conf");
  expect(stdout.split("\n")).toEqual([
    expect.stringContaining(`Invalid verbosity value: ${level}!`),
    expect.stringContaining("Unknown config parameter: bogus"),
    "",
  ]);
  expect(settings?.verbosity).toBe(1);
});

test("complaints about the configuration are shown to who wants quiet", async () => {
  const files = { "my.conf": "[global]\nmaxclient = 7\nverbosity = 0\n" };
  const complaint = "[Supervisor] Unknown config parameter: maxclient; did you mean maxclients? (my.conf line 2)\n";
  expect((await runWith(files, "-c", "my.conf")).stdout).toBe(complaint);
  expect((await runWith(files, "-q", "-c", "my.conf")).stdout).toBe(complaint);
  expect((await runWith({ "my.conf": "[global]\n" }, "-q", "-c", "my.conf")).stdout).toBe("");
});

test("a failure of the command is the caller's to handle", async () => {
  const fail = () => Promise.reject(new Error("no socket"));
  await expect(runCli([], { serve: fail, demo: fail, probe: fail })).rejects.toThrow("no socket");
});

test("words that citty itself cannot read are read", async () => {
  expect(await run("-_")).toMatchObject({ status: 1, calls: 0 });
  expect(await run("demo", "--__proto__=1")).toMatchObject({ status: 1, calls: 0 });
});

describe("config files", () => {
  const DEFAULT = "/etc/sluice.conf";

  test("set what the command line does not", async () => {
    const files = { [DEFAULT]: "[global]\nmaxclients = 7\nworkers = 3\n" };
    expect(await runWith(files, "-w", "2")).toMatchObject({ stdout: "", settings: { maxClients: 7, workers: 2 } });
  });

  test("report in the log, at the level that they set", async () => {
    const text = "[global]\nworkers = 3\nverbosity = 2\nbogus = 1\n";
    expect((await runWith({ [DEFAULT]: text }, "-m0", "-w", "2")).stdout).toBe(
      `[Supervisor] Invalid maxclients! Must be between 1 and 65535. Ignoring.
[Supervisor] Config file value "workers" ignored (already set on command line) (/etc/sluice.conf line 2)
[Supervisor] Unknown config parameter: bogus (/etc/sluice.conf line 4)
`,
    );
  });

  test("are missed at the level of warnings", async () => {
    expect((await run("-v2")).stdout).toBe("[Supervisor] No config file found\n");
    expect((await run("-v2", "-C")).stdout).toBe("");
  });

  test("that are named and cannot be read are told by name", async () => {
    const { stdout, status } = await run("-c", "my.conf");
    expect(stdout).toBe("[Supervisor] Cannot open config file my.conf: no such file or directory\n");
    expect(status).toBe(1);
    // Whatever the level, and with no word of what was right so far.
    expect(await runWith({ "my.conf": "\0" }, "-q", "-c", "my.conf")).toMatchObject({ status: 1, calls: 0 });
  });

  test("can be read again by what serves", async () => {
    const files: Record<string, string> = { "my.conf": "[global]\nmaxclients = 7\nworkers = 3\n" };
    const { call } = await runWith(files, "-c", "my.conf", "-w", "2");
    if (!call?.reload) throw new Error("it did not run");
    files["my.conf"] = "[global]\nmaxclients = 8\n";
    expect(call.reload(call.settings)).toMatchObject({
      kind: "loaded",
      path: "my.conf",
      settings: { maxClients: 8, workers: 2 },
    });
  });

  test("are not looked for by the demo, but may be named", async () => {
    const files = { [DEFAULT]: "[global]\nmaxclients = 7\n", x: "[global]\nverbosity = 3\n" };
    expect((await runWith(files, "demo")).settings?.maxClients).toBe(5);
    const { settings } = await runWith(files, "demo", "-c", "x");
    expect(settings).toMatchObject({ maxClients: 5, verbosity: 3 });
    expect(settings?.given.has("verbosity")).toBe(true);
    expect(await runWith(files, "demo", "-c", "missing")).toMatchObject({ status: 1, calls: 0 });
  });
});

describe("config check", () => {
  test("checks the file that is named, or the default one", async () => {
    const files = { "my.conf": "[global]\nbogus = 1\n", "/etc/rtp2httpd.conf": "[global]\nmaxclients = 7\n" };
    const named = await runWith(files, "config", "check", "my.conf");
    expect(named).toMatchObject({ status: 1, stderr: "my.conf:2: error: Unknown config parameter: bogus\n", calls: 0 });
    const found = await runWith(files, "config", "check");
    expect(found).toMatchObject({ status: 0, stderr: "", calls: 0 });
    expect(found.stdout).toContain("\nmaxclients = 7\n");
  });

  test.each([[[]], [["look"]], [["check", "a", "b"]], [["check", "-x"]], [["check", "--__proto__=1"]]])(
    "config %p is no command",
    async (words) => {
      const stderr = `sluice: the command is 'config check [FILE]'\n${TRY_HELP}`;
      expect(await run("config", ...words)).toMatchObject({ status: 1, stdout: "", stderr, calls: 0 });
    },
  );

  test.each(["-h", "--help"])("config %s helps", async (word) => {
    expect(await run("config", word)).toMatchObject({ status: 0, stdout: usageText(), stderr: "", calls: 0 });
  });
});

describe("probe", () => {
  test.each([
    [["probe", "rtp://239.1.1.1:5000"], { target: "rtp://239.1.1.1:5000", seconds: 10, json: false }],
    [["probe", "--json", "News/One", "--seconds", "3"], { target: "News/One", seconds: 3, json: true }],
    [["probe", "--seconds=60", "-r", "eth1", "udp://x:1"], { target: "udp://x:1", seconds: 60, json: false }],
    [["probe", "--", "-strange name"], { target: "-strange name", seconds: 10, json: false }],
  ])("%p", async (argv, request) => {
    expect((await run(...argv)).call).toMatchObject({ command: "probe", request });
  });

  test.each([
    [["probe"], /nothing to probe: the command is 'probe URL\|CHANNEL/],
    [["probe", "a", "b"], /'b' is one word too many/],
    [["probe", "a", "--seconds", "0"], /--seconds: '0' is not a number from 1 to 3600/],
    [["probe", "a", "--seconds"], /--seconds: '' is not a number/],
    [["probe", "a", "--seconds=1e3"], /--seconds: '1e3' is not/],
    [["probe", "a", "--no-such"], /unrecognized option '--no-such'/],
    [["probe", "a", "-w"], /option requires an argument -- 'w'/],
  ])("%p is refused", async (argv, reason) => {
    const { status, stdout, stderr, calls } = await run(...argv);
    expect({ status, stdout, calls }).toEqual({ status: 1, stdout: "", calls: 0 });
    expect(stderr).toMatch(reason);
  });

  test("keeps standard output for what it finds", async () => {
    const { stdout, stderr, call } = await run("probe", "a", "-m", "0");
    expect([stdout, call?.command]).toEqual(["", "probe"]);
    expect(stderr).toContain("[Probe] Invalid maxclients!");
  });
});
