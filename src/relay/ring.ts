/** A byte ring with absolute positions: one per open upstream, written once, read by every cursor. */
import { allocate, copyBytes, type Memory } from "../system/memory.ts";
import { MARK_EVERY_BYTES, UnitIndex } from "./unit-index.ts";

/** Where a decoder can begin: an exact position, and the bytes (PAT and PMT) to send before it. */
interface RandomAccessPoint {
  /** Where the picture's first packet begins. */
  readonly position: number;
  /** Where the unit which holds that packet begins, and how many units began before it. */
  readonly unitPosition: number;
  readonly units: number;
  readonly preamble: Uint8Array;
  /** Of the picture, in 1/90000 s; undefined where the stream does not say. */
  readonly pts: number | undefined;
}

/** A byte stream has no datagrams to go by: its units are seven TS packets, as many as an RTP packet has. */
const BYTE_STREAM_UNIT_BYTES = 7 * 188;
/** Random access points that are remembered: some seconds of television. */
const MAX_POINTS = 16;

export class Ring {
  /** Absolute position behind the newest byte. Positions only grow; they stay exact for 9 petabytes. */
  head = 0;
  /** Units appended so far. */
  units = 0;
  /** Where a decoder can begin, oldest first; `holds` tells whether a point is still there. */
  readonly randomAccessPoints: RandomAccessPoint[] = [];
  #memory: Memory;
  #marks: UnitIndex;
  /** Offset of `head` in the memory. */
  #at = 0;
  /** What lay before this was lost at the last change of size. */
  #floor = 0;
  /** Its units begin at multiples of `BYTE_STREAM_UNIT_BYTES`. */
  #isByteStream = false;

  /** @param capacity bytes, a multiple of 64 KiB */
  constructor(capacity: number) {
    this.#memory = allocate(capacity);
    this.#marks = new UnitIndex(capacity);
  }

  /** The newest point at which a decoder can begin. */
  get randomAccess(): RandomAccessPoint | undefined {
    return this.randomAccessPoints.at(-1);
  }

  get bytes(): Uint8Array {
    return this.#memory.bytes;
  }

  get capacity(): number {
    return this.#memory.bytes.length;
  }

  /** Whether the byte at an absolute position can still be read. */
  holds(position: number): boolean {
    return position >= this.#floor && position >= this.head - this.capacity;
  }

  /** Offset in `bytes` of a position that the ring holds. */
  offsetOf(position: number): number {
    const offset = this.#at - (this.head - position);
    return offset < 0 ? offset + this.capacity : offset;
  }

  /** Where a source may write directly, for `advance` to take over. */
  get memory(): Memory {
    return this.#memory;
  }

  /** Offset in the memory of the byte behind the newest one; up to the end of the memory there are `capacity − headOffset` bytes. */
  get headOffset(): number {
    return this.#at;
  }

  /** Takes over bytes that were written at `headOffset`. At most up to the end of the memory. Not for a ring with `append`. */
  advance(length: number): void {
    this.head += length;
    this.#at += length;
    if (this.#at === this.capacity) this.#at = 0;
    this.#isByteStream = true;
    this.units = Math.ceil(this.head / BYTE_STREAM_UNIT_BYTES);
  }

  /** Adds one unit, overwriting the oldest bytes. `length` is at most the capacity. */
  append(from: Memory, offset: number, length: number): void {
    if (this.head - this.#marks.newest >= MARK_EVERY_BYTES) this.#marks.add(this.head, this.units);
    const toEnd = this.capacity - this.#at;
    if (length < toEnd) {
      copyBytes(this.#memory, this.#at, from, offset, length);
      this.#at += length;
    } else {
      copyBytes(this.#memory, this.#at, from, offset, toEnd);
      copyBytes(this.#memory, 0, from, offset + toEnd, length - toEnd);
      this.#at = length - toEnd;
    }
    this.head += length;
    this.units++;
  }

  /**
   * Notes that a decoder can begin `within` bytes after the start of the unit about to be appended. A point close behind
   * the last one is as good as that one, and would take the marks' place.
   */
  markRandomAccess(within: number, preamble: Uint8Array, pts?: number): void {
    const points = this.randomAccessPoints;
    const newest = points.at(-1);
    if (newest && this.head - newest.unitPosition < MARK_EVERY_BYTES) return;
    if (this.#marks.newest !== this.head) this.#marks.add(this.head, this.units);
    while (points.length > 0 && (points.length >= MAX_POINTS || !this.holds(points[0]!.position))) points.shift();
    points.push({ position: this.head + within, unitPosition: this.head, units: this.units, preamble, pts });
  }

  /** The first noted start of a unit at or behind a position; `head` when there is none. */
  unitAtOrAfter(position: number): { position: number; units: number } {
    const end = { position: this.head, units: this.units };
    if (!this.#isByteStream) return this.#marks.atOrAfter(position) ?? end;
    const units = Math.ceil(position / BYTE_STREAM_UNIT_BYTES);
    return units < this.units ? { position: units * BYTE_STREAM_UNIT_BYTES, units } : end;
  }

  /** Begins anew, with what it holds forgotten. */
  reset(): void {
    this.head = 0;
    this.units = 0;
    this.randomAccessPoints.length = 0;
    this.#marks.reset();
    this.#at = 0;
    this.#floor = 0;
    this.#isByteStream = false;
  }

  /** Copies bytes to another memory. False when the ring does not hold them all. */
  recall(position: number, into: Memory, offset: number, length: number): boolean {
    if (!this.holds(position) || position + length > this.head) return false;
    const start = this.offsetOf(position);
    const first = Math.min(length, this.capacity - start);
    copyBytes(into, offset, this.#memory, start, first);
    if (first < length) copyBytes(into, offset + first, this.#memory, 0, length - first);
    return true;
  }

  /** Copies bytes out; the ring must hold them all. */
  copyOut(from: number, to: number): Uint8Array {
    const start = this.offsetOf(from);
    const length = to - from;
    const out = new Uint8Array(length);
    const first = Math.min(length, this.capacity - start);
    out.set(this.bytes.subarray(start, start + first));
    out.set(this.bytes.subarray(0, length - first), first);
    return out;
  }

  /** Moves the newest bytes, as many as fit, to a memory of another size. */
  resize(capacity: number): void {
    const from = Math.max(this.#floor, this.head - Math.min(capacity, this.capacity));
    const kept = this.copyOut(from, this.head);
    const marks = new UnitIndex(capacity);
    this.#marks.copyInto(marks, from);
    this.#marks = marks;
    this.#memory = allocate(capacity);
    this.#memory.bytes.set(kept);
    this.#at = kept.length % capacity;
    this.#floor = from;
  }
}
