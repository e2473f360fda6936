/** A byte-stream upstream on its way to its one client, without losing a byte: when the client is slow, nothing is read. */
import type { Memory } from "../system/memory.ts";
import type { Budget } from "./budget.ts";
import { type ClientSink, Cursor } from "./cursor.ts";
import { type ByteInspector, type QueueStats, type SourceStats, Tap } from "./flow.ts";
import { clientLimit, Gate, type PoolState, SlowMark } from "./gate.ts";
import { Ring } from "./ring.ts";
import type { Ticking } from "./tick.ts";

/** A source of bytes that is read only when asked. */
export interface ByteSource {
  /**
   * Reads at most `length` bytes to a place in memory.
   * @returns how many; 0 when none are there now; -1 when it is over
   */
  read(into: Memory, offset: number, length: number): number;
  /** Asks to be told (`Pipe.onReadable`) when bytes have come or it is over. Nothing is read until then. */
  waitReadable(): void;
}

/** Reading goes on in turns of so much, so that one fast upstream does not keep the others waiting. */
const TURN_BYTES = 1024 * 1024;
const RING_BYTES = 512 * 1024;
const LEAST_RING_BYTES = 64 * 1024;
/** A turn that brought this much will be followed by another soon. */
const BUSY_BYTES = 128 * 1024;
const BUSY_TICK_MS = 4;
/** After one that brought less, it pays to let more gather: twice as long each time, up to here. */
const CALM_TICK_MS = 50;
/** The timer may fire a little early. */
const TICK_JITTER_MS = 3;
/** When nothing has come for so long, the source is no longer asked: it tells, and the next bytes go out at once. */
const QUIET_MS = 100;

export interface PipeParent {
  /** The gate has paused or resumed the upstream. */
  pauseChanged(): void;
  /** The source is over and the client has everything. */
  finished(): void;
}

export class Pipe implements Ticking, QueueStats, SourceStats {
  readonly cursor: Cursor;
  readonly gate = new Gate();
  readonly #slowMark = new SlowMark();
  readonly #ring: Ring;
  readonly #source: ByteSource;
  readonly #budget: Budget;
  readonly #parent: PipeParent;
  #state: "flowing" | "drain-close" | "closed" = "flowing";
  #tickMs = BUSY_TICK_MS;
  #pumpedAt = Number.NEGATIVE_INFINITY;
  /** When bytes last came; before the first ones every moment counts as quiet. */
  #heardAt = Number.NEGATIVE_INFINITY;
  /** The source will tell when there is something to read. */
  #isWaiting = false;
  #inspection: Tap | undefined;
  #continuation: NodeJS.Immediate | undefined;

