/** Media that comes on the control connection as a byte source: frames in, MPEG-TS out (RFC 2326 section 10.12). */
import type { ByteSource } from "../../relay/pipe.ts";
import type { UpstreamParent } from "../../relay/stream.ts";
import { copyBytes, type Memory } from "../../system/memory.ts";
import { Depacketizer } from "../rtp/depacketizer.ts";
import { SpillBuffer } from "./spill-buffer.ts";

/** A read asks for so much at least, however little room there is: what does not fit is carried over. */
const LEAST_READ_BYTES = 16 * 1024;
/** Reads in a row that may bring nothing but reports and answers. */
const MAX_BARREN_READS = 16;
/** When packets are held back to be put in order, we look again once that is over, and a timer may come a little early. */
const TIMER_SLACK_MS = 2;

export interface InterleavedParent {
  /** Reads at most `length` bytes from the connection, whose frames come to `input`. 0: none are there now. -1: it is over. */
  read(length: number): number;
  /** `arrived` is to be called when there is something to read. */
  announce(): void;
}

export class InterleavedSource implements ByteSource, UpstreamParent {
  /** Takes the frames. */
  readonly input = new Depacketizer(this);
  /** Whoever asked to be told that there is something to read. */
  onArrived: (() => void) | undefined;
  readonly #parent: InterleavedParent;
  readonly #carried = new SpillBuffer();
  /** Where the read that is under way wants its bytes. */
  #into: Memory | undefined;
  #at = 0;
  #room = 0;
  #isOver = false;
  #timer: Timer | undefined;

  constructor(parent: InterleavedParent) {
    this.#parent = parent;
  }

  /** Bytes that nobody has read yet. */
  get carriedBytes(): number {
    return this.#carried.length;
  }

  read(into: Memory, offset: number, length: number): number {
    if (this.#carried.length > 0) return this.#carried.take(into, offset, length);
    if (this.#isOver) return -1;
    this.#into = into;
    this.#at = offset;
    this.#room = length;
    this.#readFrames(length);
    this.#into = undefined;
    const count = length - this.#room;
    return count === 0 && this.#isOver ? -1 : count;
  }

  announce(): void {
    this.#parent.announce();
    const { flushInMs } = this.input.reorder;
    if (flushInMs === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.arrived(), flushInMs + TIMER_SLACK_MS);
  }

  /** There is something to read. */
  arrived(): void {
    this.onArrived?.();
  }

  /** Nothing more is read from the connection; what has been is still owed. */
  finish(): void {
    clearTimeout(this.#timer);
    if (this.#isOver) return;
    this.#end();
    this.arrived();
  }

  /** What came before PLAY was answered and is too much to be kept. */
  forget(): void {
    this.#carried.clear();
  }

  append(from: Memory, offset: number, length: number): void {
    // What was carried over comes first.
    const fits = this.#into && this.#carried.length === 0 ? Math.min(length, this.#room) : 0;
    if (fits > 0) {
      copyBytes(this.#into!, this.#at, from, offset, fits);
      this.#at += fits;
      this.#room -= fits;
    }
    if (fits < length) this.#carried.add(from, offset + fits, length - fits);
  }

  /** A byte stream begins where it begins, and nobody joins it later. */
  markRandomAccess(): void {}

  ended(): void {}

  #readFrames(length: number): void {
    const before = this.#room;
    this.input.reorder.tick(performance.now());
    for (let i = 0; i < MAX_BARREN_READS && this.#room === before; i++) {
      const count = this.#parent.read(Math.max(length, LEAST_READ_BYTES));
      if (count < 0) this.#end();
      if (count <= 0) return;
    }
  }

  /** What was held back to be put in order is owed, too. */
  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.input.reorder.reset();
  }
}
