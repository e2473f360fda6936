/** The commands: `serve`, which is the default, `demo`, `probe`, `config check`, `help` and `version`. */

import { type ArgsDef, defineCommand, runCommand } from "citty";
import { logDiagnostics } from "../config/diagnostic.ts";
import { type CommandLine, loadSettings, type ReloadSettings, reloadSettings } from "../config/load.ts";
import { OPTIONS } from "../config/options.ts";
import { PROGRAM_NAME, PROGRAM_VERSION } from "../config/program.ts";
import type { Settings } from "../config/settings.ts";
import type { ProbeRequest } from "../probe/probe.ts";
import { createLog, LOG_FATAL } from "../system/log.ts";
import { nearestWord } from "../wire/text/nearest-word.ts";
import { COMMANDS, parseArguments } from "./arguments.ts";
import { type CliIo, PROCESS_IO } from "./cli-io.ts";
import { checkConfig } from "./config-check.ts";
import { refusalText, usageText, versionText } from "./help.ts";
import { probeRequest, takeProbeOptions } from "./probe-arguments.ts";

/** What the commands do, handed in so that a command's code is loaded only when the command runs. */
export interface Implementations {
  serve(settings: Settings, reload: ReloadSettings): Promise<void>;
  demo(settings: Settings, reload: ReloadSettings): Promise<void>;
  /** Resolves with the exit status. */
  probe(settings: Settings, request: ProbeRequest, io: Pick<CliIo, "stdout" | "stderr">): Promise<number>;
}

type ServingCommand = "serve" | "demo";

const DESCRIPTIONS: Readonly<Record<ServingCommand, string>> = {
  serve: "Relay channels",
  demo: "Relay built-in demonstration channels",
};

/**
 * Runs the command that `argv` (without program name) asks for, and returns the exit status: 0, or 1 for a command
 * line that cannot be served. Rejects with what the implementation rejects with. Assign the status to
 * `process.exitCode`: the implementation may resolve while its sockets still serve.
 */
export async function runCli(
  argv: readonly string[],
  implementations: Implementations,
  io: CliIo = PROCESS_IO,
): Promise<number> {
  const [first = "", ...following] = argv;
  if (first === "help" || first === "version") return say(first, io);
  if (first !== "" && !first.startsWith("-") && !COMMANDS.includes(first)) return refuseCommand(first, io);
  // citty takes the first word without a dash for a command, which would be the 5140 of `-l 5140`.
  const serving = first === "serve" || first === "demo" ? first : undefined;
  const words = COMMANDS.includes(first) ? following : argv;
  const command =
    first === "config"
      ? createConfigCommand(io)
      : first === "probe"
        ? createProbeCommand(implementations, io)
        : createServingCommand(serving ?? "serve", implementations, io);
  // The `--` keeps citty from reading the options: it keeps no repeats, lets unknown ones pass and throws at `-_`.
  const { result } = await runCommand(command, { rawArgs: ["--", ...words] });
  return result === 0 ? 0 : 1;
}

function say(what: "help" | "version", { stdout }: CliIo): number {
  stdout(what === "help" ? usageText() : versionText());
  return 0;
}

/** What commands are called elsewhere. */
const OTHER_NAMES: Readonly<Record<string, ServingCommand | "config check">> = {
  start: "serve",
  run: "serve",
  relay: "serve",
  server: "serve",
  daemon: "serve",
  check: "config check",
  validate: "config check",
};

/** To start the relay for a word that is not understood would be an answer to another question. */
function refuseCommand(word: string, { stdout, stderr, ...format }: CliIo): number {
  const log = createLog({ level: LOG_FATAL, prefix: "Supervisor", write: stdout, ...format });
  log.fatal(`Unknown command! ${word}`);
  const near = Object.hasOwn(OTHER_NAMES, word) ? OTHER_NAMES[word] : nearestWord(word, COMMANDS);
  const known = "the commands are serve, demo, probe, config check, help and version; without one, serve";
  stderr(refusalText(`unknown command '${word}'${near === undefined ? "" : `; did you mean '${near}'?`}`, known));
  return 1;
}

