/** How many may watch, and whether they may choose what. */

import { expect, test } from "bun:test";
import { HttpClient } from "../fakes/http-client.ts";
import { answerTo, Channel, CLEAN, ON_LOOPBACK, Viewer } from "./channel.ts";
import { forEachVariant } from "./harness.ts";

const FREE_AGAIN_MS = 10_000;

forEachVariant("limits", (start) => {
  test("-m 2 refuses the third client until another has left", async () => {
    await using sluice = await start({ args: [...ON_LOOPBACK, "-m", "2"] });
    using one = await Channel.sending();
    using two = await Channel.sending();
    using first = await Viewer.open(sluice, one);
    using second = await Viewer.open(sluice, two);

    const refused = await answerTo(sluice, one.path);
    expect(refused.head.raw).toBe(
      "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n\r\n",
    );
    expect(refused.body).toBe("<!doctype html><title>503</title>Service Unavailable");
    await sluice.waitForLog(/^\[Worker 0\] Maximum client limit reached$/);

    for (const ask of [answerTo(sluice, one.path, "HEAD"), answerTo(sluice, "/"), answerTo(sluice, "/", "HEAD")]) {
      expect((await ask).head.status).toBe(200);
    }
    expect((await answerTo(sluice, "/nothing")).head.status).toBe(404);

    first.client.destroy();
    await one.untilLeft(FREE_AGAIN_MS);
    using third = await Viewer.open(sluice, two);
    await Promise.all([second.more(100), third.more(100)]);
    expect(second.verifier.counts).toMatchObject(CLEAN);
    expect(third.verifier.counts).toMatchObject(CLEAN);
    await expect(Viewer.open(sluice, one)).rejects.toThrow("503");
  });

  test("clients that wait for their first media count too", async () => {
    await using sluice = await start({ args: [...ON_LOOPBACK, "-m", "1"] });
    using silent = await Channel.open();
    using channel = await Channel.sending();
    using waiting = await HttpClient.connect(sluice);
    waiting.request("GET", silent.path);
    await sluice.waitForLog(/Joined/);
    await expect(Viewer.open(sluice, channel)).rejects.toThrow("503");
    waiting.destroy();
    await silent.untilLeft(FREE_AGAIN_MS);
    using viewer = await Viewer.open(sluice, channel);
    await viewer.more(10);
  });

  test("-U serves no upstream that the URL names", async () => {
    await using sluice = await start({ args: [...ON_LOOPBACK, "-U"] });
    using channel = await Channel.sending();
    for (const scheme of ["rtp", "udp"]) {
      for (const method of ["GET", "HEAD"]) {
        const { head } = await answerTo(sluice, `/${scheme}/${channel.address}`, method);
        expect([head.status, head.reason]).toEqual([404, "Not Found"]);
      }
    }
    expect((await answerTo(sluice, "/")).head.status).toBe(200);
    expect(channel.members).toBe(0);
  });
});
