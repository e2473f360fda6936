/** Tells the log what an RTP upstream loses and drops. Its session calls `report` once a second. */
import { type Log, type Trouble, TroubleReport } from "../../system/log.ts";
import type { Depacketizer } from "./depacketizer.ts";
import type { Repair } from "./repair.ts";

const LOST: Trouble = (n) => `${n} RTP packets lost on the way to us`;
const STRAYS: Trouble = (n) =>
  `${dropped(n, "datagram", "not of this stream")}; another program may send to this address`;
const MALFORMED: Trouble = (n) =>
  `${dropped(n, "RTP packet", "malformed")}; the sender is faulty or the network damages packets`;
/** Harmless: what was missing was counted as lost before it came. */
const LATE: Trouble = (n) => `${n} RTP packet${n === 1 ? "" : "s"} dropped that came twice or too late`;
const CONTROL: Trouble = (n) =>
  n === 1 ? "1 RTCP packet dropped, which is no media" : `${n} RTCP packets dropped, which are no media`;
const RESYNCS: Trouble =
  "the source has restarted, or another has taken its place, and was followed; the picture may jump";

export class LossReport {
  readonly #name: string;
  readonly #log: Log;
  readonly #trouble: TroubleReport;
  /** For those who look closely. */
  readonly #detail: TroubleReport;
  /** How much of each trouble the log has been told. */
  readonly #reported = new Map<Trouble, number>();
  #repairState: Repair["state"] = "inactive";
  #saysParityIsIgnored = false;
  #repaired = 0;
  #saysThatItPassesBytes = false;

  /** @param name of the upstream, with which each line begins */
  constructor(name: string, log: Log) {
    this.#name = name;
    this.#log = log;
    this.#trouble = new TroubleReport((line) => log.warn(`${name}: ${line}`));
    this.#detail = new TroubleReport((line) => log.debug(`${name}: ${line}`));
  }

  /** Writes a line for each trouble that has grown since the last call. */
  report({ reorder, strays, malformed, control, repair, passesBytes }: Depacketizer): void {
    this.#count(LOST, reorder.counts.lost);
    this.#count(RESYNCS, reorder.counts.resyncs);
    this.#count(STRAYS, strays);
    this.#count(MALFORMED, malformed);
    this.#count(LATE, reorder.counts.late + reorder.counts.duplicates, this.#detail);
    this.#count(CONTROL, control, this.#detail);
    // The caller has waited for the second already.
    this.#trouble.flush();
    this.#detail.flush();
    if (repair) this.#tellRepair(repair, reorder.counts.repaired ?? 0);
    if (passesBytes && !this.#saysThatItPassesBytes) this.#tellBytes();
  }

  /** The session is over: what has not been reported yet, and the sums, if there was anything to repair. */
  end(input: Depacketizer): void {
    this.report(input);
    const { lost, repaired = 0, unrepairable = 0, refused = 0 } = input.reorder.counts;
    if (!input.repair || lost + repaired + refused === 0) return;
    const sums = `${lost} RTP packets lost for good, ${unrepairable} of them beyond repair, ${repaired} repaired by FEC`;
    this.#log.info(`${this.#name}: ${sums}, ${refused} repairs refused as wrong`);
  }

  #tellBytes(): void {
    this.#saysThatItPassesBytes = true;
    this.#log.warn(`${this.#name}: neither RTP nor MPEG-TS; it is passed on as it comes, which few players can use`);
  }

  #count(trouble: Trouble, total: number, report = this.#trouble): void {
    const before = this.#reported.get(trouble) ?? 0;
    if (total <= before) return;
    this.#reported.set(trouble, total);
    report.count(trouble, total - before);
  }

  /** What FEC does once, and each second what it has repaired. */
  #tellRepair({ state, about, ignored }: Repair, repaired: number): void {
    if (state !== this.#repairState && state === "active") this.#log.info(`${this.#name}: FEC active (${about})`);
    this.#repairState = state;
    if (repaired > this.#repaired) {
      this.#log.info(`${this.#name}: ${repaired - this.#repaired} lost RTP packets repaired by FEC`);
      this.#repaired = repaired;
    }
    if (this.#saysParityIsIgnored || (state !== "unknown" && ignored === 0)) return;
    this.#saysParityIsIgnored = true;
    this.#log.warn(`${this.#name}: FEC of an unknown kind or damaged; what it protects may not be repaired`);
  }
}

function dropped(n: number, what: string, why: string): string {
  return n === 1 ? `1 ${what} that is ${why} was dropped` : `${n} ${what}s that are ${why} were dropped`;
}
