import { expect, test } from "bun:test";
import fc from "fast-check";
import { LineCollector } from "../../../src/wire/text/line-collector.ts";

/** The lines, and what has come of the last one. */
function collect(
  pieces: readonly Uint8Array[],
  maxBytes = 1000,
): { lines: string[]; pending: string; isFull: boolean } {
  const collector = new LineCollector(maxBytes);
  const lines: string[] = [];
  for (const piece of pieces) {
    for (let at = 0; at < piece.length && !collector.isFull; ) {
      at = collector.take(piece, at, piece.length);
      if (collector.line !== undefined) lines.push(collector.line);
    }
  }
  return { lines, pending: collector.pending, isFull: collector.isFull };
}

test("lines end in LF or CRLF, and keep their bytes", () => {
  const bytes = Buffer.from("a\r\n\xff\n\n\r\nb\rc\nd", "latin1");
  expect(collect([bytes])).toEqual({ lines: ["a", "\xff", "", "", "b\rc"], pending: "d", isFull: false });
});

test("are the same however the bytes are cut", () => {
  const text = fc
    .array(fc.constantFrom("a", "\r", "\n", "\r\n", "\xe4"), { maxLength: 40 })
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(
      text,
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }),
      fc.nat(30),
      (all, lengths, maxBytes) => {
        const bytes = Buffer.from(all, "latin1");
        const pieces: Uint8Array[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const length = lengths[i % lengths.length]!;
          pieces.push(bytes.subarray(at, at + length));
          at += length;
        }
        const whole = collect([bytes], maxBytes);
        expect(collect(pieces, maxBytes)).toEqual(whole);
        expect(whole.isFull).toBe(bytes.length >= maxBytes);
      },
    ),
  );
});

test("takes only what lies between start and end", () => {
  const bytes = Buffer.from("xxab\ncd\n");
  const collector = new LineCollector(100);
  expect([collector.take(bytes, 2, 4), collector.line, collector.pending]).toEqual([4, undefined, "ab"]);
  expect([collector.take(bytes, 4, 8), collector.line]).toEqual([5, "ab"]);
  expect([collector.take(bytes, 5, 5), collector.line, collector.pending]).toEqual([5, undefined, ""]);
});
