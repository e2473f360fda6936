/** Half a minute of what `bun run soak` does for as long as one likes. */

import { expect, test } from "bun:test";
import { endure } from "./endurance.ts";
import { forVariant } from "./harness.ts";
import { soakMs } from "./soak.ts";

const SECONDS = soakMs(20_000) / 1000;
/** For the build, and for what has to be waited for in the end. */
const MARGIN_MS = 240_000;

forVariant("binary", "random clients, reloads and killed workers", () => {
  test(
    "leave nothing behind",
    async () => expect(await endure({ variant: "binary", seconds: SECONDS, seed: 1 })).toEqual([]),
    SECONDS * 1000 + MARGIN_MS,
  );
});
