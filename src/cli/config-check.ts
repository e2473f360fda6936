/** The command `config check`: what a config file says, and all that is wrong with it. */

import { configText } from "../config/config-text.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import { unixPaths } from "../config/listen.ts";
import { loadSettings } from "../config/load.ts";
import { startProblems } from "../supervisor/start-problems.ts";
import { LOG_DEBUG, LOG_ERROR, LOG_FATAL, LOG_INFO, LOG_WARN, type LogLevel } from "../system/log.ts";
import { unixListenersProblem } from "../system/unix-listeners.ts";
import { parseArguments } from "./arguments.ts";
import type { CliIo } from "./cli-io.ts";

const LEVEL_NAMES: Readonly<Record<LogLevel, string>> = {
  [LOG_FATAL]: "error",
  [LOG_ERROR]: "error",
  [LOG_WARN]: "warning",
  [LOG_INFO]: "note",
  [LOG_DEBUG]: "note",
};

/**
 * Prints the effective settings of the config file at `path`, as a config file, and every diagnostic as
 * `FILE:LINE: error: TEXT` on standard error. Without `path`, the file that the program would find is checked.
 * Returns the exit status: 1 if there is any diagnostic, but for what this machine does not have.
 */
export function checkConfig(path: string | undefined, { readFile, stdout, stderr }: CliIo): number {
  const { commandLine } = parseArguments(path === undefined ? [] : ["-C", "-c", path]);
  const loaded = loadSettings(commandLine, readFile);
  const found = [...loaded.diagnostics];
  const notes: Diagnostic[] = [];
  if (loaded.kind === "loaded") {
    const { settings, path: file } = loaded;
    found.push(...wholeFileDiagnostics(unixListenersProblem(unixPaths(settings.listen))?.message, file));
    // Another machine may be the one that it is for.
    for (const { message } of startProblems(settings))
      notes.push({ level: LOG_INFO, message, ...(file !== undefined && { file }) });
    if (file !== undefined) stdout(configText(settings));
  }
  for (const diagnostic of [...found, ...notes]) stderr(`${diagnosticText(diagnostic)}\n`);
  return found.length === 0 ? 0 : 1;
}

function wholeFileDiagnostics(message: string | undefined, file: string | undefined): Diagnostic[] {
  return message === undefined || file === undefined ? [] : [{ level: LOG_ERROR, message, file }];
}

function diagnosticText({ level, message, file, line }: Diagnostic): string {
  const place = `${file === undefined ? "" : `${file}:`}${line === undefined ? "" : `${line}:`}`;
  return `${place === "" ? "" : `${place} `}${LEVEL_NAMES[level]}: ${message}`;
}
