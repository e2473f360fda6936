/** The command `config check`: what a config file says, and all that is wrong with it. */

import type { Complaint } from "../config/complaint.ts";
import { configText } from "../config/config-text.ts";
import { unixPaths } from "../config/listen.ts";
import { loadSettings } from "../config/load.ts";
import { LOG_DEBUG, LOG_ERROR, LOG_FATAL, LOG_INFO, LOG_WARN, type LogLevel } from "../system/log.ts";
import { unixListenersProblem } from "../system/unix-listeners.ts";
import { parseArguments } from "./arguments.ts";
import type { Surroundings } from "./surroundings.ts";

const LEVEL_NAMES: Readonly<Record<LogLevel, string>> = {
  [LOG_FATAL]: "error",
  [LOG_ERROR]: "error",
  [LOG_WARN]: "warning",
  [LOG_INFO]: "note",
  [LOG_DEBUG]: "note",
};

/**
 * Prints the effective settings of the config file at `path`, as a config file, and every complaint as
 * `FILE:LINE: error: TEXT` on standard error. Without `path`, the file that the program would find is checked.
 * Returns the exit status: 1 if there is any complaint.
 */
export function checkConfig(path: string | undefined, { readFile, stdout, stderr }: Surroundings): number {
  const { commandLine } = parseArguments(path === undefined ? [] : ["-C", "-c", path]);
  const { settings, complaints, path: file } = loadSettings(commandLine, readFile);
  const found = [
    ...complaints,
    ...wholeFileComplaints(unixListenersProblem(unixPaths(settings.listen))?.message, file),
  ];
  for (const complaint of found) stderr(`${complaintText(complaint)}\n`);
  if (file !== undefined) stdout(configText(settings));
  return found.length === 0 ? 0 : 1;
}

function wholeFileComplaints(message: string | undefined, file: string | undefined): Complaint[] {
  return message === undefined || file === undefined ? [] : [{ level: LOG_ERROR, message, file }];
}

function complaintText({ level, message, file, line }: Complaint): string {
  const place = `${file === undefined ? "" : `${file}:`}${line === undefined ? "" : `${line}:`}`;
  return `${place === "" ? "" : `${place} `}${LEVEL_NAMES[level]}: ${message}`;
}
