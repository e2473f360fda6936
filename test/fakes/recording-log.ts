/** A log that remembers what it is told, as `LEVEL message`. */
import { LOG_DEBUG, type Log } from "../../src/system/log.ts";

export interface RecordingLog extends Log {
  readonly lines: string[];
  /** Warnings and worse. */
  readonly trouble: string[];
}

/** @param lines where it writes them */
export function recordingLog(lines: string[] = []): RecordingLog {
  const say = (level: string) => (message: string) => {
    lines.push(`${level} ${message}`);
  };
  return {
    level: LOG_DEBUG,
    lines,
    get trouble() {
      return lines.filter((line) => /^(FATAL|ERROR|WARN)/.test(line));
    },
    fatal: say("FATAL"),
    error: say("ERROR"),
    warn: say("WARN"),
    info: say("INFO"),
    debug: say("DEBUG"),
  };
}
