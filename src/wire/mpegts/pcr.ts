/** Program clock references (ISO/IEC 13818-1 section 2.4.3.5), and the time of a stream that they tell. */

/** A PCR counts 27 MHz in 33 bits of 90 kHz and 9 bits of 1/300 of those. */
export const PCR_TICKS_PER_MS = 27_000;
const BASE_TICKS = 300;
const WRAP_TICKS = 2 ** 33 * BASE_TICKS;

/** Of a packet that has one (`hasPcr`): the part that counts 90 kHz. */
export function readPcrBase(packet: Uint8Array, offset: number): number {
  const at = offset + 6;
  const high = ((packet[at]! << 24) | (packet[at + 1]! << 16) | (packet[at + 2]! << 8) | packet[at + 3]!) >>> 0;
  return high * 2 + (packet[at + 4]! >> 7);
}

/** In ticks of 27 MHz. */
export function readPcr(packet: Uint8Array, offset: number): number {
  const extension = ((packet[offset + 10]! & 1) << 8) | packet[offset + 11]!;
  return readPcrBase(packet, offset) * BASE_TICKS + extension;
}

/** From one PCR to a later one, in ticks; negative when that is the nearer way around. */
export function pcrStep(from: number, to: number): number {
  const step = to - from;
  if (step > WRAP_TICKS / 2) return step - WRAP_TICKS;
  return step < -WRAP_TICKS / 2 ? step + WRAP_TICKS : step;
}

/**
 * The time of a stream in PCR ticks since its first PCR, which goes on where the PCR jumps: by the packets that pass, at the rate
 * of the last interval.
 */
export class StreamClock {
  /** All that have passed. */
  packets = 0;
  #base = 0;
  /** `packets` at the last PCR. */
  #since = 0;
  #ticksPerPacket = 0;
  /** Between the last two PCRs. */
  #step = 0;

  /** Never further than the next PCR is expected: a large picture may come at many times the rate. */
  get elapsed(): number {
    return this.#base + Math.min(this.#step, (this.packets - this.#since) * this.#ticksPerPacket);
  }

  /** @param step from the PCR before, in the packets since */
  advance(step: number): void {
    if (this.packets > this.#since) this.#ticksPerPacket = step / (this.packets - this.#since);
    this.#step = step;
    this.#base += step;
    this.#since = this.packets;
  }

  /** The PCR begins anew. */
  jump(): void {
    this.#base = this.elapsed;
    this.#since = this.packets;
  }

  /** Time has passed in which no PCR came. */
  passWithout(ticks: number): void {
    this.#base = Math.max(this.elapsed, this.#base + ticks);
    this.#since = this.packets;
    this.#step = 0;
  }
}

/** The time of a stream is known exactly at its PCRs only. */
const SLACK_TICKS = 50 * PCR_TICKS_PER_MS;

/** Something that has to repeat within a time, in PCR ticks as all times here. Each time that passes without it counts as missed once. */
export class Repetition {
  readonly #period: number;
  #due: number;

  constructor(periodMs: number, now: number) {
    this.#period = periodMs * PCR_TICKS_PER_MS;
    this.#due = now + this.#period + SLACK_TICKS;
  }

  /** Until then nothing is missed. */
  get due(): number {
    return this.#due;
  }

  /** It has come; returns how often it was missed since it was last asked. */
  seen(now: number): number {
    const missed = this.missed(now);
    this.restart(now);
    return missed;
  }

  missed(now: number): number {
    if (now <= this.#due) return 0;
    const count = Math.ceil((now - this.#due) / this.#period);
    this.#due += count * this.#period;
    return count;
  }

  /** What was missed until now does not count. */
  restart(now: number): void {
    this.#due = now + this.#period + SLACK_TICKS;
  }
}
