/** Puts RTP packets back in order within a window and drops duplicates (multicast.md section 8). */
import { allocate, copyBytes, type Memory } from "../../system/memory.ts";
import { sequenceDifference } from "../../wire/rtp/packet.ts";

/** Takes payloads in order. */
export interface PayloadSink {
  payload(memory: Memory, offset: number, length: number): void;
}

/** Packets that a hole may wait for. */
const WINDOW = 32;
/** Packets collected at the start, because a switch may forward the very first one late … */
const COLLECT_PACKETS = 8;
/** … but no longer than this: a channel change is waiting for a picture. */
const COLLECT_MS = 4;
/** Age at which a hole is given up although the window is not full, for streams of few packets. */
const HOLE_MAX_MS = 500;
/** A source that restarted with lower numbers is followed when nothing but ascending late packets came for this long … */
const RESYNC_MS = 1000;
/** … and at least so many of them. */
const RESYNC_PACKETS = 64;
/** A slot's first size; larger packets make it grow. */
const SLOT_BYTES = 1536;
const EMPTY = -1;

export interface ReorderCounts {
  /** Sequence numbers that never came in time. */
  lost: number;
  /** Packets that had to wait for an earlier one. */
  reordered: number;
  /** Packets that were there already. */
  duplicates: number;
  /** Packets behind what was already delivered: very late, or duplicates of delivered ones. */
  late: number;
  /** Times that a restarted source was followed. */
  resyncs: number;
}

export class ReorderBuffer {
  readonly counts: ReorderCounts = { lost: 0, reordered: 0, duplicates: 0, late: 0, resyncs: 0 };
  readonly #sink: PayloadSink;
  #phase: "idle" | "collecting" | "active" = "idle";
  /** Next sequence number to deliver. */
  #next = 0;
  /** While collecting: the newest sequence number that is stored. */
  #newest = 0;
  readonly #slots: (Memory | undefined)[] = new Array(WINDOW);
  readonly #sequences = new Int32Array(WINDOW).fill(EMPTY);
  readonly #lengths = new Int32Array(WINDOW);
  #stored = 0;
  #now = 0;
  /** When collecting began, or when the current hole was first seen. */
  #waitingSince = 0;
  #deliveredAt = 0;
  #lateRun = 0;
  #lastLate = 0;

  constructor(sink: PayloadSink) {
    this.#sink = sink;
  }

