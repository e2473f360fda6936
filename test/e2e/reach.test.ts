/** Whom clients and lists may reach through the relay (config.md section 18). */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { HttpClient } from "../fakes/http-client.ts";
import { HttpOrigin } from "../fakes/http-origin.ts";
import { PlaylistServer } from "../fakes/playlist-server.ts";
import { on, RtspServer } from "../fakes/rtsp-server.ts";
import { answerTo, Channel, ON_LOOPBACK } from "./channel.ts";
import { forEachVariant, type Sluice } from "./harness.ts";

/** Not 127.0.0.1, where the tests' own servers are; `localhost` is both. */
const DENIED = "127.0.0.3";

forEachVariant("what may be reached", (start) => {
  const resources = new DisposableStack();
  let sluice: Sluice;
  let channel: Channel;
  let lists: PlaylistServer;
  let origin: HttpOrigin;
  let rtsp: RtspServer;

  beforeAll(async () => {
    channel = resources.use(await Channel.sending());
    origin = resources.use(
      new HttpOrigin(async (connection) => {
        await connection.head();
        connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        connection.end();
      }),
    );
    const elsewhere = `rtsp://${DENIED}:554/elsewhere`;
    rtsp = resources.use(
      await RtspServer.open({
        react: on("OPTIONS", (usual) => ({
          ...usual,
          status: 302,
          reason: "Moved",
          headers: { ...usual.headers, Location: elsewhere },
        })),
      }),
    );
    lists = new PlaylistServer();
    const list = lists.on(
      "/list.m3u",
      `#EXTM3U x-tvg-url="http://169.254.169.254/secrets.xml"\n#EXTINF:-1,One\nhttp://${DENIED}/one\n`,
    );
    const moved = lists.on("/moved.m3u", () => Response.redirect(`http://${DENIED}:1/list.m3u`));
    const toFile = lists.on(
      "/file.m3u",
      () => new Response("", { status: 302, headers: { Location: "file:///etc/passwd" } }),
    );
    const deny = ["--upstream-deny", `${DENIED}, 239.255.0.99 10.9.9.9`, "--upstream-deny", "*.denied.test :9"];
    sluice = await start({ args: [...ON_LOOPBACK, ...deny, "-M", list, "-M", moved, "-M", toFile] });
  });

  afterAll(async () => {
    resources.dispose();
    await lists[Symbol.asyncDispose]();
  });

  test("others go on as ever", async () => {
    expect((await answerTo(sluice, `/http/127.0.0.1:${origin.port}/`)).head.status).toBe(200);
    expect((await answerTo(sluice, `/http/localhost:${origin.port}/`)).head.status).toBe(200);
  });

  test.each([
    [`/http/${DENIED}:8080/x`, `http://${DENIED}:8080: ${DENIED}:8080 is closed by upstream-deny=${DENIED}`],
    [`/http/[::ffff:${DENIED}]/x`, `closed by upstream-deny=${DENIED}`],
    ["/http/127.0.0.1:9/x", "closed by upstream-deny=:9"],
    ["/http/169.254.169.254/latest/meta-data", "link-local, which is closed unless upstream-allow names it"],
    ["/https/[fe80::1]/", "link-local"],
    ["/http/[fd00:ec2::254]/", "metadata"],
    [`/rtsp/u:hush@${DENIED}/x`, `closed by upstream-deny=${DENIED}`],
    ["/rtsp/169.254.1.1/x", "link-local"],
    ["/rtp/239.255.0.99:5000", "239.255.0.99:5000 is closed by upstream-deny=239.255.0.99"],
    ["/rtp/10.9.9.9@239.255.0.98:5000", "10.9.9.9:5000 is closed by upstream-deny=10.9.9.9"],
    ["/One", `closed by upstream-deny=${DENIED}`],
  ])("%s is answered 403 with the reason", async (target, reason) => {
    const since = sluice.log.length;
    const { head, body } = await answerTo(sluice, target);
    expect(head.status).toBe(403);
    expect(body).toStartWith("<!doctype html><title>403</title>");
    expect(body).toContain(reason);
    expect(body).not.toContain("hush");
    const line = new RegExp(reason.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    expect((await sluice.waitForLog(line, { since })).input).not.toContain("hush");
  });

  test.each(["2852039166", "0xa9fea9fe", "169.16689662", "0251.254.169.254"])(
    "an address in another spelling, %s, is nobody's name",
    async (host) => {
      expect((await answerTo(sluice, `/http/${host}/latest/meta-data`)).head.status).toBe(503);
    },
  );

  test("a redirect of an RTSP server leads there no more than a client does", async () => {
    const { head, body } = await answerTo(sluice, `/rtsp/127.0.0.1:${rtsp.port}/ch`);
    expect([head.status, body]).toEqual([403, expect.stringContaining(`closed by upstream-deny=${DENIED}`)]);
  });

  test("the relay itself is a loop for RTSP, too", async () => {
    expect((await answerTo(sluice, `/rtsp/127.0.0.1:${sluice.port}/ch`)).head.status).toBe(508);
  });

  test("an FCC server that may not be asked costs the quick start, and not the channel", async () => {
    const since = sluice.log.length;
    using client = await HttpClient.connect(sluice);
    client.request("GET", `${channel.path}?fcc=${DENIED}:8027`);
    expect((await client.head()).status).toBe(200);
    await sluice.waitForLog(new RegExp(`FCC server ${DENIED}:8027 cannot be asked.*upstream-deny=${DENIED}`), {
      since,
    });
  });

  test("neither a guide nor a redirect of a list leads there, nor to a file", async () => {
    await sluice.waitForLog(
      /EPG fetch failed: http:\/\/169\.254\.169\.254.*link-local, which is closed unless upstream-allow/,
    );
    await sluice.waitForLog(/M3U fetch failed: .*\/moved\.m3u.*127\.0\.0\.3:1 is closed by upstream-deny=127\.0\.0\.3/);
    await sluice.waitForLog(/M3U fetch failed: .*\/file\.m3u.*Cannot be fetched: file:/);
  });
});

forEachVariant("permissions", (start) => {
  test("close all but theirs, open what is closed by default, and do not hinder the operator's own list", async () => {
    await using lists = new PlaylistServer();
    const list = lists.on("/list.m3u", "#EXTM3U\n#EXTINF:-1,One\nhttp://127.0.0.1:1/\n");
    const sluice = await start({ args: ["--upstream-allow", "169.254.0.0/16:7 10.0.0.0/33 127.0.0.2", "-M", list] });
    // What cannot be read permits nothing.
    await sluice.waitForLog(
      /Invalid upstream-allow "10\.0\.0\.0\/33": \/33 is no prefix length.*nothing is allowed by it/,
    );
    await sluice.waitForLog(/Parsed 1 M3U entries/);
    const { head, body } = await answerTo(sluice, "/One");
    expect([head.status, body]).toEqual([403, expect.stringContaining("127.0.0.1:1 is not in upstream-allow")]);
    expect((await answerTo(sluice, "/http/169.254.1.1:8/")).head.status).toBe(403);
    // It may be tried, and is not there.
    expect((await answerTo(sluice, "/http/127.0.0.2:1/")).head.status).toBe(503);
  });
});
