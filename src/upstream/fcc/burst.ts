/** What is counted of a burst, for the log and the status page, and what the ring is asked to hold of it (fcc.md section 13). */
import type { UpstreamParent } from "../../relay/upstream.ts";
import type { Log } from "../../system/log.ts";

/** So long the ring is to hold the burst from its beginning on. */
const RETAIN_MS = 2000;
/** What a ring holds without being asked, with some room. */
const FIRST_RETAINED_BYTES = 256 * 1024;

export class Burst {
  readonly #parent: Pick<UpstreamParent, "retain">;
  readonly #name: string;
  readonly #log: Log;
  readonly #openedAt: number;
  /** Since the channel was asked for. */
  #firstUnicastMs: number | undefined;
  /** Missing between unicast and group; undefined as long as they have not met. */
  #gapPackets: number | undefined;
  #bytes = 0;
  #retainedBytes = FIRST_RETAINED_BYTES;

  /** @param name of the channel, for the log */
  constructor(parent: Pick<UpstreamParent, "retain">, name: string, log: Log, openedAt: number) {
    this.#parent = parent;
    this.#name = name;
    this.#log = log;
    this.#openedAt = openedAt;
  }

  begin(server: string, now: number): void {
    this.#firstUnicastMs = Math.round(now - this.#openedAt);
    this.#log.info(`${this.#name}: unicast started after ${this.#firstUnicastMs} ms (FCC server ${server})`);
  }

  /** Unicast and group have met, or are taken together as they are. */
  joined(gapPackets: number): void {
    this.#gapPackets = gapPackets;
    this.#log.info(`${this.#name}: unicast and multicast joined, ${gapPackets} packets between them`);
  }

  /** Lets the ring grow with the burst, so that the picture it began with stays for those who come next. */
  add(bytes: number, now: number): void {
    this.#bytes += bytes;
    if (this.#bytes < this.#retainedBytes || now - this.#openedAt > RETAIN_MS) return;
    this.#retainedBytes *= 2;
    this.#parent.retain(this.#retainedBytes);
  }

  get details(): Readonly<Record<string, number>> {
    const firstUnicastMs = this.#firstUnicastMs;
    const gapPackets = this.#gapPackets;
    return {
      fccBurstBytes: this.#bytes,
      ...(firstUnicastMs !== undefined && { fccFirstUnicastMs: firstUnicastMs }),
      ...(gapPackets !== undefined && { fccGapPackets: gapPackets }),
    };
  }
}
