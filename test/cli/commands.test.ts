import { describe, expect, test } from "bun:test";
import { type Implementations, runCli } from "../../src/cli/commands.ts";
import { usageText, versionText } from "../../src/cli/help.ts";
import type { Settings } from "../../src/config/settings.ts";

async function run(...argv: string[]) {
  const calls: [command: string, settings: Settings][] = [];
  const implementations: Implementations = {
    serve: async (settings) => void calls.push(["serve", settings]),
    demo: async (settings) => void calls.push(["demo", settings]),
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
    terminal: false,
  });
  return { status, stdout, stderr, command: calls[0]?.[0], settings: calls[0]?.[1], calls: calls.length };
}

describe("which command runs", () => {
  test.each([
    [[], "serve", 5140],
    [["-l", "80"], "serve", 80],
    [["serve", "-l", "80"], "serve", 80],
    [["demo"], "demo", 5140],
    [["demo", "-l", "80"], "demo", 80],
    // Only the first word names a command; later ones are words without meaning.
    [["-l", "80", "demo"], "serve", 80],
    [["demos", "-l80"], "serve", 80],
    [["demo", "serve", "-l80"], "demo", 80],
    [["--", "demo"], "serve", 5140],
    [["-U", "--no-fast-start", "-l80"], "serve", 80],
  ])("%p", async (argv, command, port) => {
    const outcome = await run(...argv);
    expect(outcome).toMatchObject({ status: 0, stdout: "", stderr: "", command, calls: 1 });
    expect(outcome.settings?.listen).toEqual([{ host: undefined, port }]);
    expect(outcome.settings?.given.has("listen")).toBe(argv.length > 1 && argv[0] !== "--");
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
    stdout: "[Supervisor] Unknown option! --bogus\n",
    stderr: `sluice: unrecognized option '--bogus'\n${usageText()}`,
    command: undefined,
    settings: undefined,
    calls: 0,
  });
});

test("an impossible address to listen on ends with status 1", async () => {
  expect(await run("-l", "/run/sluice.sock")).toMatchObject({
    status: 1,
    stdout: '[Supervisor] Invalid listen address "/run/sluice.sock": Unix sockets are not supported yet\n',
    stderr: "",
    calls: 0,
  });
});

test("a bad value is logged and the command runs", async () => {
  expect(await run("-m", "0")).toMatchObject({
    status: 0,
    stdout: "[Supervisor] Invalid maxclients! Must be between 1 and 256. Ignoring.\n",
    stderr: "",
    settings: { maxClients: 5 },
  });
});

test("a failure of the command is the caller's to handle", async () => {
  const fail = () => Promise.reject(new Error("no socket"));
  await expect(runCli([], { serve: fail, demo: fail })).rejects.toThrow("no socket");
});

test("words that citty itself cannot read are read", async () => {
  expect(await run("-_")).toMatchObject({ status: 1, calls: 0 });
  expect(await run("demo", "--__proto__=1")).toMatchObject({ status: 1, calls: 0 });
});
