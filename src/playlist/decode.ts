/** The bytes of a list as UTF-8, whatever encoding it came in (m3u.md section 4). */
import { isUtf8 } from "node:buffer";
import { Slices } from "../system/slices.ts";
import { EncodingSample, lineEnd, wideEncoding } from "../wire/text/encoding.ts";

/** Decoded at a time: far less than a slice. */
const PIECE_BYTES = 64 * 1024;

/** Returns `list` itself when it is UTF-8. */
export async function decodeList(list: Buffer): Promise<Buffer> {
  const slices = new Slices();
  const wide = wideEncoding(list);
  if (wide !== undefined) return decode(pieces(list), new TextDecoder(wide), slices);
  if (isUtf8(list)) return list;
  const sample = new EncodingSample();
  for (const part of runs(list)) {
    if (!part.isUtf8) sample.add(part.bytes);
    if (sample.isFull) break;
    if (slices.isOver) await slices.next();
  }
  const decoder = new TextDecoder(sample.encoding);
  const all: Buffer[] = [];
  for (const part of runs(list)) {
    all.push(part.isUtf8 ? part.bytes : Buffer.from(decoder.decode(part.bytes)));
    if (slices.isOver) await slices.next();
  }
  return Buffer.concat(all);
}

async function decode(parts: Iterable<Buffer>, decoder: TextDecoder, slices: Slices): Promise<Buffer> {
  const all: Buffer[] = [];
  for (const part of parts) {
    all.push(Buffer.from(decoder.decode(part, { stream: true })));
    if (slices.isOver) await slices.next();
  }
  all.push(Buffer.from(decoder.decode()));
  return Buffer.concat(all);
}

function* pieces(list: Buffer): Iterable<Buffer> {
  for (let at = 0; at < list.length; at += PIECE_BYTES) yield list.subarray(at, at + PIECE_BYTES);
}

/** Whole lines, as many together as are UTF-8 or not, up to about a piece. */
function* runs(list: Buffer): Iterable<{ readonly bytes: Buffer; readonly isUtf8: boolean }> {
  let start = 0;
  let wasUtf8: boolean | undefined;
  for (let at = 0; at < list.length; ) {
    const end = lineEnd(list, at);
    const isNow = isUtf8(list.subarray(at, end));
    if (wasUtf8 !== undefined && (isNow !== wasUtf8 || at - start > PIECE_BYTES)) {
      yield { bytes: list.subarray(start, at), isUtf8: wasUtf8 };
      start = at;
    }
    wasUtf8 = isNow;
    at = end;
  }
  if (wasUtf8 !== undefined) yield { bytes: list.subarray(start), isUtf8: wasUtf8 };
}