function createServingCommand(name: ServingCommand, implementations: Implementations, io: CliIo) {
  return defineCommand({
    meta: { name: `${PROGRAM_NAME} ${name}`, version: PROGRAM_VERSION, description: DESCRIPTIONS[name] },
    args: cittyArguments(),
    run: ({ rawArgs }) => runParsed(name, rawArgs.slice(1), implementations, io),
  });
}

function cittyArguments(): ArgsDef {
  return Object.fromEntries(
    OPTIONS.map(({ long, short = [], argument, help }) => [
      long,
      argument === undefined
        ? { type: "boolean", alias: short, description: help }
        : { type: "string", alias: short, description: help, valueHint: argument },
    ]),
  );
}

function createProbeCommand(implementations: Implementations, io: CliIo) {
  return defineCommand({
    meta: { name: `${PROGRAM_NAME} probe`, version: PROGRAM_VERSION, description: "Tell what an upstream sends" },
    args: cittyArguments(),
    run: ({ rawArgs }) => runProbeCommand(rawArgs.slice(1), implementations, io),
  });
}

/** What it finds is on standard output; the log and all trouble are on standard error. */
async function runProbeCommand(words: readonly string[], implementations: Implementations, io: CliIo): Promise<number> {
  const { stderr, readFile } = io;
  const probeWords = takeProbeOptions(words);
  if (typeof probeWords === "string") return refuse(probeWords, io);
  const { commandLine, diagnostics, action, operands } = parseArguments(probeWords.others, true);
  if (action.kind === "help" || action.kind === "version") return say(action.kind, io);
  if (action.kind === "usage") return refuse(action.diagnostic, io);
  const log = createLog({ level: commandLine.values.verbosity, prefix: "Probe", write: stderr, terminal: false });
  const loaded = action.kind === "run" ? loadSettings(commandLine, readFile) : undefined;
  logDiagnostics(log, [...diagnostics, ...(loaded?.diagnostics ?? [])]);
  if (loaded?.kind !== "loaded") return 1;
  const request = probeRequest(probeWords, operands);
  return typeof request === "string" ? refuse(request, io) : implementations.probe(loaded.settings, request, io);
}

function refuse(problem: string, { stderr }: CliIo): number {
  stderr(refusalText(problem));
  return 1;
}

function createConfigCommand(io: CliIo) {
  return defineCommand({
    meta: { name: `${PROGRAM_NAME} config check`, version: PROGRAM_VERSION, description: "Check a config file" },
    run: async ({ rawArgs }) => runConfigCommand(rawArgs.slice(1), io),
  });
}

function runConfigCommand(words: readonly string[], io: CliIo): number {
  const [verb, file, ...others] = words;
  if (words.includes("-h") || words.includes("--help")) {
    io.stdout(usageText());
    return 0;
  }
  if (verb === "check" && !file?.startsWith("-") && others.length === 0) return checkConfig(file, io);
  io.stderr(refusalText("the command is 'config check [FILE]'"));
  return 1;
}

/** Does what the options ask for, which may be less than to run the command. Returns the exit status. */
async function runParsed(
  name: ServingCommand,
  argv: readonly string[],
  implementations: Implementations,
  io: CliIo,
): Promise<number> {
  const { stdout, stderr, readFile, ...format } = io;
  const { commandLine, diagnostics, action } = parseArguments(argv);
  if (action.kind === "help" || action.kind === "version") return say(action.kind, io);
  const log = createLog({ level: commandLine.values.verbosity, prefix: "Supervisor", write: stdout, ...format });
  if (action.kind !== "run") {
    logDiagnostics(log, diagnostics);
    if (action.kind === "usage") stderr(refusalText(action.diagnostic));
    return 1;
  }
  const loaded = loadSettings(name === "demo" ? withoutDefaultFile(commandLine) : commandLine, readFile);
  if (loaded.kind === "loaded") log.level = loaded.settings.verbosity;
  logDiagnostics(log, [...diagnostics, ...loaded.diagnostics]);
  if (loaded.kind !== "loaded") return 1;
  await implementations[name](loaded.settings, (before) => reloadSettings(commandLine, loaded.path, readFile, before));
  return 0;
}

/** The demo shows the same everywhere, whatever the machine it runs on relays otherwise. */
function withoutDefaultFile(commandLine: CommandLine): CommandLine {
  return { ...commandLine, configFiles: [undefined, ...commandLine.configFiles] };
}
