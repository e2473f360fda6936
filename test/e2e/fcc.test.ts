/** Fast channel change through the program: the picture is there at once, the group follows, the server is told. */

import { expect, test } from "bun:test";
import { FCC_STREAM_ID, FccService } from "../fakes/fcc-service.ts";
import { HttpClient } from "../fakes/http-client.ts";
import { TsVerifier } from "../fakes/ts-verifier.ts";
import { until } from "../fakes/until.ts";
import { ON_LOOPBACK } from "./channel.ts";
import { forEachVariant, type Sluice } from "./harness.ts";

const WAIT_MS = 10_000;
const COPIES = 3;
/** What the plan says of a machine that does nothing else; some tries are enough for a busy one. */
const MEDIAN_MS = 40;
const TRIES = 6;
const ROUNDS = 5;

/** A client that verifies, and the time to its picture. */
async function watch(sluice: Sluice, service: FccService) {
  const client = await HttpClient.connect(sluice);
  const verifier = new TsVerifier(FCC_STREAM_ID);
  const before = performance.now();
  client.request("GET", service.path());
  const { headers } = await client.head();
  client.stream((chunk) => verifier.push(chunk));
  await until(() => verifier.packets >= 3, WAIT_MS, "the picture");
  return { client, verifier, ms: performance.now() - before, status: headers.get("r2h-fcc-status") };
}

forEachVariant("fast channel change", (start) => {
  test("brings a picture in 40 ms, then the group; the next client asks nobody", async () => {
    await using sluice = await start({ args: [...ON_LOOPBACK, "-P", "42000-42010"] });
    using service = await FccService.open();
    const { client, verifier, status } = await watch(sluice, service);
    expect([status, verifier.beganAtRandomAccess]).toEqual(["active", true]);
    await until(() => service.server.count("termination") >= COPIES, WAIT_MS, "the hand-over");
    const { packets } = verifier;
    await until(() => verifier.packets > packets + 1000, WAIT_MS, "the group");
    expect(verifier.clean).toBe(true);
    for (const { port } of service.server.received) expect(port >= 42_000 && port <= 42_010).toBe(true);

    // More than once to ask and to stop, where the machine was so busy that the server was asked in the other dialect too.
    const { length } = service.server.received;
    expect(length).toBeGreaterThanOrEqual(2 * COPIES);
    const warm = await watch(sluice, service);
    expect([warm.status, warm.verifier.beganAtRandomAccess, warm.verifier.clean]).toEqual(["active", true, true]);
    expect(service.server.received.length).toBe(length);
    client.destroy();
    warm.client.destroy();
  }, 30_000);

  test("is quick in the median", async () => {
    await using sluice = await start({ args: ON_LOOPBACK });
    const medians: number[] = [];
    while (medians.length < TRIES && !(medians.at(-1)! <= MEDIAN_MS)) {
      const times: number[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        using service = await FccService.open();
        const { client, ms } = await watch(sluice, service);
        times.push(ms);
        client.destroy();
        await until(() => service.server.count("termination") > 0, WAIT_MS, "the server to be told");
      }
      medians.push(times.sort((a, b) => a - b)[ROUNDS >> 1]!);
    }
    expect(Math.min(...medians)).toBeLessThanOrEqual(MEDIAN_MS);
  }, 60_000);
});
