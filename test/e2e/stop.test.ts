/** A signal ends the program at once, whoever is watching. */

import { expect, test } from "bun:test";
import { HttpClient } from "../fakes/http-client.ts";
import { until } from "../fakes/until.ts";
import { Channel, ON_LOOPBACK, Viewer } from "./channel.ts";
import { forEachVariant } from "./harness.ts";

const CLIENTS = 20;
const CHANNELS = 4;
/** Less than the 5 s after which workers that hang are killed. */
const STOP_MS = 4500;
const WAIT_MS = 10_000;

forEachVariant("a signal", (start) => {
  test.each(["SIGTERM", "SIGINT"] as const)("%s ends the program under 20 clients with status 0", async (signal) => {
    await using sluice = await start({ args: [...ON_LOOPBACK, "-m", `${CLIENTS + 1}`] });
    using resources = new DisposableStack();
    const channels: Channel[] = [];
    for (let i = 0; i < CHANNELS; i++) channels.push(resources.use(await Channel.sending()));
    const opening = Array.from({ length: CLIENTS }, (_, i) => Viewer.open(sluice, channels[i % CHANNELS]!));
    const viewers = (await Promise.all(opening)).map((viewer) => resources.use(viewer));
    viewers[0]!.client.pause();
    const idle = resources.use(await HttpClient.connect(sluice));

    process.kill(sluice.pid, signal);
    expect(await sluice.waitForExit(STOP_MS)).toBe(0);
    expect(await sluice.pids()).toEqual([]);
    for (const channel of channels) expect(channel.members).toBe(0);
    await expect(HttpClient.connect(sluice)).rejects.toThrow();
    const clients = [idle, ...viewers.slice(1).map((viewer) => viewer.client)];
    await until(() => clients.every(({ state }) => state !== "open"), WAIT_MS, "the end of all connections");
  });
});
