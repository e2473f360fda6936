/** Verifies a byte stream of the packets of `ts-packets.ts`, in any chunking: what is lost, doubled, damaged or foreign. */

import { readTsPacket, TS_PACKET_BYTES, TS_SYNC_BYTE, type TsPacketKind, type TsTag } from "./ts-packets.ts";

/** How far behind the newest counter a packet is still told from a duplicate. */
const WINDOW_PACKETS = 65_536;
const OPENING_PACKETS = 3;

export class TsVerifier {
  /** Whole, undamaged packets of the stream, duplicates included. */
  packets = 0;
  /** Packets that were skipped and have not come later either. */
  lost = 0;
  /** Packets that came after one with a higher counter, for the first time. */
  reordered = 0;
  duplicate = 0;
  /** Packets in their place between two others, but damaged or not made by `ts-packets.ts`. */
  corrupt = 0;
  /** Undamaged packets of another stream. */
  foreign = 0;
  /** How often the stream left the grid of 188 bytes and was found again. */
  resyncs = 0;
  /** Bytes in no packet: those passed over by resyncs and, after `end()`, a rest too short for a packet. */
  stray = 0;
  /** Counter of the first packet, and the highest one. */
  first: number | undefined;
  last: number | undefined;

  readonly #streamId: number;
  readonly #opening: TsPacketKind[] = [];
  /** For each counter modulo the window: the last counter seen there, plus one. */
  readonly #seen = new Float64Array(WINDOW_PACKETS);
  #rest = new Uint8Array(0);
  #state: "synced" | "searching" = "synced";

  constructor(streamId: number) {
    this.#streamId = streamId;
  }

  /** Whether the stream began with a PAT, a PMT and a random access point, in this order. */
  get beganAtRandomAccess(): boolean {
    return this.#opening.join() === "pat,pmt,random-access";
  }

  /** Whether no packet is lost, doubled, out of order, damaged or foreign, and no byte stray. */
  get clean(): boolean {
    const { lost, reordered, duplicate, corrupt, foreign, resyncs, stray } = this;
    return lost + reordered + duplicate + corrupt + foreign + resyncs + stray === 0;
  }

  /** All counts, for comparison and for failure messages. */
  get counts(): Record<string, number | boolean | undefined> {
    const { packets, lost, reordered, duplicate, corrupt, foreign, resyncs, stray, first, last } = this;
    const { beganAtRandomAccess } = this;
    return { packets, lost, reordered, duplicate, corrupt, foreign, resyncs, stray, first, last, beganAtRandomAccess };
  }

  push(chunk: Uint8Array): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = bytes.slice(this.#consume(bytes, false));
  }

  /** Tells that no byte will follow, which decides about the last ones. */
  end(): void {
    const consumed = this.#consume(this.#rest, true);
    this.stray += this.#rest.length - consumed;
    this.#rest = new Uint8Array(0);
  }

  /** Returns how many bytes are decided. The next ones wait for more. */
  #consume(bytes: Uint8Array, isLast: boolean): number {
    let at = 0;
    while (at + TS_PACKET_BYTES <= bytes.length) {
      const tag = readTsPacket(bytes, at);
      if (tag !== undefined) {
        this.#state = "synced";
        this.#count(tag);
        at += TS_PACKET_BYTES;
      } else if (this.#state === "searching") {
        this.stray++;
        at++;
      } else {
        // A damaged packet keeps its place: sync bytes stand at its start and right behind it.
        const behind = bytes[at + TS_PACKET_BYTES];
        if (behind === undefined && !isLast) return at;
        if (bytes[at] === TS_SYNC_BYTE && (behind === undefined || behind === TS_SYNC_BYTE)) {
          this.corrupt++;
          at += TS_PACKET_BYTES;
        } else {
          this.resyncs++;
          this.#state = "searching";
        }
      }
    }
    return at;
  }

  #count({ streamId, counter, kind }: TsTag): void {
    if (streamId !== this.#streamId) {
      this.foreign++;
      return;
    }
    this.packets++;
    if (this.#opening.length < OPENING_PACKETS) this.#opening.push(kind);
    this.first ??= counter;
    const next = this.last === undefined ? counter : this.last + 1;
    if (counter >= next) {
      this.lost += counter - next;
      this.last = counter;
    } else if (next - counter > WINDOW_PACKETS || this.#seen[counter % WINDOW_PACKETS] === counter + 1) {
      this.duplicate++;
      return;
    } else {
      this.reordered++;
      if (counter > this.first) this.lost--;
    }
    this.#seen[counter % WINDOW_PACKETS] = counter + 1;
  }
}