  constructor(source: ByteSource, sink: ClientSink, budget: Budget, parent: PipeParent) {
    const capacity = budget.take(RING_BYTES) ? RING_BYTES : LEAST_RING_BYTES;
    if (capacity === LEAST_RING_BYTES) budget.take(capacity, true);
    budget.pipes++;
    this.#ring = new Ring(capacity);
    this.#source = source;
    this.#budget = budget;
    this.#parent = parent;
    this.cursor = new Cursor(this.#ring, sink, { position: 0 });
  }

  get isSlow(): boolean {
    return this.#slowMark.isSlow;
  }

  get tickMs(): number {
    return this.#tickMs;
  }

  get queuedBytes(): number {
    return this.cursor.lag;
  }

  get peakBytes(): number {
    return this.cursor.peakLag;
  }

  get droppedPackets(): number {
    return this.cursor.droppedPackets;
  }

  get droppedBytes(): number {
    return this.cursor.droppedBytes;
  }

  get backpressureEvents(): number {
    return this.gate.backpressureEvents;
  }

  get receivedBytes(): number {
    return this.#ring.head;
  }

  get heardAt(): number {
    return this.#heardAt;
  }

  inspect(inspector: ByteInspector | undefined): void {
    this.#inspection = inspector && new Tap(this.#ring, inspector);
  }

  /** Bytes that may wait for the client now. */
  get limitBytes(): number {
    return this.#limitIn(this.#pool());
  }

  tick(now: number): void {
    if (this.#isWaiting || now - this.#pumpedAt < this.#tickMs - TICK_JITTER_MS) return;
    if (this.#state === "flowing" && !this.gate.isPaused) this.#pump(now);
  }

  /** The source has bytes, or is over. */
  onReadable(): void {
    this.#isWaiting = false;
    if (this.#state === "flowing" && !this.gate.isPaused) this.#pump(performance.now());
  }

  /** The client's socket has room again. */
  drained(): void {
    if (this.#state === "closed") return;
    this.cursor.blocked = false;
    const now = performance.now();
    this.cursor.write(now);
    if (this.#state === "drain-close") this.#finishIfEmpty();
    else if (!this.gate.isPaused && !this.#isWaiting) this.#pump(now);
  }

  /** The client has taken bytes while the upstream is paused: reads on when the low mark is reached. */
  resume(): void {
    if (this.#state === "flowing") this.#pump(performance.now());
  }

  /** Releases the memory; what waits is lost. Harmless when repeated. */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.gate.open();
    clearImmediate(this.#continuation);
    this.#budget.giveBack(this.#ring.capacity);
    this.#budget.pipes--;
  }

  /** The only reading path: asks the gate before every read, lets the client write after it, yields after a turn. */
  #pump(now: number): void {
    const wasPaused = this.gate.isPaused;
    // Nobody else changes the pool within a turn.
    const pool = this.#pool();
    let limit = this.#limitIn(pool);
    let turn = 0;
    let read = 0;
    // A client that goes away while it is written to closes the pipe from within.
    while (this.#state === "flowing" && turn < TURN_BYTES && this.gate.mayRead(this.cursor.lag, limit)) {
      read = this.#read(limit);
      if (read <= 0) break;
      turn += read;
      if (this.#slowMark.sample(this.cursor.lag, pool, now)) limit = this.#limitIn(pool);
      this.cursor.write(now);
    }
    if (this.#state !== "flowing") return;
    if (wasPaused !== this.gate.isPaused) this.#parent.pauseChanged();
    if (read < 0) this.#end();
    else {
      this.#pace(turn, now);
      if (turn >= TURN_BYTES) this.#continueSoon();
    }
  }

  /** Decides when to read again, from what this turn has brought. */
  #pace(turn: number, now: number): void {
    this.#pumpedAt = now;
    if (this.gate.isPaused) this.#tickMs = CALM_TICK_MS;
    else this.#tickMs = turn >= BUSY_BYTES ? BUSY_TICK_MS : Math.min(CALM_TICK_MS, this.#tickMs * 2);
    if (turn > 0) this.#heardAt = now;
    else if (!this.gate.isPaused && now - this.#heardAt >= QUIET_MS) this.#waitReadable();
  }

  #waitReadable(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    this.#source.waitReadable();
  }

  #read(limit: number): number {
    const ring = this.#ring;
    const room = Math.min(limit - this.cursor.lag, ring.capacity - ring.headOffset);
    const read = this.#source.read(ring.memory, ring.headOffset, room);
    if (read <= 0) return read;
    ring.advance(read);
    if (this.cursor.lag > this.cursor.peakLag) this.cursor.peakLag = this.cursor.lag;
    this.#inspection?.catchUp();
    return read;
  }

  #continueSoon(): void {
    clearImmediate(this.#continuation);
    this.#continuation = setImmediate(() => this.onReadable());
  }

  #end(): void {
    if (this.#state !== "flowing") return;
    this.#state = "drain-close";
    this.gate.open();
    this.cursor.write(performance.now());
    this.#finishIfEmpty();
  }

  #finishIfEmpty(): void {
    if (this.cursor.isEmpty) this.#parent.finished();
  }

  #limitIn(pool: PoolState): number {
    // Whole bytes: libc would take a fraction's bits for a length.
    return Math.floor(Math.min(this.#ring.capacity, clientLimit(pool, this.#slowMark.isSlow)));
  }

  #pool(): PoolState {
    const { totalBytes, usedBytes, pipes } = this.#budget;
    return { totalBytes, usedBytes, clients: pipes };
  }
}
