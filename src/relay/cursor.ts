/** A consumer's reading position in a ring. */
import type { Consumer, DropCounts } from "./consumer.ts";
import { SlowClientDetector } from "./limit.ts";
import type { Ring } from "./ring.ts";

/** Drops are told as often (flow-control.md section 5). */
const TOLD_EVERY_PACKETS = 200;

export class Cursor implements DropCounts {
  readonly consumer: Consumer;
  /** Absolute position of the next byte to write from the ring. */
  position: number;
  /** The consumer took less than was offered and has not drained since. */
  blocked = false;
  /** The consumer knows that bytes may come. */
  isOpened = false;
  /** The consumer was told the end, or is gone. */
  isOver = false;
  /** When the cursor had last written everything: nothing that waits now is older. */
  emptiedAt = Number.NEGATIVE_INFINITY;
  sentBytes = 0;
  /** The most bytes that have waited in the ring, as far as was looked. */
  peakLag = 0;
  droppedPackets = 0;
  droppedBytes = 0;
  readonly slowDetector = new SlowClientDetector();
  readonly #ring: Ring;
  /** Bytes that go out before those at `position`: a preamble, or the end of a unit whose start was sent before a skip. */
  #owed: Uint8Array | undefined;
  #owedAt = 0;

  constructor(ring: Ring, consumer: Consumer, start: { position: number; preamble?: Uint8Array }) {
    this.#ring = ring;
    this.consumer = consumer;
    this.position = start.position;
    if (start.preamble && start.preamble.length > 0) this.#owed = start.preamble;
  }

  /** Bytes that wait in the ring. */
  get lag(): number {
    return this.#ring.head - this.position;
  }

  get isEmpty(): boolean {
    return this.#owed === undefined && this.lag === 0;
  }

  /** Writes all that waits, as far as the consumer takes it. `now` in ms. */
  write(now: number): void {
    if (this.blocked || !this.#writeOwed()) return;
    const ring = this.#ring;
    while (ring.head > this.position) {
      const offset = ring.offsetOf(this.position);
      const length = Math.min(ring.head - this.position, ring.capacity - offset);
      const taken = this.consumer.write(ring.bytes, offset, length);
      this.position += taken;
      this.sentBytes += taken;
      if (taken < length) {
        this.blocked = true;
        return;
      }
    }
    // Before its first byte a consumer is always due.
    if (this.sentBytes > 0) this.emptiedAt = now;
  }

  #writeOwed(): boolean {
    const owed = this.#owed;
    if (!owed) return true;
    const taken = this.consumer.write(owed, this.#owedAt, owed.length - this.#owedAt);
    this.#owedAt += taken;
    this.sentBytes += taken;
    if (this.#owedAt < owed.length) this.blocked = true;
    else this.#owed = undefined;
    return this.#owed === undefined;
  }

  /**
   * Jumps over what the consumer was too slow for: to the newest random access point if that lies at most `most`
   * bytes behind the head, else to a unit half as far behind. A unit whose start has been sent is still sent to its end,
   * from memory of its own: afterwards no more than `most` bytes wait in the ring.
   */
  skip(most: number): void {
    const ring = this.#ring;
    const from = ring.unitAtOrAfter(this.position);
    const point = ring.randomAccess;
    const target =
      point && point.unitPosition > from.position && ring.head - point.unitPosition <= most
        ? { position: point.unitPosition, units: point.units }
        : ring.unitAtOrAfter(Math.max(from.position, ring.head - most / 2));
    if (target.position <= from.position && this.lag <= most) return;
    if (from.position > this.position) this.#owe(ring.copyOut(this.position, from.position));
    this.position = target.position;
    this.droppedBytes += target.position - from.position;
    if (target.units > from.units) this.#countDropped(target.units - from.units);
  }

  #countDropped(packets: number): void {
    const before = this.droppedPackets;
    this.droppedPackets += packets;
    const told = Math.floor(before / TOLD_EVERY_PACKETS);
    if (before === 0 || Math.floor(this.droppedPackets / TOLD_EVERY_PACKETS) > told) this.consumer.dropped?.(this);
  }

  #owe(bytes: Uint8Array): void {
    const before = this.#owed?.subarray(this.#owedAt);
    this.#owed = before ? Buffer.concat([before, bytes]) : bytes;
    this.#owedAt = 0;
  }
}
