/** Hostile bytes as data: a few words say what would fill megabytes. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { seededRandom } from "./random.ts";

/** Text, whose characters are bytes; or what stands for more. */
export type HostilePart =
  | string
  /** Again and again, until it is `bytes` long or a little more. */
  | { readonly repeat: readonly HostilePart[]; readonly bytes: number }
  /** The same for the same seed. */
  | { readonly random: number; readonly seed: number }
  | { readonly gzip: readonly HostilePart[] }
  | { readonly hex: string }
  /** What is in a file, by its path in `test/corpus`. */
  | { readonly file: string }
  | RtpRun
  /** Pieces of their own: these datagrams in turn, `count` in all. */
  | { readonly datagrams: readonly HostilePart[]; readonly count: number };

/** RTP packets. */
interface RtpRun {
  /** How many. */
  readonly rtp: number;
  readonly payloadBytes: number;
  /** From one sequence number to the next; 1 unless given. */
  readonly step?: number;
  /** Sequence numbers at random, the same for the same seed. */
  readonly seed?: number;
  /** Payload type; 33, MPEG-TS, unless given. */
  readonly type?: number;
  /** The payload begins with a TS packet that says that a decoder can begin here. */
  readonly picture?: boolean;
  /** As frames of an RTSP connection (RFC 2326 section 10.12). */
  readonly isFramed?: boolean;
}

export const CORPUS = join(import.meta.dir, "../corpus");
/** Repeated bytes are made as one block of about that much. */
const BLOCK_BYTES = 256 * 1024;

/** The bytes in pieces, none of which need be kept. */
export function* hostileBytes(parts: readonly HostilePart[]): Generator<Uint8Array> {
  for (const part of parts) {
    if (typeof part === "string") yield Buffer.from(part, "latin1");
    else if ("hex" in part) yield Buffer.from(part.hex, "hex");
    else if ("file" in part) yield readFileSync(join(CORPUS, part.file));
    else if ("random" in part) yield randomBytes(part.random, part.seed);
    else if ("gzip" in part) yield gzipSync(Buffer.concat([...hostileBytes(part.gzip)]), { level: 1 });
    else if ("rtp" in part) yield* rtpPackets(part);
    else if ("datagrams" in part) yield* datagrams(part.datagrams, part.count);
    else yield* repeated(part.repeat, part.bytes);
  }
}

function* repeated(parts: readonly HostilePart[], bytes: number): Generator<Uint8Array> {
  const unit = Buffer.concat([...hostileBytes(parts)]);
  const count = Math.ceil(bytes / unit.length);
  const perBlock = Math.max(1, Math.min(count, Math.ceil(BLOCK_BYTES / unit.length)));
  const block = Buffer.alloc(perBlock * unit.length, unit);
  for (let left = count; left > 0; left -= perBlock) yield block.subarray(0, Math.min(left, perBlock) * unit.length);
}

function randomBytes(length: number, seed: number): Uint8Array {
  const random = seededRandom(seed);
  return Uint8Array.from({ length }, () => random() * 256);
}

function* datagrams(parts: readonly HostilePart[], count: number): Generator<Uint8Array> {
  const pieces = parts.map((part) => Buffer.concat([...hostileBytes([part])]));
  for (let i = 0; i < count; i++) yield pieces[i % pieces.length]!;
}

function* rtpPackets({
  rtp,
  payloadBytes,
  step = 1,
  seed,
  type = 33,
  picture,
  isFramed,
}: RtpRun): Generator<Uint8Array> {
  const random = seed === undefined ? undefined : seededRandom(seed);
  const frameBytes = isFramed ? 4 : 0;
  for (let i = 0; i < rtp; i++) {
    const packet = Buffer.alloc(frameBytes + 12 + payloadBytes, 0x47);
    if (isFramed) packet.writeUInt32BE(0x24000000 + 12 + payloadBytes);
    packet.writeUInt16BE(0x8000 + type, frameBytes);
    packet.writeUInt16BE((random ? Math.floor(random() * 65536) : i * step) & 0xffff, frameBytes + 2);
    packet.writeUInt32BE(0, frameBytes + 4);
    packet.writeUInt32BE(1, frameBytes + 8);
    // A PID, an adaptation field with the random access indicator (ISO/IEC 13818-1 section 2.4.3).
    if (picture) packet.set([0x47, 0x41, 0x00, 0x30, 0x01, 0x40, 0, 0, 1, 0xe0], frameBytes + 12);
    yield packet;
  }
}
