/** NAL units in a stream of bytes (ITU-T H.264 annex B, H.265 annex B). */

/** Each with its header, up to the next start code or the end of the bytes. */
export function* nalUnits(bytes: Uint8Array): Generator<Uint8Array> {
  let start = -1;
  for (let at = 0; at + 3 <= bytes.length; at++) {
    // A byte above 1 is no part of a start code.
    if (bytes[at + 2]! > 1) at += 2;
    else if (bytes[at] !== 0 || bytes[at + 1] !== 0 || bytes[at + 2] !== 1) continue;
    else {
      if (start >= 0) yield bytes.subarray(start, at);
      start = at + 3;
      at += 2;
    }
  }
  if (start >= 0) yield bytes.subarray(start);
}
