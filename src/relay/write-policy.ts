/** When a consumer that takes its bytes gets the next ones: larger writes cost less, and later. Pure. */

/** A consumer is written to when this much waits … */
const WRITE_BYTES = 64 * 1024;
/** … or when its oldest byte may be this old. */
const WRITE_AGE_MS = 48;
/** What a fan-out costs is the number of writes: with many consumers of one ring each may wait longer. */
const FEW_CURSORS = 8;
const MANY_CURSORS = 32;
const MANY_WRITE_AGE_MS = 135;
/** The timer may fire a little early or late; without this a write would wait for one more tick. */
const TICK_JITTER_MS = 3;

/** How old the oldest byte that waits may become, in ms, with so many cursors on the ring. */
export function writeAgeMs(cursors: number): number {
  if (cursors <= FEW_CURSORS) return WRITE_AGE_MS;
  const part = Math.min(1, (cursors - FEW_CURSORS) / (MANY_CURSORS - FEW_CURSORS));
  return WRITE_AGE_MS + (MANY_WRITE_AGE_MS - WRITE_AGE_MS) * part;
}

/** @param ageMs how old the oldest byte may be by now; @param mostMs of `writeAgeMs` */
export function isWriteDue(lag: number, ageMs: number, mostMs: number): boolean {
  return lag >= WRITE_BYTES || (lag > 0 && ageMs >= mostMs - TICK_JITTER_MS);
}
