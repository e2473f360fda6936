import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Loaded } from "../../src/playlist/loaded.ts";
import { type PlaylistSettings, Playlists } from "../../src/playlist/playlists.ts";
import { collect } from "../../src/playlist/streams.ts";
import { type ListVersion, listVersion } from "../../src/playlist/suspects.ts";
import { asByteString } from "../../src/wire/text/byte-string.ts";
import { PlaylistServer, silence } from "../fakes/playlist-server.ts";
import { OPEN_REACH } from "../fakes/reach.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { until } from "../fakes/until.ts";
import { bodyText } from "./body-text.ts";
import { ManualClock } from "./manual-clock.ts";
import { SCHEMES } from "./schemes.ts";

const LIMITS = { maxBytes: 50_000_000, totalMs: 5000, idleMs: 5000 };
const LIMIT_MS = 4000;
const SETTINGS: PlaylistSettings = {
  inline: "",
  urls: [],
  intervalS: 0,
  token: "",
  userAgent: "test/1",
  appPathPrefix: asByteString(""),
  schemes: SCHEMES,
};

const directory = await mkdtemp(join(tmpdir(), "sluice-playlists-"));
afterAll(() => rm(directory, { recursive: true }));

let server: PlaylistServer;
let clock: ManualClock;
let log: ReturnType<typeof recordingLog>;
let playlists: Playlists;
/** Channels, and lists that failed. */
let listed: (readonly [channels: number, failed: number])[];
beforeEach(() => {
  listed = [];
  server = new PlaylistServer();
  clock = new ManualClock();
  log = recordingLog();
  playlists = new Playlists({
    reach: () => OPEN_REACH,
    log,
    limits: { playlist: LIMITS, guide: LIMITS },
    schedule: clock.schedule,
    onListed: (...told) => listed.push(told),
  });
});
afterEach(async () => {
  playlists.close();
  await server[Symbol.asyncDispose]();
});

const configure = (settings: Partial<PlaylistSettings>) => playlists.configure({ ...SETTINGS, ...settings });
const list = (...names: string[]) =>
  `#EXTM3U\n${names.map((name) => `#EXTINF:-1,${name}\nhttp://h/${name}\n`).join("")}`;
const names = () => playlists.channels.main.map(({ name }) => name).join(" ");
const become = (wanted: string) => until(() => names() === wanted, LIMIT_MS, `the channels ${wanted}`);
const guideText = async () => {
  const open = playlists.guide.open("identity");
  return open && (await collect(open.chunks)).toString();
};
const guideBecomes = (wanted: string) =>
  until(async () => (await guideText()) === wanted, LIMIT_MS, `the guide ${wanted}`);

test("nothing is there before, and nothing without playlists", async () => {
  expect([playlists.channels.size, playlists.published.isEmpty]).toEqual([0, true]);
  await configure({});
  expect([playlists.channels.size, playlists.published.isEmpty, playlists.guide.kind]).toEqual([0, true, "none"]);
  expect(clock.waiting).toEqual([]);
});

test("the inline list is there at once, external ones follow behind it", async () => {
  const urls = [server.on("/1", list("B", "A")), server.on("/2", list("C", "A"))];
  const done = configure({ inline: list("A", "新闻"), urls, token: "t" });
  await done;
  expect(playlists.channels.find(asByteString("/A"))).toMatchObject({ url: "http://h/A" });
  expect(playlists.channels.find(asByteString("/%E6%96%B0%E9%97%BB"))).toBeDefined();
  await until(() => playlists.channels.main.length === 6, LIMIT_MS, "all channels");
  expect(names()).toBe(`A ${Buffer.from("新闻").toString("latin1")} B A/2 C A/3`);
  const text = bodyText(playlists.published.body(asByteString("/"), playlists.guide.kind));
  expect(text).toContain("#EXTINF:-1,新闻\n/%E6%96%B0%E9%97%BB?r2h-token=t\n");
  expect(log.lines).toContain(
    `INFO Parsed 6 M3U entries, generated transformed playlist (${playlists.published.bytes} bytes)`,
  );
});

test("it is told how many channels there are when all lists have been asked for, and when a late one comes", async () => {
  const urls = [server.on("/1", list("B", "A")), server.on("/2", () => new Response("", { status: 500 }))];
  await configure({ inline: list("A"), urls });
  await until(() => listed.length > 0, LIMIT_MS, "the first cycle");
  expect(listed).toEqual([[3, 1]]);
  server.on("/2", list("C"));
  clock.fire();
  await until(() => listed.length > 1, LIMIT_MS, "the retry");
  expect(listed).toEqual([
    [3, 1],
    [4, 0],
  ]);
});

