/**
 * Plays an MPEG-TS clip endlessly: every repetition continues the clocks (PCR, PTS, DTS) and the continuity counters
 * of the one before, so that a decoder sees one stream without a break (ISO/IEC 13818-1 sections 2.4.3.3 to 2.4.3.7).
 */

import { hasPcr, isRandomAccess, PAT_PID, packetId, TS_PACKET_BYTES, TS_SYNC_BYTE } from "./packet.ts";
import { readPcrBase } from "./pcr.ts";
import { DTS_OFFSET, hasDts, PTS_OFFSET, readTimestamp, timedPesOffset } from "./pes.ts";

/** PCR base, PTS and DTS count 90 kHz ticks in 33 bits. */
const CLOCK_WRAP_TICKS = 2 ** 33;
const PID_COUNT = 8192;
const NULL_PID = 0x1fff;

/** A clip that can be repeated, with the time at which each of its packets leaves. */
export interface LoopClip {
  /** Whole TS packets. */
  bytes: Uint8Array;
  /** Length of one repetition in 90 kHz ticks. */
  durationTicks: number;
  /** When each packet is due, in 90 kHz ticks after the first PCR: 0…durationTicks, never decreasing. */
  dueTicks: Float64Array;
}

/**
 * Looks through a clip. `durationTicks` is how far one repetition moves the clocks: the sum of the frame durations, in
 * 90 kHz ticks. Undefined when the bytes are not whole TS packets or hold no PCR, by which alone a clip can be paced.
 */
export function parseLoopClip(bytes: Uint8Array, durationTicks: number): LoopClip | undefined {
  if (bytes.length % TS_PACKET_BYTES !== 0) return undefined;
  for (let at = 0; at < bytes.length; at += TS_PACKET_BYTES) if (bytes[at] !== TS_SYNC_BYTE) return undefined;
  const dueTicks = dueTimes(bytes, durationTicks);
  return dueTicks && { bytes, durationTicks, dueTicks };
}

/** Packets between two PCRs of the first PID that has any leave at even distances, as ISO/IEC 13818-1 section 2.4.2.2 says. */
function dueTimes(bytes: Uint8Array, durationTicks: number): Float64Array | undefined {
  const due = new Float64Array(bytes.length / TS_PACKET_BYTES);
  let pid: number | undefined;
  let firstPcr = 0;
  let anchor = 0;
  for (let i = 0; i < due.length; i++) {
    const offset = i * TS_PACKET_BYTES;
    if (!hasPcr(bytes, offset)) continue;
    const pcr = readPcrBase(bytes, offset);
    if (pid === undefined) {
      pid = packetId(bytes, offset);
      firstPcr = pcr;
    } else if (packetId(bytes, offset) === pid) {
      const elapsed = (pcr - firstPcr + CLOCK_WRAP_TICKS) % CLOCK_WRAP_TICKS;
      spread(due, anchor, i, Math.min(durationTicks, Math.max(due[anchor]!, elapsed)));
    } else continue;
    anchor = i;
  }
  if (pid === undefined) return undefined;
  spread(due, anchor, due.length, durationTicks);
  return due;
}

/** Fills the due times after `from` evenly, so that packet `to`, if there is one, is due at `ticks`. */
function spread(due: Float64Array, from: number, to: number, ticks: number): void {
  const start = due[from]!;
  for (let i = from + 1; i <= to; i++) due[i] = start + ((ticks - start) * (i - from)) / (to - from);
}

/** Index of the programme table before the last random access point that is due by then, 0…durationTicks: a decoder begins there. */
function entryIndex({ bytes, dueTicks }: LoopClip, ticks: number): number {
  let table = 0;
  let entry = 0;
  for (let i = 0; i < dueTicks.length && dueTicks[i]! <= ticks; i++) {
    const offset = i * TS_PACKET_BYTES;
    if (packetId(bytes, offset) === PAT_PID) table = i;
    // Sound has random access points of its own, but no PCR.
    else if (hasPcr(bytes, offset) && isRandomAccess(bytes, offset)) entry = table;
  }
  return entry;
}

