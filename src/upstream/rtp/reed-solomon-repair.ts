/** Gives back packets from Reed–Solomon parity (multicast.md sections 9.3 to 9.6). */
import { allocate, type Memory } from "../../system/memory.ts";
import { MAX_BLOCK_BYTES, type ParityPacket } from "../../wire/fec/parity-packet.ts";
import { ErasureDecoder, type FecCode } from "../../wire/fec/reed-solomon.ts";
import { emptyRtpPacket, isRtp, parseRtp, RTP_HEADER_BYTES, sequenceDifference } from "../../wire/rtp/packet.ts";
import { CodeTrust } from "./code-trust.ts";
import { GroupBlocks } from "./group-blocks.ts";
import type { PacketWindow, StoredPacket } from "./packet-window.ts";
import { type ParityGroup, ParityGroups } from "./parity-groups.ts";
import { ParitySchedule } from "./parity-schedule.ts";
import type { HoleRepair, ReorderBuffer } from "./reorder.ts";
import { RepairProof, trimmedEnd } from "./repair-proof.ts";

/** Multiplications in one go, about 1 ms; what is left of a decode follows in the next ticks. */
const SLICE_PRODUCTS = 1_000_000;
const SLICE_MIN_COLUMNS = 16;
/** Of data and parity: what the larger of the two codes can have. */
const MAX_GROUP_PACKETS = 256;
/** How far from the latest packet a group may begin. */
const MAX_DISTANCE = 1024;

/** A decode that is under way. */
interface Job {
  readonly group: ParityGroup;
  readonly begin: number;
  /** What is left to try. */
  readonly codes: FecCode[];
  /** Places in the group. */
  readonly missing: readonly number[];
  /** The next one to solve. */
  column: number;
}

export class ReedSolomonRepair implements HoleRepair {
  readonly #reorder: ReorderBuffer;
  readonly #proof: RepairProof;
  readonly #schedule: ParitySchedule;
  readonly #trust = new CodeTrust();
  readonly #groups = new ParityGroups();
  readonly #decoder = new ErasureDecoder();
  /** The packets of the group that is looked at. */
  readonly #blocks: GroupBlocks;
  /** For what decodes bring. */
  readonly #memories: Memory[] = [];
  #job: Job | undefined;
  constructor(reorder: ReorderBuffer, window: PacketWindow) {
    this.#reorder = reorder;
    this.#blocks = new GroupBlocks(window);
    this.#proof = new RepairProof(window);
    this.#schedule = new ParitySchedule(window);
  }

  /** What it repairs, for people. */
  get about(): string {
    const { dataCount = 0, parityCount = 0 } = this.#schedule.latest ?? {};
    return `Reed–Solomon, ${parityCount} parity packets for ${dataCount}`;
  }

  get isProven(): boolean {
    return this.#trust.state === "proven";
  }

  /** Its parity is of a code that nobody knows. */
  get isUnknown(): boolean {
    return this.#trust.state === "unknown";
  }

