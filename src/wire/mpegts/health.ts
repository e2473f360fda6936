/** Looks through a transport stream for what makes pictures stutter, in the spirit of ETSI TR 101 290 (health.md sections 2 to 4). */
import { BROKEN, continuityAfter, IS_REPETITION, isDiscontinuous, NO_COUNTER } from "./continuity.ts";
import type { Elementary } from "./elementary.ts";
import { hasPcr, isUnitStart, packetId } from "./packet.ts";
import { PCR_TICKS_PER_MS, pcrStep, Repetition, readPcr, StreamClock } from "./pcr.ts";
import { DTS_OFFSET, hasDts, PTS_OFFSET, readTimestamp, timedPesOffset } from "./pes.ts";
import { OTHER_PIDS, PidHealth } from "./pid-health.ts";
import { Programmes } from "./programmes.ts";
import { type PacketSink, PacketSplitter } from "./splitter.ts";

const PID_COUNT = 0x2000;
const NULL_PID = 0x1fff;
/** Those beyond are counted together. */
const MAX_PIDS = 255;

const PCR_PERIOD_TICKS = 100 * PCR_TICKS_PER_MS;
const PTS_PERIOD_MS = 700;
/** A PCR that is further on than this, and than the time that has passed, is another clock. */
const MAX_PCR_STEP_MS = 1000;
/** After that, the clock of the stream is the time of arrival. */
const PCR_SILENCE_MS = 1000;
/** Of the jitter's mean, as for RTP (RFC 3550 section 6.4.1). */
const JITTER_WEIGHT = 1 / 16;
/** The clock follows another PID when so many of its PCRs came and none of its own. */
const OTHER_CLOCK_PCRS = 50;

export class TransportHealth implements PacketSink {
  /** Times that a packet did not begin where one should. What is missed over that counts as no other error. Each count grows for as long as this lives. */
  syncLosses = 0;
  /** transport_error_indicator: somebody before us could not correct them. */
  transportErrors = 0;
  scrambled = 0;
  continuityErrors = 0;
  /** PCRs that did not come in 100 ms. */
  pcrErrors = 0;
  /** PCRs that do not go on from the one before, unannounced. */
  pcrJumps = 0;
  pcrJitterMs = 0;
  /** PTSs that did not come in 700 ms. */
  ptsErrors = 0;
  readonly programmes: Programmes;
  /** When the bytes have arrived that are looked at, in ms. */
  #now = 0;
  readonly #splitter = new PacketSplitter(this);
  readonly #clock = new StreamClock();
  /** By PID: its place in `pids`; 0: it has none. */
  readonly #places = new Uint8Array(PID_COUNT);
  readonly #pids: PidHealth[] = [new PidHealth(OTHER_PIDS)];
  readonly #nulls = new PidHealth(NULL_PID);
  /** Whose PCR is the clock's. */
  #clockPid: number | undefined;
  /** When its last PCR came, or what stands for it; undefined before the first byte. */
  #clockAt: number | undefined;
  #otherPcrs = 0;
  /** Nothing has to have come before that time of the clock. */
  #nextDue = 0;

  constructor() {
    this.programmes = new Programmes((pid) => this.#entryOf(pid), this.#clock);
  }

  /** By number; the last one may be all others. */
  get pids(): readonly PidHealth[] {
    const [others, ...known] = this.#pids;
    const byNumber = [...known, this.#nulls].sort((a, b) => a.pid - b.pid);
    return [...byNumber, others!].filter(({ packets }) => packets > 0);
  }

  /** All that were whole. */
  get packets(): number {
    return this.#clock.packets;
  }

  get nullPackets(): number {
    return this.#nulls.packets;
  }

  /** The stream's own time, in ms. */
  get elapsedMs(): number {
    return this.#clock.elapsed / PCR_TICKS_PER_MS;
  }

  /** @param now when they have arrived, in ms */
  look(bytes: Uint8Array, offset: number, length: number, now: number): void {
    this.#now = now;
    this.#clockAt ??= this.#now;
    this.#splitter.push(bytes, offset, length);
    const silentMs = this.#now - this.#clockAt;
    if (silentMs > PCR_SILENCE_MS) this.#passWithoutPcr(silentMs);
  }

  /** Bytes are missing before the next ones, through no fault of the stream. */
  missed(): void {
    this.#splitter.reset();
    this.#forgetCounters();
    for (const entry of this.#pids) {
      entry.pcr = undefined;
      entry.pts?.restart(this.#clock.elapsed);
    }
    this.#clock.jump();
    this.#clockAt = undefined;
    this.programmes.restart();
  }

  syncLost(): void {
    this.syncLosses++;
    this.#forgetCounters();
  }

  #forgetCounters(): void {
    for (const entry of this.#pids) {
      entry.continuity = NO_COUNTER;
      entry.stream?.broken();
    }
  }

  packet(bytes: Uint8Array, at: number): void {
    this.#clock.packets++;
    const second = bytes[at + 1]!;
    const flags = bytes[at + 3]!;
    const entry = this.#pids[this.#places[((second & 0x1f) << 8) | bytes[at + 2]!]!]!;
    // Nearly all packets: neither marked nor a beginning, a payload alone, and the next number.
    const isNext = (second & 0xc0) === 0 && flags === (0x10 | ((entry.continuity + 1) & 0x0f));
    if (!isNext || !entry.isPassing) this.#examine(bytes, at);
    else {
      entry.packets++;
      entry.continuity = flags & 0x0f;
    }
  }

  #examine(bytes: Uint8Array, at: number): void {
    if ((bytes[at + 1]! & 0x80) !== 0) {
      this.transportErrors++;
      return;
    }
    const pid = packetId(bytes, at);
    if (pid === NULL_PID) {
      this.#nulls.packets++;
      return;
    }
    const entry = this.#pids[this.#places[pid]! || this.#place(pid)]!;
    entry.packets++;
    const flags = bytes[at + 3]!;
    const isScrambled = (flags & 0xc0) !== 0;
    if (isScrambled) {
      entry.scrambled++;
      this.scrambled++;
    }
    const before = entry.continuity;
    const counter = flags & 0x0f;
    // Nearly all packets count on; without a payload they stay where they were.
    if (before !== NO_COUNTER && counter === ((before + ((flags >> 4) & 1)) & 0x0f)) entry.continuity = counter;
    else if (this.#isRepeated(entry, bytes, at)) return;
    if (entry.tables) {
      entry.tables.push(bytes, at);
      return;
    }
    if ((flags & 0x20) !== 0 && hasPcr(bytes, at)) this.#pcr(entry, bytes, at);
    if (entry.stream && !isScrambled) this.#elementary(entry, entry.stream, bytes, at);
  }

  /** Counts a break; true when the packet has come before. */
  #isRepeated(entry: PidHealth, bytes: Uint8Array, at: number): boolean {
    if (entry.pid === OTHER_PIDS) return false;
    const state = continuityAfter(entry.continuity, bytes, at);
    if ((state & BROKEN) !== 0) {
      entry.continuityErrors++;
      this.continuityErrors++;
      entry.stream?.broken();
    }
    entry.continuity = state & ~BROKEN;
    return (state & IS_REPETITION) !== 0;
  }

  #place(pid: number): number {
    if (this.#pids.length > MAX_PIDS) return 0;
    this.#places[pid] = this.#pids.length;
    return this.#pids.push(new PidHealth(pid)) - 1;
  }

  /** Undefined: there is no room for it. */
  #entryOf(pid: number): PidHealth | undefined {
    const place = this.#places[pid]! || this.#place(pid);
    return place === 0 ? undefined : this.#pids[place];
  }

