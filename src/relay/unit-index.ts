/** Where units (whole datagram payloads) begin in a ring, so that a client which must skip never gets a part of one. */

/** A unit's start is noted when at least this many bytes have passed since the last note. */
export const MARK_EVERY_BYTES = 1024;

export class UnitIndex {
  #positions: Float64Array;
  #units: Float64Array;
  /** Marks ever written; the newest is at `#count - 1`. */
  #count = 0;

  /** @param ringBytes capacity of the ring, a multiple of 64 KiB */
  constructor(ringBytes: number) {
    // Twice what regular marks need: a forced mark comes in between now and then.
    const size = Math.max(64, (ringBytes / MARK_EVERY_BYTES) * 2);
    this.#positions = new Float64Array(size);
    this.#units = new Float64Array(size);
  }

  /** Position of the newest mark, or -1. */
  get newest(): number {
    return this.#count === 0 ? -1 : this.#positions[(this.#count - 1) % this.#positions.length]!;
  }

  /** Notes that a unit begins at `position` and that `units` began before it. */
  add(position: number, units: number): void {
    const at = this.#count++ % this.#positions.length;
    this.#positions[at] = position;
    this.#units[at] = units;
  }

  reset(): void {
    this.#count = 0;
  }

  /** The first mark at or behind `position`: where it is and how many units began before it. Undefined when there is none. */
  atOrAfter(position: number): { position: number; units: number } | undefined {
    const size = this.#positions.length;
    let low = Math.max(0, this.#count - size);
    let high = this.#count;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.#positions[middle % size]! < position) low = middle + 1;
      else high = middle;
    }
    if (low === this.#count) return undefined;
    return { position: this.#positions[low % size]!, units: this.#units[low % size]! };
  }

  /** Copies the marks at or behind `from` into the marks of a ring that takes this one's place. */
  copyInto(other: UnitIndex, from: number): void {
    const size = this.#positions.length;
    for (let i = Math.max(0, this.#count - size); i < this.#count; i++) {
      const position = this.#positions[i % size]!;
      if (position >= from) other.add(position, this.#units[i % size]!);
    }
  }
}
