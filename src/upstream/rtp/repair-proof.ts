/**
 * Whether repaired packets fit the packets around them. Parity of another code, of other packets or of nothing makes garbage that
 * must never be delivered; a sync byte proves nothing, because what is the same in all packets comes out right (multicast.md section 9.5).
 */
import { isTransportStream, packetId, TS_PACKET_BYTES, TS_SYNC_BYTE } from "../../wire/mpegts/packet.ts";
import type { PacketWindow, StoredPacket } from "./packet-window.ts";

/** How many packets on each side are looked at. */
const NEIGHBOURS = 12;
const NULL_PID = 0x1fff;
const COUNTER_BITS = 0x0f;
/** Of an RTP header: padding follows the payload. */
const PADDED = 0x20;

export class RepairProof {
  readonly #window: PacketWindow;
  /** What one decode has brought. */
  #repaired: readonly StoredPacket[] = [];
  /** The cell that `#find` has found. */
  #bytes: Uint8Array = new Uint8Array(0);
  #cell = 0;

  constructor(window: PacketWindow) {
    this.#window = window;
  }

  /**
   * Whether all the packets, which one decode has brought, are media of this stream.
   * @param mayBeOther other payloads than MPEG-TS are believed, if the stream has other ones
   * @param withTimestamps RTP timestamps must fit, too
   */
  fits(repaired: readonly StoredPacket[], mayBeOther: boolean, withTimestamps: boolean): boolean {
    this.#repaired = repaired;
    return repaired.every((packet) => this.#fits(packet, mayBeOther) && (!withTimestamps || this.#isBetween(packet)));
  }

  /** Whether its timestamp is between those of the packets around it. */
  #isBetween({ memory, sequence }: StoredPacket): boolean {
    const timestamp = timestampOf(memory.bytes);
    for (const direction of [-1, 1]) {
      let distance = 1;
      while (distance < NEIGHBOURS && !this.#get(sequence + direction * distance)) distance++;
      const other = this.#get(sequence + direction * distance);
      if (other && ((timestamp - timestampOf(other.memory.bytes)) | 0) * direction > 0) return false;
    }
    return true;
  }

  #fits(packet: StoredPacket, mayBeOther: boolean): boolean {
    const neighbour = this.#nearest(packet.sequence);
    if (!neighbour || neighbour.payloadType !== packet.payloadType) return false;
    const isMedia = isMpegTs(packet);
    if (isMedia !== isMpegTs(neighbour)) return false;
    return isMedia ? this.#continues(packet) : mayBeOther;
  }

