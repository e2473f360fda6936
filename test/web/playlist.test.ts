import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { archiveMs, hasCatchup, readPlaylist } from "../../src/web/player/playlist.ts";

describe("readPlaylist", () => {
  test("numbers channels, brings sources together and takes the page's own origin", () => {
    const { channels, groups, guideUrl } = readPlaylist(
      [
        '#EXTM3U x-tvg-url="http://10.0.0.1:5140/p/epg.xml.gz?r2h-token=a" catchup="append" catchup-source="?b={utc}"',
        '#EXTINF:-1 tvg-id="i" tvg-name="n" tvg-logo="http://l/x.png" group-title="A;B" group-title="C",One',
        "http://10.0.0.1:5140/One?x=1$HD",
        '#EXTINF:-1 group-title="A;B" group-title="C" catchup="default" catchup-source="https://h/One/c?s={utc}",One',
        "https://h/One/2$SD",
        '#EXTINF:-1 group-title="B",One',
        "/one/of/another/group",
      ].join("\n"),
    );
    expect(guideUrl).toBe("/p/epg.xml?r2h-token=a");
    expect(groups).toEqual(["A", "B", "C"]);
    expect(channels).toEqual([
      {
        number: 1,
        name: "One",
        groups: ["A", "B", "C"],
        logo: "http://l/x.png",
        tvgId: "i",
        tvgName: "n",
        sources: [
          { label: "HD", url: "/One?x=1", catchup: { mode: "append", template: "?b={utc}", days: undefined } },
          { label: "SD", url: "/One/2", catchup: { mode: "default", template: "/One/c?s={utc}", days: undefined } },
        ],
      },
      {
        number: 2,
        name: "One",
        groups: ["B"],
        logo: "",
        tvgId: "",
        tvgName: "",
        sources: [
          {
            label: "",
            url: "/one/of/another/group",
            catchup: { mode: "append", template: "?b={utc}", days: undefined },
          },
        ],
      },
    ]);
  });

  test("leaves out what a page cannot ask for", () => {
    const { channels } = readPlaylist(
      "#EXTINF:-1,A\nrtsp://h/a\n#EXTINF:-1,B\nudp://@239.0.0.1:1\n#EXTINF:-1,C\nhttp://h\n",
    );
    expect(channels.map(({ name, sources }) => [name, sources[0]!.url])).toEqual([["C", "/"]]);
  });

  test("catch-up needs both a mode and a source", () => {
    const { channels } = readPlaylist(
      '#EXTINF:-1 catchup="default",A\n/a\n#EXTINF:-1 catchup-source="/b",B\n/b\n#EXTINF:-1 catchup="x" catchup-source="/c",C\n/c',
    );
    expect(channels.map(hasCatchup)).toEqual([false, false, true]);
  });

  test("the playlist says how far back the archive reaches, within reason", () => {
    const days = (...attributes: string[]) =>
      archiveMs(readPlaylist(attributes.map((each) => `#EXTINF:-1 ${each},A\n/a\n`).join("")).channels[0]!) /
      86_400_000;
    const source = 'catchup="default" catchup-source="/c?{utc}"';
    expect(days(source)).toBe(3);
    expect(days(`${source} catchup-days="1"`)).toBe(1);
    expect(days(`${source} catchup-days="7"`)).toBe(7);
    expect(days(`${source} catchup-days="1"`, `${source} catchup-days="2"`, 'catchup-days="9"')).toBe(2);
    expect(days(`${source} catchup-days="9999"`)).toBe(31);
    expect(days(`${source} catchup-days="x"`)).toBe(3);
    expect(days("")).toBe(0);
  });

  test("never throws, and every URL is on the page's server", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.string(),
            fc.constant('#EXTINF:-1 group-title="a,b'),
            fc.constant("https://h:1/a?b$c"),
            fc.constant("http://h//other/x"),
            fc.constant("/\\\\other/x"),
          ),
        ),
        (lines) => {
          const { channels } = readPlaylist(lines.join("\n"));
          for (const { sources } of channels) for (const { url } of sources) expect(url).toMatch(/^\/(?![/\\])/);
        },
      ),
    );
  });
});
