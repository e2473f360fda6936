/**
 * Loaded into the program before its own code (`BUN_OPTIONS=--preload …`): writes down turns of the event loop that were long. They
 * are judged by the processor time of the thread, which is the same on a busy machine.
 */

import { dlopen, ptr } from "bun:ffi";
import { appendFileSync } from "node:fs";

/** The file that is written to: a line for each long turn, with its milliseconds. */
export const TURN_FILE = "TURN_METER_FILE";
/** Shorter ones are nobody's trouble. */
const LONG_MS = 10;
const BEAT_MS = 1;
const CLOCK_THREAD_CPUTIME_ID = 3;

function threadClock(): () => number {
  const { symbols } = dlopen("libc.so.6", { clock_gettime: { args: ["i32", "ptr"], returns: "i32" } });
  const time = new BigInt64Array(2);
  const address = ptr(time);
  return () => {
    symbols.clock_gettime(CLOCK_THREAD_CPUTIME_ID, address);
    return Number(time[0]) * 1000 + Number(time[1]) / 1e6;
  };
}

const file = process.env[TURN_FILE];
if (file !== undefined) {
  const now = threadClock();
  let last = now();
  setInterval(() => {
    const turnMs = now() - last;
    if (turnMs >= LONG_MS) appendFileSync(file, `${turnMs.toFixed(1)}\n`);
    last = now();
  }, BEAT_MS).unref();
}
