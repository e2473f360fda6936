/** One open upstream: reads it, as far as its consumers let it, into the ring that they read from. */
import type { Log } from "../system/log.ts";
import type { Memory } from "../system/memory.ts";
import type { Budget } from "./budget.ts";
import type { Consumer } from "./consumer.ts";
import { Cursor } from "./cursor.ts";
import { FanOut, type FanOutParent } from "./fan-out.ts";
import type { Gate } from "./gate.ts";
import { consumerLimit } from "./limit.ts";
import type { Ring } from "./ring.ts";
import { RingMemory } from "./ring-memory.ts";
import { SourceReader, type SourceReaderParent } from "./source-reader.ts";
import { type ByteInspector, type SourceStats, Tap } from "./stats.ts";
import { type Ticking, USUAL_TICK_MS } from "./tick.ts";
import {
  type ArrivalCounts,
  type MediaHistory,
  type Overflow,
  type RtpCounts,
  type StreamInfo,
  type StreamState,
  type Upstream,
  type UpstreamAbout,
  type UpstreamDetails,
  UpstreamError,
  type UpstreamParent,
  type UpstreamPlan,
} from "./upstream.ts";

/** Of the distance of two random access points, what the ring holds, or newcomers would wait for a picture. */
const RETAIN_FACTOR = 1.5;

/** What a stream needs of the hub. */
export interface StreamParent {
  readonly budget: Budget;
  readonly log: Log;
  /** Lets the stream tick at once. */
  wake(stream: Stream): void;
  /** The upstream is gone; consumers may still be owed bytes. Called once. */
  closed(stream: Stream): void;
}

export class Stream implements UpstreamParent, SourceStats, Ticking, FanOutParent, SourceReaderParent {
  readonly ring: Ring;
  /** Of the last tick, in ms. */
  now = 0;
  heardAt = Number.NEGATIVE_INFINITY;
  readonly #plan: UpstreamPlan;
  readonly #parent: StreamParent;
  readonly #memory: RingMemory;
  readonly #fanOut: FanOut;
  readonly #reader: SourceReader;
  #overflow: Overflow;
  /** `ended`: the upstream is over, consumers get what they are owed. `closed`: the memory is released. */
  #state: "opening" | "open" | "ended" | "closed" = "opening";
  /** Stays when it is over, because it still tells what it was. */
  #upstream: Upstream | undefined;
  #streamState: StreamState | undefined;
  /** Consumers may be opened before media comes. */
  #isOpened = false;
  #cause: Error | undefined;
  /** Set when the ring has been given to another stream. */
  #receivedBytes: number | undefined;
  #tap: Tap | undefined;

  constructor(plan: UpstreamPlan, parent: StreamParent) {
    this.#plan = plan;
    this.#parent = parent;
    this.#overflow = plan.overflow;
    this.#memory = new RingMemory(parent.budget, plan.overflow);
    this.ring = this.#memory.ring;
    this.#fanOut = new FanOut(this.#memory, this);
    this.#reader = new SourceReader(this, this.#fanOut);
  }

