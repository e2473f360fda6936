/** What is wrong with a command line or a config file, and where. */

import { LOG_ERROR, LOG_FATAL, LOG_INFO, LOG_WARN, type Log, type LogLevel, sayRegardless } from "../system/log.ts";

export interface Diagnostic {
  readonly level: LogLevel;
  readonly message: string;
  /** The config file that it is about; absent for the command line. */
  readonly file?: string;
  /** Counted from 1; absent where it is about the file as a whole. */
  readonly line?: number;
}

/** Writes diagnostics to the log, with file and line behind the message, whose wording others look for; errors at every level. */
export function logDiagnostics(log: Log, diagnostics: readonly Diagnostic[]): void {
  for (const { level, message, file, line } of diagnostics) {
    const text = file === undefined || line === undefined ? message : `${message} (${file} line ${line})`;
    if (level === LOG_FATAL) log.fatal(text);
    else if (level === LOG_ERROR) sayRegardless(log, () => log.error(text));
    else if (level === LOG_WARN) log.warn(text);
    else if (level === LOG_INFO) log.info(text);
    else log.debug(text);
  }
}