  /** Takes what was parsed in `memory`. False when it makes no sense, or contradicts what has come before. */
  accept(packet: ParityPacket, memory: Memory): boolean {
    const { awaited: next, newest } = this.#reorder;
    if (next === undefined) return true;
    if (Math.abs(sequenceDifference(newest, packet.begin)) > MAX_DISTANCE) return false;
    if (packet.dataCount + packet.parityCount > MAX_GROUP_PACKETS) return false;
    this.#schedule.came(packet, newest);
    if (sequenceDifference(next, packet.end) > 0) {
      if (this.#trust.wantsGroup()) this.#checkWhole(packet, memory);
      return true;
    }
    this.#groups.expire(next);
    const group = this.#groups.accept(packet, memory);
    if (!group) return false;
    this.#attempt(group);
    this.#reorder.giveUpHopeless();
    return true;
  }

  held(sequence: number): void {
    // Nearly always parity comes behind its group, and then this packet can be of no known group.
    const { latest } = this.#schedule;
    if (!latest || sequenceDifference(sequence, latest.end) > 0) return;
    const group = this.#groups.find(sequence);
    if (group) this.#attempt(group);
  }

  mayRepair(hole: number, newest: number): boolean {
    if (this.isUnknown) return false;
    if (this.#schedule.hadHope(hole, newest)) return true;
    const group = this.#groups.find(hole);
    if (group?.state === "refused") return false;
    return (group !== undefined && group === this.#job?.group) || this.#schedule.hasHope(hole, newest, group);
  }

  tick(): void {
    const job = this.#job;
    if (!job) return;
    const { group, begin, missing } = job;
    this.#job = undefined;
    const isOpen = group.state === "open" && group.begin === begin;
    const isSame = isOpen && this.#blocks.of(begin).missing(group.dataCount).join() === missing.join();
    if (isSame) {
      this.#job = job;
      this.#proceed(job);
    }
    // They had to wait for this one.
    for (const each of this.#groups.all) this.#attempt(each);
    this.#reorder.giveUpHopeless();
  }

  reset(): void {
    this.#groups.clear();
    this.#job = undefined;
    this.#schedule.reset();
  }

  /** All packets of it have been delivered, or given up. */
  #checkWhole(packet: ParityPacket, { bytes }: Memory): void {
    const { dataCount, index, parityStart: offset, blockLength: length } = packet;
    if (this.#schedule.missing(packet.begin, dataCount) > 0 || packet.parityLength < length) return;
    this.#trust.check({ dataCount, blocks: this.#blocks.of(packet.begin), index, bytes, offset, length });
  }

  #attempt(group: ParityGroup): void {
    if (group.state !== "open" || this.#job) return;
    // Nearly always more is missing than can be solved yet, and what is there need not be looked at.
    if (this.#schedule.missing(group.begin, group.dataCount) > group.indexes.length) return;
    const missing = this.#blocks.of(group.begin).missing(group.dataCount);
    if (missing.length === 0) group.state = "whole";
    if (missing.length === 0 || missing.length > group.indexes.length) return;
    const codes = [...this.#trust.candidates(group.dataCount, group.parityCount)];
    this.#job = { group, begin: group.begin, codes, missing, column: 0 };
    this.#proceed(this.#job);
  }

  /** Goes on with a decode. It ends with its packets delivered, or refused. */
  #proceed(job: Job): void {
    for (; job.codes.length > 0; job.codes.shift(), job.column = 0) {
      if (job.column === 0 && !this.#solveHeaders(job)) continue;
      if (!this.#solveSlice(job)) return;
      const packets = this.#proven(job);
      if (packets) {
        this.#deliver(job, packets);
        return;
      }
    }
    job.group.state = "refused";
    this.#job = undefined;
    // Of a code that nobody knows nothing was tried.
    if (this.isUnknown) return;
    this.#trust.refused();
    const { counts } = this.#reorder;
    counts.refused = (counts.refused ?? 0) + job.missing.length;
  }

  /** What is cheap goes first: the headers alone nearly always tell a wrong code. A proven one is solved in one go. */
  #solveHeaders(job: Job): boolean {
    const { group, missing } = job;
    const generator = this.#trust.generator(job.codes[0]!, group.dataCount);
    if (!this.#decoder.begin(generator, missing, group.indexes.slice(0, missing.length))) return false;
    while (this.#memories.length < missing.length) this.#memories.push(allocate(MAX_BLOCK_BYTES));
    if (this.isProven) return true;
    this.#solve(job, RTP_HEADER_BYTES);
    return this.#haveTheirNumbers(job);
  }

  #haveTheirNumbers({ missing, begin }: Job): boolean {
    return missing.every((place, i) => {
      const { bytes } = this.#memories[i]!;
      const sequence = (bytes[2]! << 8) | bytes[3]!;
      return isRtp(bytes, 0, RTP_HEADER_BYTES) && sequence === ((begin + place) & 0xffff);
    });
  }

  /** Whether all is solved. */
  #solveSlice(job: Job): boolean {
    const { group, missing, column } = job;
    const columns = Math.max(SLICE_MIN_COLUMNS, Math.floor(SLICE_PRODUCTS / (group.dataCount * missing.length)));
    this.#solve(job, Math.min(group.blockLength, column + columns));
    return job.column === group.blockLength;
  }

  #solve(job: Job, to: number): void {
    const { group, missing, column } = job;
    const parities = group.parities.slice(0, missing.length).map(({ bytes }) => bytes);
    const into = this.#memories.slice(0, missing.length).map(({ bytes }) => bytes);
    if (this.#decoder.solve(this.#blocks.of(job.begin), parities, into, column, to)) {
      job.column = to;
      return;
    }
    // A packet that was there has left the history.
    job.codes.length = 0;
    group.state = "refused";
    this.#job = undefined;
  }

  /** The packets, if they prove to be right. */
  #proven(job: Job): StoredPacket[] | undefined {
    if (!this.#haveTheirNumbers(job)) return undefined;
    const { blockLength: length } = job.group;
    const packets: StoredPacket[] = [];
    for (let i = 0; i < job.missing.length; i++) {
      const memory = this.#memories[i]!;
      const packet = { ...emptyRtpPacket(), memory, length };
      if (!parseRtp(memory.bytes, 0, length, packet)) return undefined;
      packet.payloadEnd = trimmedEnd(memory.bytes, packet.payloadStart, packet.payloadEnd);
      if (packet.payloadEnd <= packet.payloadStart) return undefined;
      packets.push(packet);
    }
    return this.#proof.fits(packets, true, false) && this.#fitsSpareParity(job) ? packets : undefined;
  }

  /** While the code is not proven, parity that was not needed is compared with what it should be. */
  #fitsSpareParity({ group, begin, missing, codes }: Job): boolean {
    const spare = missing.length;
    const parity = group.parities[spare];
    if (this.isProven || !parity) return true;
    const { dataCount, blockLength: length } = group;
    const whole = {
      dataCount,
      blocks: this.#blocks.completed(begin, missing, this.#memories),
      index: group.indexes[spare]!,
      bytes: parity.bytes,
      offset: 0,
      length,
    };
    return this.#trust.confirms(codes[0]!, whole);
  }

  #deliver({ group }: Job, packets: readonly StoredPacket[]): void {
    group.state = "whole";
    this.#job = undefined;
    this.#trust.accepted();
    const { counts } = this.#reorder;
    for (const packet of packets) {
      if (this.#reorder.insert(packet, packet.memory, 0, packet.length)) counts.repaired = (counts.repaired ?? 0) + 1;
    }
  }
}