  #elementary(entry: PidHealth, stream: Elementary, bytes: Uint8Array, at: number): void {
    if (isUnitStart(bytes, at)) {
      const pes = timedPesOffset(bytes, at);
      if (pes >= 0 && stream.isTimed) {
        const now = this.#clock.elapsed;
        this.ptsErrors += entry.pts?.seen(now) ?? 0;
        entry.pts ??= new Repetition(PTS_PERIOD_MS, now);
        stream.timed(readTimestamp(bytes, pes + (hasDts(bytes, at, pes) ? DTS_OFFSET : PTS_OFFSET)));
      }
      stream.packet(bytes, at);
    } else if (stream.isSampling) stream.packet(bytes, at);
  }

  #pcr(entry: PidHealth, bytes: Uint8Array, at: number): void {
    if (entry.pid === OTHER_PIDS) return;
    const pcr = readPcr(bytes, at);
    const before = entry.pcr;
    const arrivedMs = this.#now - entry.pcrAt;
    entry.pcr = pcr;
    entry.pcrAt = this.#now;
    const step = before === undefined || isDiscontinuous(bytes, at) ? undefined : pcrStep(before, pcr);
    const isJump = step !== undefined && (step <= 0 || step > (MAX_PCR_STEP_MS + arrivedMs) * PCR_TICKS_PER_MS);
    if (isJump) this.pcrJumps++;
    const continued = isJump ? undefined : step;
    if (continued !== undefined) this.pcrErrors += missedIn(continued);
    if (this.#isClock(entry.pid)) this.#advance(continued, arrivedMs);
  }

  #isClock(pid: number): boolean {
    if (this.#clockPid === pid) this.#otherPcrs = 0;
    else if (this.#clockPid === undefined || ++this.#otherPcrs > OTHER_CLOCK_PCRS) {
      this.#clockPid = pid;
      this.#otherPcrs = 0;
      this.#clock.jump();
    }
    return this.#clockPid === pid;
  }

  /** @param step undefined: the PCR begins anew */
  #advance(step: number | undefined, arrivedMs: number): void {
    this.#clockAt = this.#now;
    if (step === undefined) this.#clock.jump();
    else {
      this.#clock.advance(step);
      const deviation = Math.abs(arrivedMs - step / PCR_TICKS_PER_MS);
      this.pcrJitterMs += (deviation - this.pcrJitterMs) * JITTER_WEIGHT;
    }
    this.#checkRepetitions();
  }

  #passWithoutPcr(ms: number): void {
    this.#clockAt = this.#now;
    this.#clock.passWithout(ms * PCR_TICKS_PER_MS);
    // What has passed is counted here, and no second time when the PCR comes back.
    const clock = this.#clockPid === undefined ? undefined : this.#entryOf(this.#clockPid);
    if (clock) {
      this.pcrErrors += missedIn(ms * PCR_TICKS_PER_MS);
      clock.pcr = undefined;
    }
    this.#checkRepetitions();
  }

  #checkRepetitions(): void {
    const now = this.#clock.elapsed;
    if (now <= this.#nextDue) return;
    // What begins to be awaited meanwhile is due later than the PAT.
    this.#nextDue = this.programmes.checkRepetitions(now);
    for (const { pts, stream } of this.#pids) {
      if (!pts || !stream) continue;
      this.ptsErrors += pts.missed(now);
      this.#nextDue = Math.min(this.#nextDue, pts.due);
    }
  }
}

/** How often a PCR is missing in a step to the next one, in ticks. */
function missedIn(step: number): number {
  if (step <= PCR_PERIOD_TICKS) return 0;
  return Math.ceil(step / PCR_PERIOD_TICKS) - 1;
}
