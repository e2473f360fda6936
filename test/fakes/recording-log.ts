/** A log that remembers what it is told, as `LEVEL message`. */
import { LOG_DEBUG, type Log } from "../../src/system/log.ts";

export interface RecordingLog extends Log {
  readonly lines: string[];
}

export function recordingLog(): RecordingLog {
  const lines: string[] = [];
  const say = (level: string) => (message: string) => {
    lines.push(`${level} ${message}`);
  };
  return {
    level: LOG_DEBUG,
    lines,
    fatal: say("FATAL"),
    error: say("ERROR"),
    warn: say("WARN"),
    info: say("INFO"),
    debug: say("DEBUG"),
  };
}
