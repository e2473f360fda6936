/** What holds for every parser that is fed with a message as it comes. */
import { expect } from "bun:test";

type Outcome =
  | { readonly kind: "complete"; readonly consumed: number }
  | { readonly kind: "error" }
  | { readonly kind: "more" };

/** Pushes the pieces until there is an outcome; its `consumed` counts from the first byte. */
export function pushPieces<O extends Outcome>(
  parser: { push(bytes: Uint8Array): O },
  pieces: readonly Uint8Array[],
): O | { readonly kind: "more" } {
  let before = 0;
  for (const piece of pieces) {
    const outcome = parser.push(piece);
    if (outcome.kind === "complete") return { ...outcome, consumed: outcome.consumed + before };
    if (outcome.kind === "error") return outcome;
    before += piece.length;
  }
  return { kind: "more" };
}

export function eachByte(all: Uint8Array): Uint8Array[] {
  return Array.from(all, (_, i) => all.subarray(i, i + 1));
}

/** Split at every byte, and once somewhere, the outcome is the same. */
export function expectSameHoweverSplit(
  parse: (pieces: readonly Uint8Array[]) => unknown,
  all: Uint8Array,
  cut: number,
): void {
  const whole = parse([all]);
  expect(parse(eachByte(all))).toEqual(whole);
  const at = cut % (all.length + 1);
  expect(parse([all.subarray(0, at), all.subarray(at)])).toEqual(whole);
}
