/** What must hold for every input of every parser: it does not throw, and how the input is cut changes nothing. */

import { type Random, randomPieces } from "../fakes/mutation.ts";
import { PARSERS } from "./parsers.ts";

const RANDOM_CUTS = 8;

/** Throws, with what was wrong, when the parser `name` does not bear the input. */
export function replay(name: string, input: Uint8Array, random: Random): void {
  const parse = PARSERS[name]!;
  const copy = Uint8Array.from(input);
  const whole = parse([input]);
  const cuts = [Array.from(input, (_, i) => input.subarray(i, i + 1))];
  for (let i = 0; i < RANDOM_CUTS; i++) cuts.push(randomPieces(input, random));
  for (const pieces of cuts) {
    const cut = parse(pieces);
    if (Bun.deepEquals(cut, whole)) continue;
    const lengths = pieces.map(({ length }) => length).slice(0, 20);
    throw new Error(`whole: ${Bun.inspect(whole)}\nin pieces of ${lengths}: ${Bun.inspect(cut)}`);
  }
  if (!Bun.deepEquals(copy, Uint8Array.from(input))) throw new Error("the parser changed its input");
}