test("an external list is replaced, and nothing else is renamed", async () => {
  const url = server.on("/1", list("A", "B"));
  await configure({ inline: list("A"), urls: [url] });
  await become("A A/2 B");
  server.on("/1", list("C", "B", "A"));
  playlists.refresh();
  await become("A C B A/2");
});

test("one that fails keeps its channels, and is known to be stale", async () => {
  const urls = [server.on("/1", list("A")), server.on("/2", list("B"))];
  await configure({ urls });
  await become("A B");
  server.on("/1", () => new Response("", { status: 500 }));
  server.on("/2", list("C"));
  playlists.refresh();
  await become("A C");
  await until(() => playlists.staleSince !== undefined, LIMIT_MS, "the failure");
  server.on("/1", list("D"));
  clock.fire();
  await become("D C");
  await until(() => playlists.staleSince === undefined, LIMIT_MS, "the list to be fresh");
});

describe("a cycle", () => {
  test("comes again after the interval, whatever became of the last one", async () => {
    await configure({ urls: [server.on("/1", silence)], intervalS: 7200 });
    expect(clock.waiting).toEqual([7_200_000]);
    server.on("/1", list("A"));
    clock.fire();
    await become("A");
    expect(clock.waiting).toEqual([7_200_000]);
  });

  test("loads the guide behind the lists", async () => {
    const guide = server.on("/g", "<tv>the guide</tv>");
    await configure({ urls: [server.on("/1", `#EXTM3U x-tvg-url="${guide}"\n${list("A")}`)] });
    await guideBecomes("<tv>the guide</tv>");
    expect(server.paths).toEqual(["/1", "/g"]);
    expect(bodyText(playlists.published.body(asByteString("/"), playlists.guide.kind))).toStartWith(
      '#EXTM3U x-tvg-url="/epg.xml"\n',
    );
    server.on("/g", "<tv>the next guide</tv>");
    playlists.refresh();
    await guideBecomes("<tv>the next guide</tv>");
  });

  test("loads just the guide for an inline list", async () => {
    await configure({ inline: `#EXTM3U x-tvg-url="${server.on("/g", "<tv>the guide</tv>")}"\n`, intervalS: 60 });
    await guideBecomes("<tv>the guide</tv>");
    expect([server.paths, clock.waiting]).toEqual([["/g"], [60_000]]);
  });

  test("whose list comes with a retry loads the guide too", async () => {
    const url = server.on("/1", () => new Response("", { status: 500 }));
    await configure({ urls: [url] });
    await until(() => clock.waiting.length === 1, LIMIT_MS, "the failure");
    server.on("/1", `#EXTM3U x-tvg-url="${server.on("/g", "<tv>the guide</tv>")}"\n${list("A")}`);
    clock.fire();
    await guideBecomes("<tv>the guide</tv>");
  });
});

describe("files of this machine", () => {
  test("are guides only for lists of this machine", async () => {
    const secret = join(directory, "secret");
    await writeFile(secret, "<tv>secret</tv>");
    const header = `#EXTM3U x-tvg-url="file://${secret}"\n`;
    await configure({ urls: [server.on("/1", header + list("A"))] });
    await become("A");
    expect(playlists.guide.kind).toBe("none");
    const file = join(directory, "list.m3u");
    await writeFile(file, header + list("B"));
    await configure({ urls: [`file://${file}`] });
    await guideBecomes("<tv>secret</tv>");
    expect(names()).toBe("B");
  });
});

describe("a reload", () => {
  test("keeps what comes from the same URLs, and drops the rest", async () => {
    const urls = [server.on("/1", list("A")), server.on("/2", list("B"))];
    await configure({ inline: list("I"), urls });
    await become("I A B");
    server.on("/2", silence);
    await configure({ inline: list("J"), urls: [urls[1]!], token: "t" });
    expect(names()).toBe("J B");
    expect(bodyText(playlists.published.body(asByteString("/"), "none"))).toContain("/B?r2h-token=t");
    await configure({});
    expect([names(), clock.waiting]).toEqual(["", []]);
  });

  test("during a reload: the last one counts", async () => {
    await Promise.all([configure({ inline: list("A") }), configure({ inline: list("B") })]);
    expect(names()).toBe("B");
  });
});

