/** Damage to bytes, as a broken or hostile sender does it: the same for the same random numbers. */

/** Numbers from 0 up to, not including, 1. */
export type Random = () => number;

/** What parsers are known to stumble over, as byte strings. */
const HOSTILE: readonly string[] = [
  ...[
    "\0",
    "\r",
    "\n",
    "\r\n",
    "\n\n",
    "\r\n\r\n",
    "\xff\xfe",
    "\xef\xbb\xbf",
    "\xc3",
    "$",
    "%",
    "%0",
    "%%",
    "\t",
    " ",
  ],
  ...["-1", "0", "4294967296", "9007199254740993", "99999999999999999999", "0x10", "1e9", "NaN"],
  ...["<", ">", "]]>", "-->", "<!--", "[", "]", "{", "}", '"', "'", ",", ";", ":", "=", "/../", "\x47", "\x7f", "\x80"],
];
const LONGEST_RUN_BYTES = 64;

/** Returns a copy with 1 to 4 places flipped, dropped, repeated, cut off or filled with what parsers stumble over. */
export function mutated(bytes: Uint8Array, random: Random): Uint8Array {
  let result = bytes;
  for (let left = 1 + below(4, random); left > 0; left--) result = damaged(result, random);
  return result;
}

/** An integer from 0 up to, not including, `limit`. */
export function below(limit: number, random: Random): number {
  return Math.floor(random() * limit);
}

/** Cuts bytes at random places. */
export function randomPieces(bytes: Uint8Array, random: Random): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + below(random() < 0.5 ? 4 : bytes.length, random);
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

function damaged(bytes: Uint8Array, random: Random): Uint8Array {
  const at = below(bytes.length + 1, random);
  const run = bytes.subarray(at, at + 1 + below(LONGEST_RUN_BYTES, random));
  const before = bytes.subarray(0, at);
  const behind = bytes.subarray(at);
  switch (below(6, random)) {
    case 0:
      return Buffer.concat([before, Uint8Array.of((bytes[at] ?? 0) ^ (1 << below(8, random))), bytes.subarray(at + 1)]);
    case 1:
      return Buffer.concat([before, bytes.subarray(at + run.length)]);
    case 2:
      return Buffer.concat([before, run, behind]);
    case 3:
      return Uint8Array.from(before);
    case 4:
      return Buffer.concat([before, Uint8Array.of(below(256, random)), bytes.subarray(at + 1)]);
    default:
      return Buffer.concat([before, Buffer.from(HOSTILE[below(HOSTILE.length, random)]!, "latin1"), behind]);
  }
}
