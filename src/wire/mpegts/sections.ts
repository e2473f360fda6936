/** PSI sections out of transport stream packets, and the PAT and PMT in them (ISO/IEC 13818-1 sections 2.4.3.3 and 2.4.4). */
import { isUnitStart, payloadOffset, TS_PACKET_BYTES } from "./packet.ts";

const TABLE_PAT = 0x00;
const TABLE_PMT = 0x02;
/** The tables of ISO/IEC 13818-1 itself end here; those behind it are private ones, which may be longer. */
const LAST_PSI_TABLE = 0x03;
/** Where a table_id would stand: the rest of the packet is stuffing (section 2.4.4). */
const STUFFING = 0xff;

/** table_id and section_length. */
const HEADER_BYTES = 3;
/** Up to and with last_section_number. */
const LONG_HEADER_BYTES = 8;
const CRC_BYTES = 4;
const MAX_PSI_SECTION_BYTES = HEADER_BYTES + 1021;
const MAX_PRIVATE_SECTION_BYTES = HEADER_BYTES + 4093;
const NO_COUNTER = -1;

/**
 * A section that is complete and whose CRC is right.
 * @param section with its CRC; valid only during the call
 * @param packets over how many packets it was spread, the one that was pushed last included
 */
type SectionHandler = (section: Uint8Array, packets: number) => void;

/**
 * Puts the sections of one PID together. A section that something is missing of, that is too long or whose CRC is wrong is
 * left out, and so is one without CRC.
 */
export class SectionReader {
  /** `idle` until a packet says where a section begins; `header` until the section's length is known. */
  #state: "idle" | "header" | "body" = "idle";
  readonly #deliver: SectionHandler;
  #section = new Uint8Array(MAX_PSI_SECTION_BYTES);
  #held = 0;
  #length = HEADER_BYTES;
  #packets = 0;
  #counter = NO_COUNTER;

  constructor(deliver: SectionHandler) {
    this.#deliver = deliver;
  }

  /** Whether a section has begun and goes on in the next packet. */
  get isOpen(): boolean {
    return this.#state !== "idle";
  }

  /** The next packet is one of another PID. */
  reset(): void {
    this.#state = "idle";
    this.#counter = NO_COUNTER;
  }