test("skipped lines are counted, and listed for those who look closely", async () => {
  await configure({ inline: "#EXTM3U\n#EXTINF:-1\n#EXTINF:-1\nu\nv\n#EXTINF:-1,A\n" });
  expect(log.lines).toEqual([
    "ERROR inline: entries that are passed on and not relayed: 1 without an absolute URL",
    "INFO inline: 3 lines skipped",
    "DEBUG #EXTINF without a URL (inline, line 2)",
    "DEBUG URL without an #EXTINF (inline, line 5)",
    "DEBUG #EXTINF without a URL (inline, line 6)",
    "INFO Parsed 1 M3U entries, generated transformed playlist (16 bytes)",
  ]);
});

test("what was skipped is told once, however often other lists come", async () => {
  await configure({ inline: `${list("A")}w\n`, urls: [server.on("/1", `${list("B")}w\n`)] });
  await become("A B");
  server.on("/1", `${list("C")}w\n`);
  playlists.refresh();
  await become("A C");
  const told = log.lines.filter((line) => line.includes("skipped"));
  expect(told.map((line) => line.includes("inline"))).toEqual([true, false, false]);
});

describe("a list that a worker has died of", () => {
  const DEADLY = list("A", "B");
  const version = (url: string) => listVersion(url, Buffer.from(DEADLY));

  test("is not read before its time, and other bytes are", async () => {
    const url = server.on("/1", DEADLY);
    const suspects = [{ ...version(url), forMs: 600_000 }];
    using other = closing(new Playlists({ reach: () => OPEN_REACH, log, schedule: clock.schedule, suspects }));
    await other.configure({ ...SETTINGS, urls: [url] });
    await until(() => log.lines.some((line) => line.startsWith("ERROR")), LIMIT_MS, "the refusal");
    expect(log.lines.at(-1)).toMatch(
      /\/1, will retry in 2 seconds \(retry 1\/8\): A worker has died while it read it, it is not read again for (600|599) seconds$/,
    );
    expect(clock.waiting).toContain(600_000);
    server.on("/1", list("C"));
    clock.fire();
    await until(() => other.channels.size === 1, LIMIT_MS, "other bytes");
  });

  test("is read when its time has come, also from another process", async () => {
    const url = server.on("/1", DEADLY);
    const told: Loaded[] = [];
    const onLoaded = (loaded: Loaded) => told.push(loaded);
    using loader = closing(
      new Playlists({
        reach: () => OPEN_REACH,
        log,
        schedule: clock.schedule,
        onLoaded,
        suspects: [{ ...version(url), forMs: 0 }],
      }),
    );
    await loader.configure({ ...SETTINGS, urls: [url] });
    await until(() => told.length > 0, LIMIT_MS, "the list");
    const suspects = [{ ...version(url), forMs: 100 }];
    using other = closing(
      new Playlists({ reach: () => OPEN_REACH, log, schedule: clock.schedule, isLoader: false, suspects }),
    );
    await other.configure({ ...SETTINGS, urls: [url] });
    await other.accept(told[0]!);
    expect(other.channels.size).toBe(0);
    expect(clock.waiting.some((ms) => ms > 0 && ms <= 100)).toBe(true);
    // Timers are the test's, but the time is not.
    const isRead = () => {
      if (clock.waiting.length > 0) clock.fire();
      return other.channels.size === 2;
    };
    await until(isRead, LIMIT_MS, "its channels");
  });

  test("is told before it is read, and when it has been", async () => {
    const url = server.on("/1", DEADLY);
    const events: unknown[] = [];
    const reading = { begins: (list: ListVersion) => events.push(list), ends: () => events.push("read") };
    using other = closing(new Playlists({ reach: () => OPEN_REACH, log, schedule: clock.schedule, reading }));
    await other.configure({ ...SETTINGS, inline: list("I"), urls: [url] });
    await until(() => other.channels.size === 3, LIMIT_MS, "all channels");
    expect(events).toEqual([listVersion("[services]", Buffer.from(list("I"))), "read", version(url), "read"]);
  });

  test("waits for its time also in the config file, and other lists do not", async () => {
    const suspects = [{ ...version("[services]"), forMs: 100 }];
    using other = closing(new Playlists({ reach: () => OPEN_REACH, log, schedule: clock.schedule, suspects }));
    await other.configure({ ...SETTINGS, inline: DEADLY, urls: [server.on("/1", list("C"))] });
    await until(() => other.channels.size === 1, LIMIT_MS, "the other list");
    const isRead = () => {
      if (clock.waiting.length > 0) clock.fire();
      return other.channels.size === 3;
    };
    await until(isRead, LIMIT_MS, "its channels");
  });
});

/** Closes it at the end of a block. */
function closing(playlists: Playlists): Playlists & Disposable {
  return Object.assign(playlists, { [Symbol.dispose]: () => playlists.close() });
}

