/** Tells the log what an RTP upstream loses and drops. Its session calls `report` once a second. */
import { LOG_DEBUG, type Log, type Trouble, TroubleReport } from "../../system/log.ts";
import type { Depacketizer } from "./depacketizer.ts";

const LOST: Trouble = (n) => `${n} RTP packets lost on the way to us`;
const STRAYS: Trouble = (n) =>
  `${dropped(n, "datagram", "neither RTP nor MPEG-TS")}; another program may send to this address`;
const MALFORMED: Trouble = (n) =>
  `${dropped(n, "RTP packet", "malformed")}; the sender is faulty or the network damages packets`;
const RESYNCS: Trouble = "the source restarted with lower RTP sequence numbers and was followed; the picture may jump";

export class LossReport {
  readonly #name: string;
  readonly #log: Log;
  readonly #trouble: TroubleReport;
  /** How much of each trouble the log has been told. */
  readonly #reported = new Map<Trouble, number>();
  #reportedParity = 0;

  /** @param name of the upstream, with which each line begins */
  constructor(name: string, log: Log) {
    this.#name = name;
    this.#log = log;
    this.#trouble = new TroubleReport((line) => log.warn(`${name}: ${line}`));
  }

  /** Writes a line for each trouble that has grown since the last call. */
  report({ reorder, strays, malformed, parity }: Depacketizer): void {
    this.#count(LOST, reorder.counts.lost);
    this.#count(RESYNCS, reorder.counts.resyncs);
    this.#count(STRAYS, strays);
    this.#count(MALFORMED, malformed);
    // The caller has waited for the second already.
    this.#trouble.flush();
    if (parity > this.#reportedParity) this.#tellParity(parity);
  }

  #count(trouble: Trouble, total: number): void {
    const before = this.#reported.get(trouble) ?? 0;
    if (total <= before) return;
    this.#reported.set(trouble, total);
    this.#trouble.count(trouble, total - before);
  }

  /** A source that sends parity sends it all the time, which is no trouble: it is worth one line. */
  #tellParity(total: number): void {
    const isFirst = this.#reportedParity === 0;
    if (isFirst || this.#log.level >= LOG_DEBUG) {
      const line = `${this.#name}: ${total - this.#reportedParity} parity packets (FEC) dropped; lost packets are not repaired`;
      if (isFirst) this.#log.info(line);
      else this.#log.debug(line);
    }
    this.#reportedParity = total;
  }
}

function dropped(n: number, what: string, why: string): string {
  return n === 1 ? `1 ${what} that is ${why} was dropped` : `${n} ${what}s that are ${why} were dropped`;
}
