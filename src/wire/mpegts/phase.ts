/** Where the packets of a transport stream begin, when it was cut anywhere, and how long they are (ISO/IEC 13818-1 section 2.4.3.2). */
import { TS_PACKET_BYTES, TS_SYNC_BYTE } from "./packet.ts";

/** How TS packets lie in a stream of bytes: one in each frame of `bytes`, behind `lead` others. */
export interface TsFraming {
  readonly bytes: number;
  readonly lead: number;
}

/** Nothing but packets. */
export const PLAIN_FRAMING: TsFraming = { bytes: TS_PACKET_BYTES, lead: 0 };
/** With 16 bytes of Reed–Solomon parity behind each, as broadcast modulators take it (EN 300 429 section 4.4.2). */
const PARITY_FRAMING: TsFraming = { bytes: 204, lead: 0 };
/** With a timestamp of four bytes before each, as cameras and discs have it (M2TS). */
const TIMESTAMP_FRAMING: TsFraming = { bytes: 192, lead: 4 };

const FRAMINGS = [PLAIN_FRAMING, PARITY_FRAMING, TIMESTAMP_FRAMING];

interface TsPhase {
  readonly framing: TsFraming;
  /** Of the first whole frame: how far behind the first byte. */
  readonly start: number;
}

/**
 * Finds the phase of a piece of a stream: from there to the end of the piece, each packet has its sync byte.
 * @param least so many packets must begin in the piece, 2 or more: fewer prove less
 */
export function findTsPhase(bytes: Uint8Array, offset: number, length: number, least: number): TsPhase | undefined {
  const end = offset + length;
  for (let at = offset; at < end; at++) {
    if (bytes[at] !== TS_SYNC_BYTE) continue;
    for (const framing of FRAMINGS) {
      if (!hasSyncBytes(bytes, at, end, framing.bytes, least)) continue;
      const start = at - offset - framing.lead;
      return { framing, start: start < 0 ? start + framing.bytes : start };
    }
  }
  return undefined;
}

function hasSyncBytes(bytes: Uint8Array, from: number, end: number, period: number, least: number): boolean {
  if (from + (least - 1) * period >= end) return false;
  for (let at = from; at < end; at += period) if (bytes[at] !== TS_SYNC_BYTE) return false;
  return true;
}
