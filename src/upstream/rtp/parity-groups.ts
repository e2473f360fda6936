/** The groups of packets of which parity has come, and that parity, in memory that is used again and again (multicast.md section 9.3). */
import { allocate, copyBytes, type Memory } from "../../system/memory.ts";
import { MAX_BLOCK_BYTES, type ParityPacket } from "../../wire/fec/parity-packet.ts";
import { sequenceDifference } from "../../wire/rtp/packet.ts";

const MAX_GROUPS = 32;
/** Kept of a group; operators send 10 at the most. */
const MAX_KEPT_PARITIES = 32;

export interface ParityGroup {
  begin: number;
  end: number;
  dataCount: number;
  /** That the sender makes. */
  parityCount: number;
  blockLength: number;
  /** What has come, in the order of arrival. */
  readonly indexes: number[];
  readonly parities: Memory[];
  state:
    | "free"
    /** Something is missing, or may be. */
    | "open"
    /** All packets are there. */
    | "whole"
    /** A decode has brought packets that did not prove to be right. */
    | "refused";
}

export class ParityGroups {
  /** Some are free. */
  readonly all: readonly ParityGroup[] = Array.from({ length: MAX_GROUPS }, emptyGroup);
  readonly #spare: Memory[] = [];

  /** The group of this packet of media. */
  find(sequence: number): ParityGroup | undefined {
    return this.all.find(
      (group) =>
        group.state !== "free" &&
        sequenceDifference(sequence, group.begin) >= 0 &&
        sequenceDifference(group.end, sequence) >= 0,
    );
  }

  /** Keeps the parity that was parsed in `memory`. Undefined when it contradicts what has come of its group. */
  accept(packet: ParityPacket, memory: Memory): ParityGroup | undefined {
    const { begin, end, parityCount, blockLength, index } = packet;
    const group =
      this.all.find((each) => each.state !== "free" && each.begin === begin && each.end === end) ?? this.#open(packet);
    if (group.parityCount !== parityCount || group.blockLength !== blockLength) return undefined;
    // A block that is too short for its group is of no use.
    const isOfUse = group.state === "open" && packet.parityLength >= blockLength && !group.indexes.includes(index);
    if (isOfUse && group.indexes.length < MAX_KEPT_PARITIES) {
      const copy = this.#spare.pop() ?? allocate(MAX_BLOCK_BYTES);
      copyBytes(copy, 0, memory, packet.parityStart, blockLength);
      group.indexes.push(index);
      group.parities.push(copy);
    }
    return group;
  }

  /** Forgets the groups that end before `next`. */
  expire(next: number): void {
    for (const group of this.all) {
      if (group.state !== "free" && sequenceDifference(next, group.end) > 0) this.#free(group);
    }
  }

  clear(): void {
    for (const group of this.all) this.#free(group);
  }

  #open({ begin, end, dataCount, parityCount, blockLength }: ParityPacket): ParityGroup {
    const group = this.all.find(({ state }) => state === "free") ?? this.#evict(begin);
    group.begin = begin;
    group.end = end;
    group.dataCount = dataCount;
    group.parityCount = parityCount;
    group.blockLength = blockLength;
    group.state = "open";
    return group;
  }

  /** The oldest one makes room. */
  #evict(begin: number): ParityGroup {
    const age = (group: ParityGroup) => sequenceDifference(begin, group.begin);
    const oldest = this.all.reduce((a, b) => (age(b) > age(a) ? b : a));
    this.#free(oldest);
    return oldest;
  }

  #free(group: ParityGroup): void {
    if (group.state === "free") return;
    group.state = "free";
    this.#spare.push(...group.parities);
    group.parities.length = group.indexes.length = 0;
  }
}

function emptyGroup(): ParityGroup {
  return {
    begin: 0,
    end: 0,
    dataCount: 0,
    parityCount: 0,
    blockLength: 0,
    indexes: [],
    parities: [],
    state: "free",
  };
}
