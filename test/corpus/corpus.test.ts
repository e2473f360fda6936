/** Every kept input is replayed: real messages, hostile ones, and what `fuzz.ts` has ever found. */

import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { mutated } from "../fakes/mutation.ts";
import { seededRandom } from "../fakes/random.ts";
import { PARSERS } from "./parsers.ts";
import { replay } from "./replay.ts";

/** What whole servers, senders and clients do, for the running program: `test/e2e/hostile.test.ts`. */
const HOSTILE = "hostile";
const LEAST_INPUTS = 5;
/** Of each input. Longer searches are `fuzz.ts`'s. */
const MUTATIONS = 10;

test("every directory has a parser, and every parser inputs", () => {
  const entries = readdirSync(import.meta.dir, { withFileTypes: true });
  const directories = entries.filter((entry) => entry.isDirectory() && entry.name !== HOSTILE);
  expect(directories.map(({ name }) => name).sort()).toEqual(Object.keys(PARSERS).sort());
});

describe.each(Object.keys(PARSERS))("%s", (parser) => {
  const directory = join(import.meta.dir, parser);
  const files = readdirSync(directory).sort();

  test("has inputs", () => {
    expect(files.length).toBeGreaterThanOrEqual(LEAST_INPUTS);
  });

  test.each(files)("bears %s, and what is nearly that", (file) => {
    const input = readFileSync(join(directory, file));
    const random = seededRandom(Number(Bun.hash.crc32(input)));
    replay(parser, input, random);
    for (let i = 0; i < MUTATIONS; i++) replay(parser, mutated(input, random), random);
  });
});
