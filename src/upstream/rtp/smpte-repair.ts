/** Gives back packets from the XOR of rows and columns, each of which can repair one (SMPTE 2022-1; multicast.md section 9.7). */
import { allocate, copyBytes, type Memory } from "../../system/memory.ts";
import { emptyXorParity, type XorParity, XorRecovery } from "../../wire/fec/smpte-2022-1.ts";
import { emptyRtpPacket, parseRtp, RTP_HEADER_BYTES, sequenceDifference } from "../../wire/rtp/packet.ts";
import type { PacketWindow, StoredPacket } from "./packet-window.ts";
import type { HoleRepair, ReorderBuffer } from "./reorder.ts";
import { RepairProof } from "./repair-proof.ts";

/** Rows and columns of which two or more packets are missing; a matrix of 10 × 10 has 20. */
const MAX_WAITING = 128;
/** From the first packet of a row or column to its last. */
const MAX_SPAN = 512;
/** How far from the latest packet the last one of a row or column may be. */
const MAX_DISTANCE = 1024;
/** Parity and media may overtake each other by so much. */
const PATIENCE_PACKETS = 32;
/** Parity of which so much proved to be wrong, one after the other, is of no use. */
const MAX_REFUSALS = 16;
const MAX_PACKET_BYTES = 2048;

/** A row or a column that waits for more packets. */
interface Waiting extends XorParity {
  isUsed: boolean;
  memory: Memory;
}

/** The parity of rows, or of columns. */
interface Direction {
  /** Of the latest parity; 0: none has come. */
  stride: number;
  count: number;
  /** A line of which nothing was missing had the parity that it should have. */
  isProven: boolean;
}

export class SmpteRepair implements HoleRepair {
  readonly #reorder: ReorderBuffer;
  readonly #enlarge: (packets: number) => PacketWindow;
  #window: PacketWindow;
  #proof: RepairProof;
  readonly #rows: Direction = { stride: 0, count: 0, isProven: false };
  readonly #columns: Direction = { stride: 0, count: 0, isProven: false };
  /** The timestamps of media are those that parity was made of. */
  #hasTrueTimestamps = false;
  readonly #waiting: Waiting[] = [];
  /** Where the next one goes, if all places are taken. */
  #oldest = 0;
  readonly #rebuilt = allocate(MAX_PACKET_BYTES);
  /** The latest packet of which parity has come. */
  #latest: number | undefined;
  #refusals = 0;

  /** @param enlarge makes the window one that lets a hole wait for so many packets */
  constructor(reorder: ReorderBuffer, window: PacketWindow, enlarge: (packets: number) => PacketWindow) {
    this.#reorder = reorder;
    this.#window = window;
    this.#enlarge = enlarge;
    this.#proof = new RepairProof(window);
  }