  /** Takes the next packet of the PID. Returns whether it is of use: a repeated packet is not, nor one behind a loss. */
  push(bytes: Uint8Array, offset: number): boolean {
    // The transport_error_indicator says that nothing here can be trusted, and nobody may scramble these tables.
    if ((bytes[offset + 1]! & 0x80) !== 0 || (bytes[offset + 3]! & 0xc0) !== 0) {
      this.#state = "idle";
      return false;
    }
    const at = payloadOffset(bytes, offset);
    const end = offset + TS_PACKET_BYTES;
    if (at >= end) return false;
    const counter = bytes[offset + 3]! & 0x0f;
    const isRepeated = counter === this.#counter;
    const isNext = counter === ((this.#counter + 1) & 0x0f);
    this.#counter = counter;
    if (isUnitStart(bytes, offset)) {
      // Some multiplexers never count the packets of their tables: a section that begins here is taken in any case.
      this.#unitStart(bytes, at, end, isNext);
      return true;
    }
    if (isNext && this.isOpen) {
      this.#packets++;
      this.#take(bytes, at, end);
      return true;
    }
    if (!isRepeated) this.#state = "idle";
    return false;
  }

  /** @param continues whether no packet is missing before this one */
  #unitStart(bytes: Uint8Array, payload: number, end: number, continues: boolean): void {
    let at = payload + 1 + bytes[payload]!;
    this.#packets++;
    if (this.isOpen && continues) this.#take(bytes, payload + 1, Math.min(at, end));
    this.#state = "idle";
    while (at < end && bytes[at] !== STUFFING) {
      this.#state = "header";
      this.#held = 0;
      this.#length = HEADER_BYTES;
      this.#packets = 1;
      at = this.#take(bytes, at, end);
      // It goes on in the next packet, or it is too long, and nobody knows where the next one begins.
      if (this.#held < this.#length) return;
    }
  }

  /** Takes bytes of the open section; returns where it ends, or `end`. */
  #take(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end && this.#state !== "idle") {
      const stop = Math.min(end, at + this.#length - this.#held);
      while (at < stop) this.#section[this.#held++] = bytes[at++]!;
      if (this.#held < this.#length) return end;
      if (this.#state === "header") this.#readHeader();
      if (this.#held === this.#length) this.#complete();
    }
    return at;
  }

  #readHeader(): void {
    const section = this.#section;
    this.#length = HEADER_BYTES + (((section[1]! & 0x0f) << 8) | section[2]!);
    const isPsi = section[0]! <= LAST_PSI_TABLE;
    if (this.#length > (isPsi ? MAX_PSI_SECTION_BYTES : MAX_PRIVATE_SECTION_BYTES)) {
      this.#state = "idle";
      return;
    }
    this.#state = "body";
    if (this.#length <= section.length) return;
    this.#section = new Uint8Array(MAX_PRIVATE_SECTION_BYTES);
    this.#section.set(section);
  }

  #complete(): void {
    this.#state = "idle";
    const section = this.#section;
    const hasCrc = (section[1]! & 0x80) !== 0 && this.#length >= LONG_HEADER_BYTES + CRC_BYTES;
    if (hasCrc && crcOf(section, this.#length) === 0) this.#deliver(section.subarray(0, this.#length), this.#packets);
  }
}

/** ISO/IEC 13818-1 annex A: not reflected, not inverted. */
const CRC_POLYNOMIAL = 0x04c11db7;
const CRC_OF_BYTE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ CRC_POLYNOMIAL : crc << 1;
  return crc;
});

/** The CRC of a section that is complete: another one means another table. */
export function sectionCrc(section: Uint8Array): number {
  const at = section.length - CRC_BYTES;
  return (section[at]! << 24) | (section[at + 1]! << 16) | (section[at + 2]! << 8) | section[at + 3]!;
}

/** CRC-32/MPEG-2; 0 when the last four bytes are the CRC of those before. */
function crcOf(bytes: Uint8Array, length: number): number {
  let crc = -1;
  for (let i = 0; i < length; i++) crc = (crc << 8) ^ CRC_OF_BYTE[(crc >>> 24) ^ bytes[i]!]!;
  return crc;
}

export interface Programme {
  /** program_number, never 0: that is the network's own entry. */
  readonly number: number;
  readonly pmtPid: number;
}

/** Of a PAT that applies now; undefined for anything else. */
export function parsePat(section: Uint8Array): Programme[] | undefined {
  if (!isCurrent(section, TABLE_PAT)) return undefined;
  const programmes: Programme[] = [];
  for (let at = LONG_HEADER_BYTES; at + 4 <= section.length - CRC_BYTES; at += 4) {
    const number = (section[at]! << 8) | section[at + 1]!;
    if (number !== 0) programmes.push({ number, pmtPid: pidAt(section, at + 2) });
  }
  return programmes;
}

export interface ElementaryStream {
  readonly pid: number;
  /** stream_type, ISO/IEC 13818-1 table 2-34 */
  readonly type: number;
  /** A part of the section, valid as long as that. */
  readonly descriptors: Uint8Array;
}

interface ProgrammeMap {
  /** program_number */
  readonly programme: number;
  readonly streams: readonly ElementaryStream[];
}

/** Of a PMT that applies now; undefined for anything else. */
export function parsePmt(section: Uint8Array): ProgrammeMap | undefined {
  const end = section.length - CRC_BYTES;
  if (!isCurrent(section, TABLE_PMT) || end < LONG_HEADER_BYTES + 4) return undefined;
  const streams: ElementaryStream[] = [];
  let at = LONG_HEADER_BYTES + 4 + lengthAt(section, 10);
  while (at + 5 <= end) {
    const next = at + 5 + lengthAt(section, at + 3);
    const descriptors = section.subarray(at + 5, Math.min(next, end));
    streams.push({ type: section[at]!, pid: pidAt(section, at + 1), descriptors });
    at = next;
  }
  return { programme: (section[3]! << 8) | section[4]!, streams };
}

/** current_next_indicator: a table may be announced before it applies. Only the first section of a long PAT is read. */
function isCurrent(section: Uint8Array, table: number): boolean {
  return section[0] === table && (section[5]! & 0x01) !== 0 && section[6] === 0;
}

function pidAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! & 0x1f) << 8) | bytes[at + 1]!;
}

function lengthAt(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! & 0x0f) << 8) | bytes[at + 1]!;
}
