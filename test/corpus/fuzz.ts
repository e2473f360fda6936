/**
 * Looks for inputs that a parser does not bear: `bun test/corpus/fuzz.ts PARSER SECONDS [SEED]`. It damages kept inputs, and keeps the
 * first that fails beside them, for the parser to be mended; status 1 then.
 */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { below, mutated } from "../fakes/mutation.ts";
import { seededRandom } from "../fakes/random.ts";
import { PARSERS } from "./parsers.ts";
import { replay } from "./replay.ts";

/** Longer ones take so long that others are not tried. */
const MAX_INPUT_BYTES = 16_384;

const [, , parser = "", seconds = "10", seed = String(Date.now() % 2 ** 31)] = process.argv;
if (PARSERS[parser] === undefined) {
  console.error(
    `usage: bun test/corpus/fuzz.ts PARSER SECONDS [SEED], PARSER one of ${Object.keys(PARSERS).join(", ")}`,
  );
  process.exit(2);
}
const directory = join(import.meta.dir, parser);
const inputs: Uint8Array[] = readdirSync(directory).map((file) => readFileSync(join(directory, file)));
const random = seededRandom(Number(seed));
const end = performance.now() + Number(seconds) * 1000;
let tries = 0;
for (; performance.now() < end; tries++) {
  let input = inputs[below(inputs.length, random)]!;
  // The beginning of one and the end of another.
  if (random() < 0.2) {
    const other = inputs[below(inputs.length, random)]!;
    input = Buffer.concat([
      input.subarray(0, below(input.length, random)),
      other.subarray(below(other.length, random)),
    ]);
  }
  input = mutated(input, random).subarray(0, MAX_INPUT_BYTES);
  try {
    replay(parser, input, random);
  } catch (error) {
    const file = join(directory, `failed-${Bun.hash.crc32(input).toString(16)}`);
    writeFileSync(file, input);
    console.error(`seed ${seed}, input ${tries}, kept as ${file}: ${error instanceof Error ? error.stack : error}`);
    process.exit(1);
  }
}
console.log(`${parser}: ${tries} inputs borne, seed ${seed}`);