  /** The nearest packet that has come. */
  #nearest(sequence: number): StoredPacket | undefined {
    for (let distance = 1; distance <= this.#window.size / 2; distance++) {
      const before = this.#window.get((sequence - distance) & 0xffff);
      const found = before ?? this.#window.get((sequence + distance) & 0xffff);
      if (found) return found;
    }
    return undefined;
  }

  /** Whether the continuity counters fit those around them, and most PIDs are there, too. */
  #continues(packet: StoredPacket): boolean {
    const { bytes } = packet.memory;
    let known = 0;
    let cells = 0;
    // Most cells are of the PID of the one before them.
    let knownPid = NULL_PID;
    for (let cell = packet.payloadStart; cell < packet.payloadEnd; cell += TS_PACKET_BYTES, cells++) {
      const pid = packetId(bytes, cell);
      if (pid === NULL_PID) {
        known++;
        continue;
      }
      if (this.#findBefore(packet, cell, pid) && !follows(this.#bytes, this.#cell, bytes, cell)) return false;
      if (this.#findBehind(packet, cell, pid) && !follows(bytes, cell, this.#bytes, this.#cell)) return false;
      if (pid !== knownPid && !this.#isKnown(packet.sequence, pid)) continue;
      knownPid = pid;
      known++;
    }
    return known * 2 >= cells;
  }

  #findBefore(packet: StoredPacket, cell: number, pid: number): boolean {
    if (this.#findIn(packet, cell - TS_PACKET_BYTES, -TS_PACKET_BYTES, pid)) return true;
    for (let distance = 1; distance <= NEIGHBOURS; distance++) {
      const other = this.#get(packet.sequence - distance);
      if (!other) return false;
      if (this.#findIn(other, lastCell(other), -TS_PACKET_BYTES, pid)) return true;
    }
    return false;
  }

  #findBehind(packet: StoredPacket, cell: number, pid: number): boolean {
    if (this.#findIn(packet, cell + TS_PACKET_BYTES, TS_PACKET_BYTES, pid)) return true;
    for (let distance = 1; distance <= NEIGHBOURS; distance++) {
      const other = this.#get(packet.sequence + distance);
      if (!other) return false;
      if (this.#findIn(other, other.payloadStart, TS_PACKET_BYTES, pid)) return true;
    }
    return false;
  }

  /** Whether one of the nearest packets that have come has this PID, too: garbage has others. */
  #isKnown(sequence: number, pid: number): boolean {
    let looks = 2 * NEIGHBOURS;
    // Before it and behind it in turn.
    for (let distance = 1, sign = -1; distance <= this.#window.size / 2 && looks > 0; sign = -sign) {
      const other = this.#window.get((sequence + sign * distance) & 0xffff);
      if (sign > 0) distance++;
      if (!other) continue;
      if (this.#findIn(other, other.payloadStart, TS_PACKET_BYTES, pid)) return true;
      looks--;
    }
    return false;
  }

  #get(sequence: number): StoredPacket | undefined {
    const at = sequence & 0xffff;
    return this.#window.get(at) ?? this.#repaired.find((packet) => packet.sequence === at);
  }

  /** Looks for a cell of this PID from `cell` on. */
  #findIn({ memory: { bytes }, payloadStart, payloadEnd }: StoredPacket, cell: number, step: number, pid: number) {
    for (let at = cell; at >= payloadStart && at + TS_PACKET_BYTES <= payloadEnd; at += step) {
      if (bytes[at] !== TS_SYNC_BYTE || packetId(bytes, at) !== pid) continue;
      this.#bytes = bytes;
      this.#cell = at;
      return true;
    }
    return false;
  }
}

function isMpegTs({ memory, payloadStart, payloadEnd }: StoredPacket): boolean {
  return isTransportStream(memory.bytes, payloadStart, payloadEnd - payloadStart);
}

function timestampOf(bytes: Uint8Array): number {
  return (bytes[4]! << 24) | (bytes[5]! << 16) | (bytes[6]! << 8) | bytes[7]!;
}

function lastCell({ payloadStart, payloadEnd }: StoredPacket): number {
  return payloadStart + (Math.floor((payloadEnd - payloadStart) / TS_PACKET_BYTES) - 1) * TS_PACKET_BYTES;
}

/** Whether a cell may be the next of its PID. One may come twice, and one without payload does not count. */
function follows(before: Uint8Array, earlier: number, bytes: Uint8Array, cell: number): boolean {
  const control = bytes[cell + 3]!;
  const isAnnounced = (control & 0x20) !== 0 && bytes[cell + 4]! > 0 && (bytes[cell + 5]! & 0x80) !== 0;
  const last = before[earlier + 3]! & COUNTER_BITS;
  const counter = control & COUNTER_BITS;
  if (isAnnounced || counter === last) return true;
  return (control & 0x10) !== 0 && counter === ((last + 1) & COUNTER_BITS);
}

/**
 * Where the payload of a repaired packet ends: parity is made of packets of one length, so zeros may have been added. 0: it
 * is MPEG-TS that ends within a cell, so some of it is missing.
 */
export function trimmedEnd(bytes: Uint8Array, start: number, end: number): number {
  if (bytes[start] !== TS_SYNC_BYTE) return end;
  let cell = start;
  while (cell + TS_PACKET_BYTES <= end && bytes[cell] === TS_SYNC_BYTE) cell += TS_PACKET_BYTES;
  if ((bytes[0]! & PADDED) !== 0) return cell;
  for (let at = cell; at < end; at++) if (bytes[at] !== 0) return 0;
  return cell;
}
