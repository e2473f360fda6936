/** The commands: `serve`, which is the default, and `demo`. */

import { type ArgsDef, defineCommand, runCommand } from "citty";
import { OPTIONS } from "../config/options.ts";
import { PROGRAM_NAME, PROGRAM_VERSION } from "../config/program.ts";
import type { Settings } from "../config/settings.ts";
import { createLog, LOG_FATAL, writeUnbuffered } from "../system/log.ts";
import { parseArguments } from "./arguments.ts";
import { usageText, versionText } from "./help.ts";

/** What the commands do, handed in so that a command's code is loaded only when the command runs. */
export interface Implementations {
  serve(settings: Settings): Promise<void>;
  demo(settings: Settings): Promise<void>;
}

type CommandName = keyof Implementations;

/** Where the command line speaks. The diagnostic log is on standard output (config.md section 13). */
export interface Streams {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Whether standard output is a terminal. Default: found out by the log. */
  readonly terminal?: boolean;
}

const STANDARD_STREAMS: Streams = {
  stdout: (text) => writeUnbuffered(1, text),
  stderr: (text) => writeUnbuffered(2, text),
};

const DESCRIPTIONS: Readonly<Record<CommandName, string>> = {
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
  streams: Streams = STANDARD_STREAMS,
): Promise<number> {
  // citty takes the first word without a dash for a command, which would be the 5140 of `-l 5140`.
  const named = argv[0] === "serve" || argv[0] === "demo" ? argv[0] : undefined;
  const words = named === undefined ? argv : argv.slice(1);
  const command = createCommand(named ?? "serve", implementations, streams);
  // The `--` keeps citty from reading the options: it keeps no repeats, lets unknown ones pass and throws at `-_`.
  const { result } = await runCommand(command, { rawArgs: ["--", ...words] });
  return result === 0 ? 0 : 1;
}

function createCommand(name: CommandName, implementations: Implementations, streams: Streams) {
  return defineCommand({
    meta: { name: `${PROGRAM_NAME} ${name}`, version: PROGRAM_VERSION, description: DESCRIPTIONS[name] },
    args: cittyArguments(),
    run: ({ rawArgs }) => runParsed(rawArgs.slice(1), implementations[name], streams),
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

/** Does what the options ask for, which may be less than to run the command. Returns the exit status. */
async function runParsed(
  argv: readonly string[],
  implementation: (settings: Settings) => Promise<void>,
  { stdout, stderr, ...format }: Streams,
): Promise<number> {
  const { settings, complaints, action } = parseArguments(argv);
  if (action.kind === "help" || action.kind === "version") {
    stdout(action.kind === "help" ? usageText() : versionText());
    return 0;
  }
  if (action.kind === "usage") stderr(`${PROGRAM_NAME}: ${action.diagnostic}\n`);
  const log = createLog({ level: settings.verbosity, prefix: "Supervisor", write: stdout, ...format });
  for (const { level, message } of complaints) {
    if (level === LOG_FATAL) log.fatal(message);
    else log.error(message);
  }
  if (action.kind === "usage") stderr(usageText());
  if (action.kind !== "run") return 1;
  await implementation(settings);
  return 0;
}