  /** What it repairs, for people. */
  get about(): string {
    const parts = [this.#columns.stride > 0 && "columns", this.#rows.stride > 0 && "rows"].filter(Boolean);
    return `SMPTE 2022-1, ${parts.join(" and ")}`;
  }

  get isProven(): boolean {
    return (this.#rows.isProven || this.#columns.isProven) && !this.isUnknown;
  }

  /** Its parity is not that of this stream. */
  get isUnknown(): boolean {
    return this.#refusals >= MAX_REFUSALS;
  }

  /** Takes what was parsed in `memory`. False when it makes no sense. */
  accept(parity: XorParity, memory: Memory): boolean {
    const { awaited: next, newest } = this.#reorder;
    if (next === undefined) return true;
    const last = lastOf(parity);
    const isNear = Math.abs(sequenceDifference(newest, last)) <= MAX_DISTANCE;
    const isSmall = (parity.count - 1) * parity.stride <= MAX_SPAN;
    if (!isNear || !isSmall || parity.payloadLength > MAX_PACKET_BYTES - RTP_HEADER_BYTES) return false;
    const direction = this.#learn(parity, last);
    if (direction.isProven && sequenceDifference(next, last) > 0) return true;
    const missing = this.#missing(parity);
    if (missing === 0 && !direction.isProven) this.#prove(direction, parity, memory);
    const isOfUse = missing > 0 && sequenceDifference(next, last) <= 0;
    if (isOfUse) this.#wait(parity, memory);
    if (isOfUse && missing === 1) this.#repairMore();
    this.#reorder.giveUpHopeless();
    return true;
  }

  held(sequence: number): void {
    // Nearly always parity comes behind its packets.
    if (this.#latest !== undefined && sequenceDifference(sequence, this.#latest) <= 0) this.#repairMore();
  }

  mayRepair(hole: number, newest: number): boolean {
    const behind = sequenceDifference(newest, hole);
    if (this.isUnknown || behind > this.#patience) return false;
    const hasBoth = this.#rows.stride > 0 && this.#columns.stride > 0;
    // Without the other direction nothing will help a row or column of which two are missing.
    return (
      hasBoth || !this.#waiting.some((parity) => parity.isUsed && covers(parity, hole) && this.#missing(parity) > 1)
    );
  }

  tick(): void {}

  reset(): void {
    for (const parity of this.#waiting) parity.isUsed = false;
    this.#latest = undefined;
  }

  /** The parity of a row may come as late as the end of the next row, that of a column as the end of the next matrix. */
  get #patience(): number {
    const packets = Math.max(this.#rows.count, this.#columns.count * this.#columns.stride);
    return packets === 0 ? 0 : 2 * packets + PATIENCE_PACKETS;
  }

  #learn({ isRow, stride, count }: XorParity, last: number): Direction {
    if (this.#latest === undefined || sequenceDifference(last, this.#latest) > 0) this.#latest = last;
    const direction = isRow ? this.#rows : this.#columns;
    if (direction.stride === stride && direction.count === count) return direction;
    Object.assign(direction, { stride, count, isProven: false });
    if (this.#patience > this.#window.size / 2) {
      this.#window = this.#enlarge(this.#patience);
      this.#proof = new RepairProof(this.#window);
    }
    return direction;
  }

  #missing({ base, stride, count }: XorParity): number {
    let missing = 0;
    for (let i = 0; i < count; i++) if (!this.#window.has((base + i * stride) & 0xffff)) missing++;
    return missing;
  }

  /** Compares the parity of a line of which nothing is missing with its packets. What waited for that is repaired. */
  #prove(direction: Direction, parity: XorParity, memory: Memory): void {
    const recovery = this.#recovery(parity, memory);
    if (!recovery?.isTheirs) {
      this.#refusals++;
      return;
    }
    direction.isProven = true;
    this.#hasTrueTimestamps = recovery.hasTheirTimestamps;
    this.#refusals = 0;
    this.#repairMore();
  }

  #wait(parity: XorParity, memory: Memory): void {
    const place = this.#place();
    const timestampStart = 0;
    const payloadStart = RTP_HEADER_BYTES;
    copyBytes(place.memory, timestampStart, memory, parity.timestampStart, 4);
    copyBytes(place.memory, payloadStart, memory, parity.payloadStart, parity.payloadLength);
    Object.assign(place, parity, { timestampStart, payloadStart, isUsed: true });
  }

  /** A free place, or that of the one that has waited longest. */
  #place(): Waiting {
    const free = this.#waiting.find(({ isUsed }) => !isUsed);
    if (free) return free;
    if (this.#waiting.length < MAX_WAITING) {
      const made = { ...emptyXorParity(), isUsed: false, memory: allocate(MAX_PACKET_BYTES) };
      this.#waiting.push(made);
      return made;
    }
    this.#oldest = (this.#oldest + 1) % MAX_WAITING;
    return this.#waiting[this.#oldest]!;
  }

  /** What one direction has given back may let the other one repair more. */
  #repairMore(): void {
    for (let progress = true; progress; ) {
      progress = false;
      for (const parity of this.#waiting) {
        if (!parity.isUsed) continue;
        const missing = this.#missing(parity);
        const next = this.#reorder.awaited;
        const isOver = missing === 0 || next === undefined || sequenceDifference(next, lastOf(parity)) > 0;
        if (isOver) parity.isUsed = false;
        if (missing === 1 && !isOver && this.#repair(parity)) progress = true;
      }
    }
  }

  /** Gives back the one packet that is missing. */
  #repair(parity: Waiting): boolean {
    const direction = parity.isRow ? this.#rows : this.#columns;
    const isProven = direction.isProven && parity.stride === direction.stride && parity.count === direction.count;
    if (!isProven) return false;
    parity.isUsed = false;
    const packet = this.#rebuild(parity);
    const { counts } = this.#reorder;
    if (!packet || !this.#proof.fits([packet], false, this.#hasTrueTimestamps)) {
      this.#refusals++;
      counts.refused = (counts.refused ?? 0) + 1;
      return false;
    }
    if (!this.#reorder.insert(packet, packet.memory, 0, packet.length)) return false;
    this.#refusals = 0;
    counts.repaired = (counts.repaired ?? 0) + 1;
    return true;
  }

  #rebuild(parity: Waiting): StoredPacket | undefined {
    const length = this.#recovery(parity, parity.memory)?.finish(this.#firstMissing(parity)) ?? 0;
    const packet = { ...emptyRtpPacket(), memory: this.#rebuilt, length };
    return length > 0 && parseRtp(this.#rebuilt.bytes, 0, length, packet) ? packet : undefined;
  }

  /** All packets of a line that are there, taken from its parity. Undefined when it cannot be theirs. */
  #recovery(parity: XorParity, { bytes }: Memory): XorRecovery | undefined {
    const recovery = new XorRecovery(parity, bytes, this.#rebuilt.bytes);
    for (let i = 0; i < parity.count; i++) {
      const packet = this.#window.get((parity.base + i * parity.stride) & 0xffff);
      if (packet && !recovery.add(packet.memory.bytes, packet.length)) return undefined;
    }
    return recovery;
  }

  #firstMissing({ base, stride }: XorParity): number {
    let sequence = base;
    while (this.#window.has(sequence)) sequence = (sequence + stride) & 0xffff;
    return sequence;
  }
}

function lastOf({ base, stride, count }: XorParity): number {
  return (base + (count - 1) * stride) & 0xffff;
}

function covers({ base, stride, count }: XorParity, sequence: number): boolean {
  const distance = sequenceDifference(sequence, base);
  return distance >= 0 && distance < count * stride && distance % stride === 0;
}
