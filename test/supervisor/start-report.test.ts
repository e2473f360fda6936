import { describe, expect, test } from "bun:test";
import { PROGRAM_VERSION } from "../../src/config/program.ts";
import { type BannerFacts, bannerLines, bannerText } from "../../src/supervisor/banner.ts";
import { StartReport } from "../../src/supervisor/start-report.ts";
import { LOG_ERROR, LOG_FATAL, type LogLevel } from "../../src/system/log.ts";
import { load, loadText } from "../config/files.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { until } from "../fakes/until.ts";

const WAIT_MS = 5000;
const ADDRESSES = [{ interfaceName: "eth0", address: "192.168.1.2" }];
const LISTENERS = [{ address: "0.0.0.0", port: 5140 }];

function facts(...words: string[]): Omit<BannerFacts, "loaded"> {
  const { settings } = load(["-C", ...words], {});
  return { settings, listeners: LISTENERS, unixSockets: [], addresses: ADDRESSES };
}

function lineOf(name: string, all: BannerFacts): string | undefined {
  return bannerLines(all).find((line) => line.name === name)?.text;
}

describe("the banner", () => {
  test("says where pages and playlist are", () => {
    const lines = bannerLines({ ...facts("-s", "/s", "-p", "/p", "-r", "eth7"), loaded: undefined });
    expect(lines).toEqual([
      { name: "player", text: "http://192.168.1.2:5140/p" },
      { name: "status", text: "http://192.168.1.2:5140/s" },
      { name: "playlist", text: "http://192.168.1.2:5140/playlist.m3u" },
      { name: "multicast", text: "on interface eth7" },
      { name: "channels", text: "none, as there is no playlist: name one with -M, or open /rtp/GROUP:PORT" },
    ]);
    expect(bannerText(lines)).toStartWith(`\nsluice ${PROGRAM_VERSION}\n\n  player       http://192.168.1.2:5140/p\n`);
  });

  test("names other addresses, some of many", () => {
    const addresses = [2, 3, 4, 5, 6, 7, 8].map((n) => ({ interfaceName: "eth0", address: `192.168.1.${n}` }));
    const few = { ...facts(), addresses: addresses.slice(0, 2), loaded: undefined };
    expect(lineOf("also at", few)).toBe("192.168.1.3:5140");
    expect(lineOf("also at", { ...few, addresses })).toEndWith("192.168.1.6:5140 and 2 more");
  });

  test("names Unix sockets, and no URL when there is nothing else", () => {
    const lines = bannerLines({ ...facts(), listeners: [], unixSockets: ["/a", "/b"], loaded: undefined });
    expect(lines.map(({ name }) => name)).toEqual(["Unix socket", "multicast", "channels"]);
    expect(lines[0]?.text).toBe("/a, /b");
  });

  test.each([
    [[], undefined, "none, as there is no playlist: name one with -M, or open /rtp/GROUP:PORT"],
    [["-U"], undefined, "none, as there is no playlist: name one with -M"],
    [["-M", "/a"], undefined, "still loading 1 playlist"],
    [["-M", "/a", "-M", "/b"], undefined, "still loading 2 playlists"],
    [["-M", "/a"], { channels: 7, failed: 0 }, "7"],
    [["-M", "/a", "-M", "/b"], { channels: 7, failed: 1 }, "7; 1 of 2 playlists could not be loaded yet, see above"],
  ])("says of the channels of %j with %j: %s", (words, loaded, text) => {
    expect(lineOf("channels", { ...facts(...words), loaded })).toBe(text);
  });

  test("counts the channels of the config file", () => {
    const { settings } = loadText("[services]\n#EXTM3U\n#EXTINF:-1,A\nrtp://239.1.1.1\n");
    expect(lineOf("channels", { ...facts(), settings, loaded: { channels: 1, failed: 0 } })).toBe("1");
  });
});

describe("it is told", () => {
  function report(level: LogLevel = LOG_ERROR, listsMs = 3_600_000) {
    const log = { ...recordingLog(), level };
    return { log, report: new StartReport({ log, print: undefined, listsMs }) };
  }

  test("at once when there is no list, at the default level", () => {
    const { log, report: it } = report();
    it.ready(facts());
    expect(log.lines[0]).toBe("INFO player: http://192.168.1.2:5140/player");
    expect(log.level).toBe(LOG_ERROR);
    const told = [...log.lines];
    it.loaded({ channels: 0, failed: 0 });
    expect(log.lines).toEqual(told);
  });

  test("on a terminal in one piece, with the token", () => {
    const screen: string[] = [];
    const log = { ...recordingLog(), level: LOG_ERROR as LogLevel };
    const it = new StartReport({ log, print: (text) => void screen.push(text) });
    it.ready(facts("-T", "secret"));
    expect(screen.join("")).toContain("  status       http://192.168.1.2:5140/status?r2h-token=secret\n");
    expect(log.lines).toEqual([]);
  });

  test("when the lists are loaded, whichever is first", () => {
    for (const isFirst of [true, false]) {
      const { log, report: it } = report();
      if (isFirst) it.loaded({ channels: 7, failed: 0 });
      it.ready(facts("-M", "/a"));
      expect(log.lines.length > 0).toBe(isFirst);
      it.loaded({ channels: 7, failed: 0 });
      expect(log.lines.at(-1)).toBe("INFO channels: 7");
      const told = log.lines.length;
      it.loaded({ channels: 8, failed: 0 });
      expect(log.lines).toHaveLength(told);
    }
  });

  test("without lists that take long, and how they came out later", async () => {
    const { log, report: it } = report(LOG_ERROR, 1);
    it.ready(facts("-M", "/a", "-M", "/b"));
    await until(() => log.lines.length > 0, WAIT_MS, "the banner");
    expect(log.lines.at(-1)).toBe("INFO channels: still loading 2 playlists");
    const told = log.lines.length;
    it.loaded({ channels: 7, failed: 1 });
    it.loaded({ channels: 7, failed: 1 });
    it.loaded({ channels: 9, failed: 0 });
    it.loaded({ channels: 10, failed: 0 });
    expect(log.lines.slice(told)).toEqual([
      "INFO channels: 7; 1 of 2 playlists could not be loaded yet, see above",
      "INFO channels: 9",
    ]);
  });

  test("to nobody who wants quiet, nor after the end", () => {
    const quiet = report(LOG_FATAL);
    quiet.report.ready(facts());
    expect(quiet.log.lines).toEqual([]);
    const over = report();
    over.report.close();
    over.report.ready(facts());
    expect(over.log.lines).toEqual([]);
  });
});
