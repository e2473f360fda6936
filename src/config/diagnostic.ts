/** What is wrong with a command line or a config file, said with its place. */

import { LOG_ERROR, LOG_FATAL, LOG_INFO, LOG_WARN, type Log, type LogLevel } from "../system/log.ts";

export interface Diagnostic {
  readonly level: LogLevel;
  readonly message: string;
  /** The config file that it is about; absent for the command line. */
  readonly file?: string;
  /** Counted from 1; absent where it is about the file as a whole. */
  readonly line?: number;
}

/** Writes complaints to the log, with the place behind the message, whose wording others look for. */
export function logComplaints(log: Log, complaints: readonly Diagnostic[]): void {
  for (const { level, message, file, line } of complaints) {
    const text = file === undefined || line === undefined ? message : `${message} (${file} line ${line})`;
    if (level === LOG_FATAL) log.fatal(text);
    else if (level === LOG_ERROR) log.error(text);
    else if (level === LOG_WARN) log.warn(text);
    else if (level === LOG_INFO) log.info(text);
    else log.debug(text);
  }
}
