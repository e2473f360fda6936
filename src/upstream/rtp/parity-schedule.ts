/** When Reed–Solomon parity comes, learned from what has come, and so how long a missing packet may wait for it (multicast.md section 9.4). */
import type { ParityPacket } from "../../wire/fec/parity-packet.ts";
import { sequenceDifference } from "../../wire/rtp/packet.ts";
import type { PacketWindow } from "./packet-window.ts";
import type { ParityGroup } from "./parity-groups.ts";

/** Parity and media may overtake each other by so much. */
const PATIENCE_PACKETS = 32;
/** After so many groups without any parity, no more is expected. */
const MAX_GROUPS_WITHOUT_PARITY = 3;
/** What there is hope for is looked at again after so many packets. */
const LOOK_AGAIN_PACKETS = 8;

export class ParitySchedule {
  /** The latest group of which parity has come; groups follow each other without a gap. */
  latest: Pick<ParityPacket, "begin" | "end" | "dataCount" | "parityCount"> | undefined;
  readonly #window: PacketWindow;
  /** By how many packets of media the parity of a group may come behind it. */
  #lag = 0;
  /** The hole that there was hope for, and the packet up to which it need not be looked at again. */
  #hole = -1;
  #until = 0;

  constructor(window: PacketWindow) {
    this.#window = window;
  }

  /** Parity has come when `newest` was the latest packet of media. */
  came({ begin, end, dataCount, parityCount }: ParityPacket, newest: number): void {
    this.#hole = -1;
    this.#lag = Math.max(this.#lag, sequenceDifference(newest, end));
    if (this.latest?.begin !== begin) this.latest = { begin, end, dataCount, parityCount };
  }

  /** Whether there was hope for this packet just now. */
  hadHope(hole: number, newest: number): boolean {
    return this.#hole === hole && sequenceDifference(this.#until, newest) > 0;
  }

  /**
   * Whether parity may still give back a missing packet.
   * @param group the one that it is in, if parity of it has come
   */
  hasHope(hole: number, newest: number, group: ParityGroup | undefined): boolean {
    if (!this.latest || !this.#isInTime(hole, newest, group, this.latest)) return false;
    this.#hole = hole;
    this.#until = (newest + LOOK_AGAIN_PACKETS) & 0xffff;
    return true;
  }

  /** How many of the packets from `begin` on are missing. */
  missing(begin: number, packets: number): number {
    let missing = 0;
    for (let i = 0; i < packets; i++) if (!this.#window.has((begin + i) & 0xffff)) missing++;
    return missing;
  }

  reset(): void {
    this.latest = undefined;
    this.#lag = 0;
    this.#hole = -1;
  }

  /** Looks at the group of the hole, or at the one that is to be expected there. */
  #isInTime(
    hole: number,
    newest: number,
    group: ParityGroup | undefined,
    latest: Pick<ParityPacket, "begin" | "dataCount" | "parityCount">,
  ): boolean {
    const { dataCount, parityCount } = group ?? latest;
    const groupsAhead = Math.floor(sequenceDifference(hole, latest.begin) / dataCount);
    if (groupsAhead > MAX_GROUPS_WITHOUT_PARITY) return false;
    const begin = group?.begin ?? latest.begin + groupsAhead * dataCount;
    const seen = sequenceDifference(newest, begin);
    if (seen >= dataCount + this.#lag + PATIENCE_PACKETS) return false;
    // What is not older than that may have been overtaken.
    const due = Math.min(dataCount, seen - PATIENCE_PACKETS + 1);
    return this.missing(begin, due) <= parityCount;
  }
}