/** The endless stream that a clip becomes, one packet after another. */
export class ClipLoop {
  private readonly clip: LoopClip;
  /** The last continuity counter sent on each PID. */
  private readonly counters = new Uint8Array(PID_COUNT).fill(15);
  private index: number;
  /** How far the repetitions before this one have moved the clocks, in 90 kHz ticks that do not wrap. */
  private movedTicks: number;

  /** @param startTicks where in the endless stream to begin, 0 or more: a little earlier, so that a decoder can follow at once */
  constructor(clip: LoopClip, startTicks = 0) {
    const within = startTicks % clip.durationTicks;
    this.clip = clip;
    this.index = entryIndex(clip, within);
    this.movedTicks = startTicks - within;
  }

  /** When the next packet is due, in 90 kHz ticks after the first PCR of the first repetition; does not wrap. */
  nextDueTicks(): number {
    return this.movedTicks + this.clip.dueTicks[this.index]!;
  }

  /** Writes the next packet: 188 bytes at `offset`, which must fit. */
  emitNext(into: Uint8Array, offset: number): void {
    const { bytes, dueTicks, durationTicks } = this.clip;
    const from = this.index * TS_PACKET_BYTES;
    for (let i = 0; i < TS_PACKET_BYTES; i++) into[offset + i] = bytes[from + i]!;
    movePcr(into, offset, this.movedTicks);
    movePesClocks(into, offset, this.movedTicks);
    this.continueCounter(into, offset);
    if (++this.index < dueTicks.length) return;
    this.index = 0;
    this.movedTicks += durationTicks;
  }

  /** Only packets with a payload count (section 2.4.3.3); the counter of null packets has no meaning. */
  private continueCounter(packet: Uint8Array, offset: number): void {
    const pid = packetId(packet, offset);
    if (pid === NULL_PID) return;
    const control = packet[offset + 3]!;
    if ((control & 0x10) !== 0) this.counters[pid] = (this.counters[pid]! + 1) & 0x0f;
    packet[offset + 3] = (control & 0xf0) | this.counters[pid]!;
  }
}

function moveClock(ticks: number, by: number): number {
  return (ticks + by) % CLOCK_WRAP_TICKS;
}

function movePcr(packet: Uint8Array, offset: number, by: number): void {
  if (!hasPcr(packet, offset)) return;
  const base = moveClock(readPcrBase(packet, offset), by);
  const high = Math.floor(base / 2);
  const at = offset + 6;
  packet[at] = high >>> 24;
  packet[at + 1] = high >>> 16;
  packet[at + 2] = high >>> 8;
  packet[at + 3] = high;
  packet[at + 4] = (packet[at + 4]! & 0x7f) | ((base % 2) << 7);
}

/** PTS and DTS of a PES header that starts in this packet, unless the packet is scrambled. */
function movePesClocks(packet: Uint8Array, offset: number, by: number): void {
  const pes = timedPesOffset(packet, offset);
  if (pes < 0) return;
  moveTimestamp(packet, pes + PTS_OFFSET, by);
  if (hasDts(packet, offset, pes)) moveTimestamp(packet, pes + DTS_OFFSET, by);
}

/** Moves the time stamp in the five bytes at `at`. */
function moveTimestamp(bytes: Uint8Array, at: number, by: number): void {
  const moved = moveClock(readTimestamp(bytes, at), by);
  bytes[at] = (bytes[at]! & 0xf1) | (Math.floor(moved / 2 ** 30) << 1);
  bytes[at + 1] = moved >>> 22;
  bytes[at + 2] = ((moved >>> 14) & 0xfe) | (bytes[at + 2]! & 1);
  bytes[at + 3] = moved >>> 7;
  bytes[at + 4] = ((moved << 1) & 0xfe) | (bytes[at + 4]! & 1);
}
