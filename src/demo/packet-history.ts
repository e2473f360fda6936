/** The last datagrams of a channel, and where among them a decoder can begin: what a server of fast channel change sends from. */

import { hasPcr, isRandomAccess, PAT_PID, packetId, TS_PACKET_BYTES } from "../wire/mpegts/packet.ts";
import { RTP_HEADER_BYTES } from "../wire/rtp/packet.ts";
import { DATAGRAM_BYTES } from "./rtp-feed.ts";

/** Five seconds of a demo channel, which has a key frame each second. */
const HISTORY_DATAGRAMS = 128;

export class PacketHistory {
  readonly #bytes = new Uint8Array(HISTORY_DATAGRAMS * DATAGRAM_BYTES);
  readonly #sentMs = new Float64Array(HISTORY_DATAGRAMS);
  #end = 0;
  /** The datagram in which the last programme table began. */
  #table = 0;
  #entry: number | undefined;

  /** The number of the next datagram; they count from 0. */
  get end(): number {
    return this.#end;
  }

  /** The datagram with the programme table before the last key frame; undefined before the first. */
  get entry(): number | undefined {
    return this.#entry;
  }

  /** Copies a datagram of `DATAGRAM_BYTES`. */
  add(datagram: Uint8Array, nowMs: number): void {
    const number = this.#end++;
    const slot = number % HISTORY_DATAGRAMS;
    this.#bytes.set(datagram, slot * DATAGRAM_BYTES);
    this.#sentMs[slot] = nowMs;
    for (let at = RTP_HEADER_BYTES; at < DATAGRAM_BYTES; at += TS_PACKET_BYTES) {
      if (packetId(datagram, at) === PAT_PID) this.#table = number;
      // Sound has random access points of its own, but no PCR.
      else if (hasPcr(datagram, at) && isRandomAccess(datagram, at)) this.#entry = this.#table;
    }
  }

  /** One of the last `HISTORY_DATAGRAMS`. */
  datagram(number: number): Uint8Array {
    const start = (number % HISTORY_DATAGRAMS) * DATAGRAM_BYTES;
    return this.#bytes.subarray(start, start + DATAGRAM_BYTES);
  }

  /** When it was added. */
  sentMs(number: number): number {
    return this.#sentMs[number % HISTORY_DATAGRAMS]!;
  }
}
