/** Spoils a transport stream in known ways, at places that are the same for the same seed. */
import { seededRandom } from "./random.ts";

const SYNC = 0x47;

/** How often each is done. */
export interface Faults {
  /** A packet is left out. */
  readonly remove?: number;
  /** It comes twice, which is allowed. */
  readonly repeat?: number;
  /** It comes three times. */
  readonly triple?: number;
  /** It changes places with the next one. */
  readonly swap?: number;
  /** It comes `DELAY_PACKETS` later. */
  readonly delay?: number;
  readonly scramble?: number;
  /** transport_error_indicator */
  readonly mark?: number;
  /** Its sync byte is another one. */
  readonly desync?: number;
}

export const DELAY_PACKETS = 5;
/** No fault is to touch another one. */
const DISTANCE_PACKETS = 12;

/**
 * @param mayBeHit whether nothing depends on this packet but the count of its PID; so must not on those up to `DELAY_PACKETS` behind it
 * @returns the packets, spoiled
 */
export function spoil(
  packets: readonly Uint8Array[],
  seed: number,
  faults: Faults,
  mayBeHit: (packet: Uint8Array) => boolean,
): Uint8Array[] {
  const random = seededRandom(seed);
  const places = freePlaces(packets, mayBeHit);
  const jobs = new Map<number, keyof Faults>();
  for (const [fault, count = 0] of Object.entries(faults) as [keyof Faults, number | undefined][]) {
    for (let i = 0; i < count; i++) {
      if (places.length === 0) throw new Error("too many faults for so short a stream");
      const [place = 0] = places.splice(Math.floor(random() * places.length), 1);
      jobs.set(place, fault);
    }
  }
  const spoiled: Uint8Array[] = [];
  const delayed = new Map<number, Uint8Array>();
  for (const [index, packet] of packets.entries()) {
    const fault = jobs.get(index);
    if (fault === "delay" || fault === "swap") delayed.set(index + (fault === "swap" ? 1 : DELAY_PACKETS), packet);
    else spoiled.push(...hit(packet, fault));
    const late = delayed.get(index);
    if (late) spoiled.push(late);
  }
  return spoiled;
}

/** So far apart that each fault is alone, behind packets whose neighbours may be hit as well. */
function freePlaces(packets: readonly Uint8Array[], mayBeHit: (packet: Uint8Array) => boolean): number[] {
  const places: number[] = [];
  for (let at = DISTANCE_PACKETS; at + DISTANCE_PACKETS < packets.length; at++) {
    const around = packets.slice(at - 1, at + DELAY_PACKETS + 2);
    if (!around.every(mayBeHit)) continue;
    places.push(at);
    at += DISTANCE_PACKETS;
  }
  return places;
}

function hit(packet: Uint8Array, fault: keyof Faults | undefined): Uint8Array[] {
  const copy = packet.slice();
  switch (fault) {
    case "remove":
      return [];
    case "repeat":
      return [packet, packet];
    case "triple":
      return [packet, packet, packet];
    case "scramble":
      copy[3]! |= 0x80;
      return [copy];
    case "mark":
      copy[1]! |= 0x80;
      return [copy];
    case "desync":
      copy[0] = SYNC ^ 0x10;
      return [copy];
    default:
      return [packet];
  }
}
