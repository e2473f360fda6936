import { expect, spyOn, test } from "bun:test";
import { collectGrowth } from "../../src/system/garbage.ts";
import { until } from "../fakes/until.ts";

const WAIT_MS = 20_000;
const MEGABYTES = 1024 * 1024;

test("garbage is collected when the process has grown, and then no more", async () => {
  using collects = spyOn(Bun, "gc");
  const end = collectGrowth(5);
  const grown: Uint8Array[] = [];
  for (let round = 1; round <= 2; round++) {
    // What grows is measured against a look before it.
    await Bun.sleep(50);
    grown.push(new Uint8Array(80 * MEGABYTES).fill(1));
    await until(() => collects.mock.calls.length >= round, WAIT_MS, "garbage to be collected");
  }
  await Bun.sleep(50);
  expect(collects).toHaveBeenCalledTimes(2);
  end();
  grown.push(new Uint8Array(80 * MEGABYTES).fill(1));
  await Bun.sleep(50);
  expect(collects).toHaveBeenCalledTimes(2);
});
