/** Catch-up as players do it: the archive is asked for the same through the relay as without it (m3u.md sections 6 and 12). */

import { afterAll, expect, test } from "bun:test";
import { CATCHUP_CASES } from "../fakes/catchup-lists.ts";
import { catchupUrl, type Programme } from "../fakes/catchup-player.ts";
import { HttpClient } from "../fakes/http-client.ts";
import { HttpOrigin } from "../fakes/http-origin.ts";
import { PlaylistServer } from "../fakes/playlist-server.ts";
import { forEachVariant, type Sluice } from "./harness.ts";

const WAIT_MS = 20_000;
const HOUR_S = 3600;
const listServer = new PlaylistServer();
/** The path and query of all that the archive was asked for. */
const asked: string[] = [];
const archive = new HttpOrigin(async (connection) => {
  const head = await connection.head();
  asked.push(head.split(" ")[1]!);
  connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
});
afterAll(async () => {
  archive[Symbol.dispose]();
  await listServer[Symbol.asyncDispose]();
});

const origin = () => `http://127.0.0.1:${archive.port}`;
const entries = () =>
  CATCHUP_CASES.map(({ attributes, path, players }) => ({
    attributes: attributes.replace("ORIGIN", origin()),
    url: origin() + path,
    players,
  }));

/** What the archive is asked for when somebody asks for a URL, of the archive or of the relay. */
async function askedBy(url: string): Promise<string> {
  const [, port = "", target = ""] = /^http:\/\/127\.0\.0\.1:(\d+)(.*)$/.exec(url)!;
  const before = asked.length;
  using client = await HttpClient.connect({ port: Number(port) });
  client.request("GET", target, { Host: `127.0.0.1:${port}`, "User-Agent": "Player/1.0" });
  const { head } = await client.response(WAIT_MS);
  return head.status === 200 ? asked.slice(before).join(" ") : `status ${head.status}`;
}

/** Entries as a player reads them in the published playlist. */
async function published(sluice: Sluice): Promise<{ attributes: string; url: string }[]> {
  const { port } = sluice;
  using client = await HttpClient.connect({ port });
  client.request("GET", "/playlist.m3u", { Host: `127.0.0.1:${port}` });
  const { body } = await client.response(WAIT_MS);
  return [...body.toString().matchAll(/#EXTINF:-1 (.*),C\d+\n(.*)\n/g)].map(([, attributes, url]) => ({
    attributes: attributes!,
    url: url!,
  }));
}

forEachVariant("catch-up of players", (start) => {
  test("asks the archive for the same", async () => {
    const list = entries().map(({ attributes, url }, i) => `#EXTINF:-1 ${attributes},C${i}\n${url}\n`);
    const url = listServer.on("/list", list.join(""));
    await using sluice = await start({ args: ["-m", "64", "-M", url] });
    await sluice.waitForLog(new RegExp(`Parsed ${list.length} M3U entries`), { ms: WAIT_MS });
    const shown = await published(sluice);
    expect(shown).toHaveLength(list.length);
    for (const [i, { attributes, url: entryUrl, players }] of entries().entries()) {
      for (const player of players) {
        // The relay's present is a little later than the player's.
        const now = Math.floor(Date.now() / 1000) - 60;
        const programme: Programme = {
          begin: now - 5 * HOUR_S,
          end: now - 4 * HOUR_S,
          now,
          zoneMin: 5 * 60 + 45,
          id: "p-1",
        };
        const direct = await askedBy(catchupUrl(player, { attributes, url: entryUrl }, programme)!);
        const through = await askedBy(catchupUrl(player, shown[i]!, programme)!);
        expect([player.name, attributes, through]).toEqual([player.name, attributes, direct]);
        expect(direct).toStartWith("/");
      }
    }
  });
});
