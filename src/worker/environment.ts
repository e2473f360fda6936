/** What the runtime of a worker reads from its environment only, when it starts. */

/**
 * By default the runtime looks for garbage every second, which costs a relay that makes hardly any a third of its CPU. What
 * matters, the memory of streams, is asked for and given back at its own moments.
 */
const GARBAGE_LOOK_INTERVAL_MS = 30_000;

/**
 * When the compiler's second tier looks at a function, in its own count of calls and loops (usually 1000). What a channel change
 * runs would be compiled in the first minute, for more CPU than it ever saves; a packet's way gets there in seconds.
 */
const OPTIMIZE_AFTER = 10_000;

export const WORKER_ENVIRONMENT: Readonly<Record<string, string>> = {
  BUN_GC_TIMER_INTERVAL: String(GARBAGE_LOOK_INTERVAL_MS),
  BUN_JSC_thresholdForOptimizeAfterWarmUp: String(OPTIMIZE_AFTER),
};
