/** The media memory of a worker as the buffer pool of the status payload (status.md section 3; flow-control.md section 2). */
import { type Budget, SLOT_BYTES } from "../relay/budget.ts";
import type { PoolReport } from "./report.ts";

/** There is no such pool. */
export const NO_POOL: PoolReport = {
  total: 0,
  free: 0,
  used: 0,
  max: 0,
  expansions: 0,
  exhaustions: 0,
  shrinks: 0,
  utilization: 0,
};

/** All of the budget counts as allocated, what rings have as used. */
export function poolReport({ totalBytes, usedBytes, expansions, exhaustions, shrinks }: Budget): PoolReport {
  const max = Math.floor(totalBytes / SLOT_BYTES);
  // The least that an upstream needs is given even when the budget is used up.
  const used = Math.min(max, Math.ceil(usedBytes / SLOT_BYTES));
  const utilization = Math.round((used / max) * 1000) / 10;
  return { total: max, free: max - used, used, max, expansions, exhaustions, shrinks, utilization };
}