describe("another process", () => {
  /** One that loads, and one that is told. */
  async function pair(settings: Partial<PlaylistSettings>) {
    const told: Loaded[] = [];
    const loader = new Playlists({
      reach: () => OPEN_REACH,
      log,
      schedule: clock.schedule,
      onLoaded: (loaded) => told.push(loaded),
    });
    const other = new Playlists({ reach: () => OPEN_REACH, log, schedule: clock.schedule, isLoader: false });
    await Promise.all([loader, other].map((each) => each.configure({ ...SETTINGS, ...settings })));
    return { loader, other, told, [Symbol.dispose]: () => [loader, other].map((each) => each.close()) };
  }
  const textOf = ({ published, guide }: Playlists) => bodyText(published.body(asByteString("/"), guide.kind));

  test("asks no server, and publishes the same", async () => {
    const guide = server.on("/once-g", Bun.gzipSync("<tv/>"));
    const urls = [
      server.on("/once-1", `#EXTM3U x-tvg-url="${guide}"\n${list("A", "B")}`),
      server.on("/once-2", list("新闻", "A")),
    ];
    using both = await pair({ inline: list("I", "A"), urls });
    await until(() => both.told.length === 3, LIMIT_MS, "two lists and a guide");
    const paths = server.paths.filter((path) => path.startsWith("/once"));
    expect(paths.toSorted()).toEqual(["/once-1", "/once-2", "/once-g"]);
    await Promise.all(both.told.map((loaded) => both.other.accept(loaded)));
    expect(textOf(both.other)).toBe(textOf(both.loader));
    expect(textOf(both.other)).toContain("/epg.xml.gz");
    const kinds = [both.loader, both.other].map(({ published, guide: { kind } }) =>
      published.etag(asByteString("/"), kind),
    );
    expect(kinds[0]).toBe(kinds[1]!);
    const { etag, chunks } = both.other.guide.open("identity")!;
    expect([etag, (await collect(chunks)).toString()]).toEqual([both.loader.guide.open("gzip")!.etag, "<tv/>"]);
  });

  test("drops what is named no more, and ignores what is none of its own", async () => {
    const url = server.on("/1", `#EXTM3U x-tvg-url="${server.on("/g", "<tv>the guide</tv>")}"\n${list("A")}`);
    using both = await pair({ urls: [url] });
    await until(() => both.told.length === 2, LIMIT_MS, "a list and a guide");
    await Promise.all(both.told.map((loaded) => both.other.accept(loaded)));
    expect([both.other.channels.size, both.other.guide.kind]).toEqual([1, "plain"]);
    await both.other.configure(SETTINGS);
    expect([both.other.channels.size, both.other.guide.kind]).toEqual([0, "none"]);
    await Promise.all(both.told.map((loaded) => both.other.accept(loaded)));
    expect([both.other.channels.size, both.other.guide.open("identity")]).toEqual([0, undefined]);
  });

  test("keeps what it has when a copy is gone, and the loader prefers what it loads itself", async () => {
    using both = await pair({ urls: [server.on("/1", list("A"))] });
    await until(() => both.told.length === 1, LIMIT_MS, "a list");
    await both.other.accept(both.told[0]!);
    server.on("/1", list("B"));
    both.loader.refresh();
    await until(() => both.told.length === 2, LIMIT_MS, "the next list");
    await both.other.accept(both.told[0]!);
    expect(both.other.channels.find(asByteString("/A"))).toBeDefined();
    // The older copy is still being read when the newer one comes.
    await Promise.all([both.other.accept(both.told[0]!), both.other.accept(both.told[1]!)]);
    expect([both.other.channels.find(asByteString("/A")), both.other.channels.find(asByteString("/B"))]).toEqual([
      undefined,
      expect.objectContaining({ name: "B" }),
    ]);
  });
});

test("close leaves nothing", async () => {
  await configure({ urls: [server.on("/last", silence)], intervalS: 10 });
  await until(() => server.paths.includes("/last"), LIMIT_MS, "the request");
  playlists.close();
  await until(() => server.pending === 0, LIMIT_MS, "no request to be left");
  expect(clock.waiting).toEqual([]);
});

test("20 000 entries are read in slices, so that packets are relayed in between", async () => {
  const text = list(...Array.from({ length: 20_000 }, (_, i) => `Channel${i}`));
  let turns = 0;
  let isBusy = true;
  const watch = () => {
    turns++;
    if (isBusy) setImmediate(watch);
  };
  watch();
  await configure({ inline: text });
  isBusy = false;
  expect(playlists.channels.size).toBe(20_000);
  // A slice takes 4 ms, the whole hundreds. How long a turn really takes depends on what else this machine does.
  expect(turns).toBeGreaterThan(10);
});
