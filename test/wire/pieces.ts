/** What holds for every parser that is fed with a message as it comes. */
import { expect, test } from "bun:test";
import fc from "fast-check";

const RUNS = 500;

/** A token, and a header's value, as byte strings. */
export const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/);
export const headerValue = fc.stringMatching(/^([!-~\x80-\xff]([\t -~\x80-\xff]{0,20}[!-~\x80-\xff])?)?$/);

/** Random bytes, and near-valid ones: pieces of what is right one behind the other, also as each of `frames` has them. */
export function nearlyRight(pieces: fc.Arbitrary<string>, maxPieces: number, ...frames: ((text: string) => string)[]) {
  const text = fc.array(pieces, { maxLength: maxPieces }).map((parts) => parts.join(""));
  const framed = [(plain: string) => plain, ...frames].map((frame) =>
    text.map((plain) => Uint8Array.from(Buffer.from(frame(plain), "latin1"))),
  );
  return fc.oneof(fc.uint8Array({ maxLength: 300 }), ...framed);
}

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

/** Defines the tests that a parser of anybody's bytes has to pass. */
export function testWithHostile(
  bytes: fc.Arbitrary<Uint8Array>,
  parse: (pieces: readonly Uint8Array[]) => unknown,
): void {
  test("random and truncated bytes never throw", () => {
    fc.assert(
      fc.property(bytes, fc.nat(300), (all, length) => {
        parse([all]);
        parse([all.subarray(0, length)]);
      }),
      { numRuns: RUNS },
    );
  });

  test("split at every byte and at any place gives the same outcome", () => {
    fc.assert(
      fc.property(bytes, fc.nat(), (all, cut) => {
        const whole = parse([all]);
        expect(parse(eachByte(all))).toEqual(whole);
        const at = cut % (all.length + 1);
        expect(parse([all.subarray(0, at), all.subarray(at)])).toEqual(whole);
      }),
      { numRuns: RUNS },
    );
  });
}
