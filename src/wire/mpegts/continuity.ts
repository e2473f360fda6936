/** Breaks of the continuity counter of a PID (ISO/IEC 13818-1 section 2.4.3.3). */

/** Before the first packet. */
export const NO_COUNTER = -1;
/** Set in what is remembered of a PID: its last packet has come twice, which is allowed once. */
const REPEATED = 0x10;
/** Set in the answer: packets are missing, doubled too often or out of order. */
export const BROKEN = 0x20;
/** Set in the answer: this packet is the allowed repetition of the one before. */
export const IS_REPETITION = REPEATED;

/**
 * The counter behind the packet at `at`.
 * @param before what was answered for the packet before on this PID, or `NO_COUNTER`
 * @returns the counter, with flags
 */
export function continuityAfter(before: number, bytes: Uint8Array, at: number): number {
  const flags = bytes[at + 3]!;
  const counter = flags & 0x0f;
  if (before === NO_COUNTER || isDiscontinuous(bytes, at)) return counter;
  const last = before & 0x0f;
  const hasPayload = (flags & 0x10) !== 0;
  if (counter === ((last + (hasPayload ? 1 : 0)) & 0x0f)) return counter;
  return hasPayload && counter === last && (before & REPEATED) === 0 ? counter | REPEATED : counter | BROKEN;
}

/** discontinuity_indicator: a break of the counter, and of the clock on the PID of the PCR, is meant. */
export function isDiscontinuous(bytes: Uint8Array, at: number): boolean {
  return (bytes[at + 3]! & 0x20) !== 0 && bytes[at + 4]! > 0 && (bytes[at + 5]! & 0x80) !== 0;
}
