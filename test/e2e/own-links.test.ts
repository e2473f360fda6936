/** What a list prescribes goes with the requests of its channels, and links that the relay writes stay valid with `-U`. */
import { afterAll, expect, test } from "bun:test";
import { PlaylistServer } from "../fakes/playlist-server.ts";
import { answerTo } from "./channel.ts";
import { forVariant } from "./harness.ts";

const WAIT_MS = 20_000;
const origin = new PlaylistServer();
afterAll(() => origin[Symbol.asyncDispose]());

forVariant("source", "own links", (start) => {
  test("lead to what a channel's playlist and redirect name, and to nothing else, with the channel's headers", async () => {
    const asked: string[] = [];
    const answer = (response: () => Response) => (request: Request) => {
      const { pathname } = new URL(request.url);
      asked.push(`${pathname} ${request.headers.get("user-agent")} ${request.headers.get("referer")}`);
      return response();
    };
    origin.on(
      "/seg.ts",
      answer(() => new Response("media")),
    );
    const hls = origin.on(
      "/hls.m3u8",
      answer(() => new Response("#EXTM3U\n#EXTINF:1,\nseg.ts\n")),
    );
    const redirect = origin.on(
      "/moved",
      answer(() => new Response(null, { status: 302, headers: { Location: "/seg.ts" } })),
    );
    const list = `#EXTINF:-1,Hls\n${hls}|User-Agent=Box/1&Referer=http://r/\n#EXTINF:-1,status\n${redirect}\n`;
    await using sluice = await start({ args: ["-U", "-M", origin.on("/list", list)] });
    await sluice.waitForLog(/Parsed 2 M3U entries/, { ms: WAIT_MS });
    const { body } = await answerTo(sluice, "/Hls");
    const link = /^http:\/\/[^/]+(\/.*)$/m.exec(body)![1]!;
    expect((await answerTo(sluice, link)).body).toBe("media");
    expect(asked).toEqual(["/hls.m3u8 Box/1 http://r/", "/seg.ts Box/1 http://r/"]);
    const moved = await answerTo(sluice, "/channel/status");
    const location = /^Location: (.*)\r$/im.exec(moved.head.raw)![1]!;
    expect((await answerTo(sluice, location)).body).toBe("media");
    for (const other of [link.replace("seg.ts", "hls.m3u8"), location.split("?", 1)[0]!]) {
      expect((await answerTo(sluice, other)).head.status).toBe(404);
    }
  });
});
