/** What a player asks an archive for through the published list is what it would ask without it (m3u.md sections 6, 12). */
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { PlaylistWriter } from "../../src/playlist/publish.ts";
import { readSeekRequest } from "../../src/timeshift/seek-request.ts";
import { mergeServiceQuery } from "../../src/timeshift/service-query.ts";
import { resolveUpstreamUrl } from "../../src/timeshift/upstream-url.ts";
import { catchupUrl as pageUrl } from "../../src/web/player/catchup.ts";
import { readPlaylist } from "../../src/web/player/playlist.ts";
import { asByteString } from "../../src/wire/text/byte-string.ts";
import { CATCHUP_CASES, type CatchupCase } from "../fakes/catchup-lists.ts";
import { type CatchupEntry, type CatchupPlayer, catchupUrl, type Programme } from "../fakes/catchup-player.ts";
import { bodyText } from "./body-text.ts";
import { listChannels } from "./list-channels.ts";
import { SCHEMES } from "./schemes.ts";

const ORIGIN = "http://archive:8080";
const BASE = "http://10.0.0.1:5140/";
const LATER_S = 600;
const PROGRAMME: Programme = { begin: 1_704_110_405, end: 1_704_117_000, now: 1_704_200_000, zoneMin: 0, id: "a-1_2" };

const entryOf = ({ attributes, path }: CatchupCase): CatchupEntry => ({
  url: ORIGIN + path,
  attributes: attributes.replace("ORIGIN", ORIGIN),
});

/** Its channels, and the entry as a player reads it. */
function published({ url, attributes }: CatchupEntry, token = "") {
  const { channels, entries } = listChannels([`#EXTINF:-1 ${attributes},A\n${url}`], {
    appPathPrefix: asByteString(""),
    schemes: SCHEMES,
  });
  const writer = new PlaylistWriter(asByteString(token));
  for (const entry of entries) writer.add(entry);
  const text = bodyText(writer.finish(channels).body(asByteString(BASE), "none"));
  const [, shownAttributes = "", shownUrl = ""] = /#EXTINF:-1 (.*),A\n(.*)\n/.exec(text) ?? [];
  return { channels, entry: { url: shownUrl, attributes: shownAttributes } };
}

/** The URL that is asked of the archive, in the end. */
function askedThrough(asked: string, { channels }: ReturnType<typeof published>, programme: Programme): string {
  if (!asked.startsWith(BASE)) return asked;
  const [path = "", query = ""] = asked.slice(BASE.length - 1).split(/\?(.*)/s);
  const channel = channels.find(asByteString(path));
  if (channel === undefined || channel === "invalid") throw new Error(`No channel at ${path}`);
  const url = mergeServiceQuery(channel.url, asByteString(query.replace(/&r2h-token=[^&]*|^r2h-token=[^&]*&?/, "")))!;
  const request = readSeekRequest(url, "query", channel.url)!;
  expect(request.warnings).toEqual([]);
  // A player of HLS asks again and again, and must not be led elsewhere each time.
  const nowMs = (programme.now + LATER_S) * 1000;
  return resolveUpstreamUrl(request, { nowMs, zoneMin: 0 })?.url ?? "503";
}

function askedBy(player: CatchupPlayer, entry: CatchupEntry, programme: Programme, token = ""): string | undefined {
  const list = published(entry, token);
  const asked = catchupUrl(player, list.entry, programme);
  return asked && askedThrough(asked, list, programme);
}

const rows = CATCHUP_CASES.flatMap((each) =>
  each.players.map((player) => [player.name, each.path, each.attributes, player, entryOf(each)] as const),
);

describe("through the list as without it", () => {
  test.each(rows)("%s asks %s %s", (_name, _path, _attributes, player, entry) => {
    for (const zoneMin of [0, 480, -210, 345]) {
      for (const token of ["", "secret"]) {
        const programme = { ...PROGRAMME, zoneMin };
        const direct = catchupUrl(player, entry, programme);
        expect(direct).toBeString();
        expect(askedBy(player, entry, programme, token)).toBe(direct);
      }
    }
  });

  test("at any time", () => {
    const second = fc.integer({ min: Date.UTC(1990, 0, 1) / 1000, max: Date.UTC(2200, 0, 1) / 1000 });
    const zoneMin = fc.integer({ min: -48, max: 56 }).map((quarters) => quarters * 15);
    fc.assert(
      fc.property(
        fc.constantFrom(...rows),
        second,
        fc.nat(99_999),
        fc.nat(999_999),
        zoneMin,
        (row, begin, span, age, zone) => {
          const [, , , player, entry] = row;
          const programme = { begin, end: begin + span, now: begin + age, zoneMin: zone, id: "x" };
          expect(askedBy(player, entry, programme)).toBe(catchupUrl(player, entry, programme));
        },
      ),
      { numRuns: 2000 },
    );
  });
});

test("our own page asks for what Kodi asks for at the same place", () => {
  const known = rows.filter(
    ([name, , attributes]) => name === "Kodi" && !/catchup-id|GMT|\$utc|token\}|\{key/.test(attributes),
  );
  expect(known.length).toBeGreaterThan(30);
  for (const [, , attributes, player, entry] of known) {
    const list = published(entry);
    const { channels } = readPlaylist(`#EXTINF:-1 ${list.entry.attributes},A\n${list.entry.url}`);
    const range = { beginMs: PROGRAMME.begin * 1000, endMs: PROGRAMME.end * 1000 };
    const target = pageUrl(channels[0]!.sources[0]!, range, PROGRAMME.now * 1000, 0);
    const asked = askedThrough(BASE + target.slice(1), list, PROGRAMME);
    expect([attributes, asked]).toEqual([attributes, catchupUrl(player, entry, PROGRAMME)!]);
  }
});

/** For players that know one kind of mode only. */
test("what is relayed is published as a whole URL", () => {
  for (const each of CATCHUP_CASES) {
    const { attributes } = published(entryOf(each)).entry;
    const source = /catchup-source="([^"]*)"/.exec(attributes)?.[1] ?? "";
    if (!source.startsWith(BASE)) continue;
    expect(attributes).toMatch(/(?:^| )catchup="(?:default|vod)"/);
    expect(attributes).not.toMatch(/catchup-type="(?!default)/);
  }
});
