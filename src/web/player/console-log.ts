/** What the player writes to the browser's console: as much as the server logs (http.md section 21). Errors are told on the page itself. */
import { LOG_LEVEL } from "../shared/page-config.ts";

const WARN = 2;
const INFO = 3;
const DEBUG = 4;

export function logWarning(message: string): void {
  if (LOG_LEVEL >= WARN) console.warn(`player: ${message}`);
}

export function logInfo(message: string): void {
  if (LOG_LEVEL >= INFO) console.info(`player: ${message}`);
}

/** For mpegts.js. */
export const TS_LIBRARY_LOG = {
  enableError: LOG_LEVEL >= WARN,
  enableWarn: LOG_LEVEL >= WARN,
  enableInfo: LOG_LEVEL >= INFO,
  enableDebug: LOG_LEVEL >= DEBUG,
  enableVerbose: LOG_LEVEL >= DEBUG,
};

/** For hls.js. */
export const HLS_LIBRARY_LOG = { debug: LOG_LEVEL >= DEBUG };