  /** Opens the upstream. That it cannot be opened is told to the consumers, of which there should be one by now. */
  start(now: number): void {
    this.now = now;
    try {
      this.#upstream = this.#plan.open(this);
    } catch (error) {
      const isExpected = error instanceof UpstreamError;
      this.#parent.log.error(isExpected ? error.message : `${this.about.url}: cannot be opened: ${stackOf(error)}`);
      this.ended(error as Error);
    }
    // What the upstream has said from within `open` is told now.
    if (this.#isOpened) this.opened();
    if (this.#state === "opening") this.#state = "open";
    else if (this.#state === "ended") this.#finish();
    else this.#closeUpstream();
    this.#fanOut.writeAll(now);
  }

  /** Whether the upstream may still bring something. */
  get isOpen(): boolean {
    return this.#state === "opening" || this.#state === "open";
  }

  get cursors(): readonly Cursor[] {
    return this.#fanOut.cursors;
  }

  get gate(): Gate {
    return this.#reader.gate;
  }

  get tickMs(): number {
    return this.#upstream?.tickMs ?? USUAL_TICK_MS;
  }

  get about(): UpstreamAbout {
    return this.#upstream?.about ?? this.#plan.about;
  }

  infoFor({ start }: Cursor): StreamInfo | undefined {
    const upstream = this.#upstream;
    return upstream?.infoFor ? upstream.infoFor(start) : upstream?.info;
  }

  get rtp(): RtpCounts | undefined {
    return this.#upstream?.rtp;
  }

  get arrival(): ArrivalCounts | undefined {
    return this.#upstream?.arrival;
  }

  get details(): UpstreamDetails | undefined {
    return this.#upstream?.details;
  }

  get receivedBytes(): number {
    return this.#receivedBytes ?? this.ring.head;
  }

  get mayLose(): boolean {
    return this.#overflow === "skip" || this.cursors.length > 1;
  }

  limitOf(cursor: Cursor): number {
    const limit = consumerLimit(this.#parent.budget, cursor.slowDetector.isSlow(this.now));
    return this.mayLose ? limit : Math.min(limit, this.ring.capacity);
  }

  inspect(inspector: ByteInspector | undefined): void {
    this.#tap = inspector && new Tap(this.ring, inspector);
    this.#upstream?.measureArrival?.(inspector !== undefined);
  }

  /** Adds a consumer. With `fastStart` it begins at the last random access point that the ring holds, else at the next unit. */
  attach(consumer: Consumer, fastStart: boolean): Cursor {
    const point = this.ring.randomAccess;
    const usable =
      fastStart &&
      point !== undefined &&
      this.ring.holds(point.position) &&
      this.ring.head - point.position <= consumerLimit(this.#parent.budget, false);
    const cursor = new Cursor(this.ring, consumer, usable ? point : undefined);
    const state = this.#streamState;
    if (state !== undefined) this.#fanOut.guard(cursor, () => consumer.entered?.(state));
    if (this.#isOpened) this.#fanOut.guard(cursor, () => this.#fanOut.open(cursor));
    if (!cursor.isOver) this.#fanOut.add(cursor, this.now);
    // From now on a slow consumer costs the others nothing.
    if (this.mayLose) this.#reader.openGate();
    return cursor;
  }

  /** Removes a consumer; the last one closes the upstream. Harmless when it is gone already. */
  detach(cursor: Cursor): void {
    if (this.#fanOut.remove(cursor) && this.cursors.length === 0) this.close();
  }

  /** The consumer takes bytes again. One that has kept its upstream waiting gets more at once. */
  drained(cursor: Cursor): void {
    cursor.blocked = false;
    this.#fanOut.write(cursor, performance.now());
    if (!this.mayLose && !this.gate.isPaused) this.wake();
  }

  tick(now: number): void {
    this.now = now;
    const before = this.ring.head;
    this.#upstream?.tick(now);
    if (!this.isOpen) return;
    if (this.ring.head !== before) this.#heard(now);
    this.#fanOut.flush(now);
  }

  /** The tick has thrown: a fault of the upstream's, which ends it. */
  failed(error: unknown): void {
    const { log } = this.#parent;
    log.error(`${this.about.url}: has failed: ${stackOf(error)}`);
    this.ended(error as Error);
  }

  wake(): void {
    if (this.#state === "open") this.#parent.wake(this);
  }

  consumerFailed(cursor: Cursor, error: unknown): void {
    const { log } = this.#parent;
    log.error(`${this.about.url}: a consumer has failed: ${stackOf(error)}`);
    this.detach(cursor);
  }

  get history(): MediaHistory {
    return this.ring;
  }

  append(from: Memory, offset: number, length: number): void {
    // An upstream that is closed within its own tick may still hand over what it has read.
    if (!this.isOpen) return;
    if (!this.#fanOut.hasRoom(length)) this.#fanOut.makeRoom(length, this.now);
    this.ring.append(from, offset, length);
  }

  fill(read: (into: Memory, offset: number, length: number) => number): number {
    return this.#reader.fill(read);
  }

  get room(): number {
    return this.#reader.room;
  }

  cannotPause(): void {
    this.#overflow = "skip";
    this.#memory.cannotPause();
    this.#fanOut.ringChanged();
    this.#reader.openGate();
  }

  markRandomAccess(within: number, preamble: Uint8Array, pts?: number): void {
    if (this.#state === "closed") return;
    const previous = this.ring.randomAccess?.position;
    this.ring.markRandomAccess(within, preamble, pts);
    if (previous !== undefined) this.retain((this.ring.head + within - previous) * RETAIN_FACTOR);
  }

  retain(bytes: number): void {
    const { capacity } = this.ring;
    this.#memory.retain(bytes);
    if (this.ring.capacity !== capacity) this.#fanOut.ringChanged();
  }

  entered(state: StreamState): void {
    this.#streamState = state;
    for (const cursor of [...this.cursors]) this.#fanOut.guard(cursor, () => cursor.consumer.entered?.(state));
  }

  opened(): void {
    this.#isOpened = true;
    for (const cursor of [...this.cursors]) this.#fanOut.guard(cursor, () => this.#fanOut.open(cursor));
  }

  ended(cause: Error | undefined): void {
    if (!this.isOpen) return;
    const isOpening = this.#state === "opening";
    this.#state = "ended";
    this.#cause = cause;
    if (!isOpening) this.#finish();
  }

  /** Releases the upstream and the memory. */
  close(): void {
    if (this.#state === "closed") return;
    const wasOpen = this.#state === "open";
    this.#state = "closed";
    if (wasOpen) this.#closeUpstream();
    this.gate.open();
    this.#receivedBytes = this.ring.head;
    this.#memory.release();
  }

  /** The upstream is over: consumers get what they are owed. */
  #finish(): void {
    this.grown();
    this.#closeUpstream();
    this.#reader.openGate();
    this.#fanOut.end(this.#cause, this.now);
  }

  #closeUpstream(): void {
    this.#reader.close();
    try {
      this.#upstream?.close();
    } catch (error) {
      this.#parent.log.error(`${this.about.url}: cannot be closed: ${stackOf(error)}`);
    }
    this.#parent.closed(this);
  }

  #heard(now: number): void {
    this.heardAt = now;
    this.grown();
  }

  grown(): void {
    try {
      this.#tap?.catchUp(this.now);
    } catch (error) {
      this.#tap = undefined;
      this.#parent.log.error(`${this.about.url}: is inspected no more: ${stackOf(error)}`);
    }
  }
}

function stackOf(error: unknown): string {
  return (error instanceof Error && error.stack) || String(error);
}
