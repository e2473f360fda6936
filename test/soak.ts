/** `bun run soak MINUTES [SEED]`: the built program under random clients, reloads and killed workers; status 1 when anything was wrong. */

import { endure } from "./e2e/endurance.ts";

const [, , minutes = "", seed = String(Date.now() % 2 ** 31)] = process.argv;
if (!(Number(minutes) > 0)) {
  console.error("usage: bun run soak MINUTES [SEED]");
  process.exit(2);
}
console.log(`soak: ${minutes} minutes, seed ${seed}`);
const say = (line: string) => console.log(`soak: ${line}`);
const faults = await endure({ variant: "binary", seconds: Number(minutes) * 60, seed: Number(seed), say });
for (const fault of faults) console.error(`soak: ${fault}`);
console.log(faults.length === 0 ? "soak: nothing wrong" : `soak: ${faults.length} faults`);
process.exit(faults.length === 0 ? 0 : 1);
