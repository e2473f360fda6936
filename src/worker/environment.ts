/** What the runtime of a worker reads from its environment only, when it starts. */

/**
 * By default the runtime looks for garbage every second, which costs a relay that makes hardly any a third of its CPU. What
 * matters, the memory of streams, is asked for and given back at its own moments.
 */
const GARBAGE_LOOK_INTERVAL_MS = 30_000;

export const WORKER_ENVIRONMENT: Readonly<Record<string, string>> = {
  BUN_GC_TIMER_INTERVAL: String(GARBAGE_LOOK_INTERVAL_MS),
  // When the second last tier of the compiler looks at a function, in its own count of calls and loops (usually 1000): what only a change of channel
  // runs would be compiled for more CPU than that ever saves; a packet's way gets there in seconds.
  BUN_JSC_thresholdForOptimizeAfterWarmUp: "10000",
};