  /** So long after they came, `tick` gives out packets that are held back, even if nothing more comes. Undefined: none are. */
  get patienceMs(): number | undefined {
    if (this.#phase === "collecting") return COLLECT_MS;
    return this.#stored > 0 ? HOLE_MAX_MS : undefined;
  }

  push(sequence: number, memory: Memory, offset: number, length: number): void {
    if (this.#phase === "active") {
      if (sequence === this.#next && this.#stored === 0) {
        this.#next = (sequence + 1) & 0xffff;
        this.#deliveredAt = this.#now;
        this.#sink.payload(memory, offset, length);
      } else this.#pushActive(sequence, memory, offset, length);
    } else this.#collect(sequence, memory, offset, length);
  }

  /** Called before the packets of each tick; `now` in ms. */
  tick(now: number): void {
    this.#now = now;
    if (this.#phase === "collecting" && now - this.#waitingSince >= COLLECT_MS) this.#activate();
    else if (this.#phase === "active" && this.#stored > 0 && now - this.#waitingSince >= HOLE_MAX_MS) {
      this.#skipHole();
      this.#deliverRun();
    }
  }

  /** Delivers what is held back and starts anew: the source is gone or will be another. */
  reset(): void {
    while (this.#stored > 0) {
      this.#skipHole();
      this.#deliverRun();
    }
    this.#phase = "idle";
    this.#lateRun = 0;
  }

  #collect(sequence: number, memory: Memory, offset: number, length: number): void {
    if (this.#phase === "idle") {
      this.#phase = "collecting";
      this.#waitingSince = this.#now;
      this.#next = this.#newest = sequence;
    }
    const ahead = sequenceDifference(sequence, this.#next);
    // A jump too far for the window: what was collected belongs to another time.
    if (ahead >= WINDOW || ahead <= -WINDOW) {
      this.reset();
      this.#collect(sequence, memory, offset, length);
      return;
    }
    // All that is stored must fit one window, or two packets would claim the same slot.
    if (sequenceDifference(this.#newest, sequence) >= WINDOW) {
      this.counts.late++;
      return;
    }
    if (!this.#store(sequence, memory, offset, length)) return;
    if (ahead < 0) this.#next = sequence;
    if (sequenceDifference(sequence, this.#newest) > 0) this.#newest = sequence;
    if (this.#stored >= COLLECT_PACKETS) this.#activate();
  }

  #activate(): void {
    this.#phase = "active";
    this.#deliveredAt = this.#now;
    this.#lateRun = 0;
    this.#deliverRun();
  }

  #pushActive(sequence: number, memory: Memory, offset: number, length: number): void {
    const ahead = sequenceDifference(sequence, this.#next);
    if (ahead < 0) {
      this.#late(sequence, memory, offset, length);
      return;
    }
    this.#lateRun = 0;
    while (this.#stored > 0 && sequenceDifference(sequence, this.#next) >= WINDOW) this.#advance();
    this.#jump(sequence);
    this.#deliverRun();
    if (sequence === this.#next) {
      this.#next = (sequence + 1) & 0xffff;
      this.#deliveredAt = this.#now;
      this.#sink.payload(memory, offset, length);
      this.#deliverRun();
    } else if (this.#store(sequence, memory, offset, length)) {
      this.counts.reordered++;
    }
  }

  /** With nothing stored, the numbers up to the window before `sequence` are lost all at once. */
  #jump(sequence: number): void {
    const beyond = sequenceDifference(sequence, this.#next) - (WINDOW - 1);
    if (beyond <= 0) return;
    this.counts.lost += beyond;
    this.#next = (this.#next + beyond) & 0xffff;
  }

  /** Follows a source that has restarted with lower numbers; else counts a packet that came too late. */
  #late(sequence: number, memory: Memory, offset: number, length: number): void {
    this.counts.late++;
    const ascends = this.#lateRun > 0 && sequenceDifference(sequence, this.#lastLate) > 0;
    this.#lateRun = ascends ? this.#lateRun + 1 : 1;
    this.#lastLate = sequence;
    if (this.#lateRun < RESYNC_PACKETS || this.#now - this.#deliveredAt < RESYNC_MS) return;
    this.counts.resyncs++;
    this.reset();
    this.#collect(sequence, memory, offset, length);
  }

  /** False for a duplicate. */
  #store(sequence: number, memory: Memory, offset: number, length: number): boolean {
    const index = sequence % WINDOW;
    if (this.#sequences[index] !== EMPTY) {
      this.counts.duplicates++;
      return false;
    }
    let slot = this.#slots[index];
    if (!slot || slot.bytes.length < length) {
      slot = allocate(Math.max(SLOT_BYTES, length));
      this.#slots[index] = slot;
    }
    copyBytes(slot, 0, memory, offset, length);
    this.#sequences[index] = sequence;
    this.#lengths[index] = length;
    if (this.#stored++ === 0) this.#waitingSince = this.#now;
    return true;
  }

  /** Delivers the packets that follow without a hole. */
  #deliverRun(): void {
    while (this.#stored > 0 && this.#sequences[this.#next % WINDOW] === this.#next) this.#advance();
  }

  /** Moves on by one: delivers the packet if it is there, else counts it as lost. */
  #advance(): void {
    const sequence = this.#next;
    const index = sequence % WINDOW;
    // First, so that a sink that throws leaves us at the next packet.
    this.#next = (sequence + 1) & 0xffff;
    if (this.#sequences[index] === sequence) {
      this.#sequences[index] = EMPTY;
      this.#stored--;
      this.#deliveredAt = this.#now;
      this.#waitingSince = this.#now;
      this.#sink.payload(this.#slots[index]!, 0, this.#lengths[index]!);
    } else this.counts.lost++;
  }

  /** Gives up the packets before the first stored one. */
  #skipHole(): void {
    while (this.#stored > 0 && this.#sequences[this.#next % WINDOW] !== this.#next) this.#advance();
  }
}
