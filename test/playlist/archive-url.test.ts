// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of URLs
import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { archiveUrl } from "../../src/playlist/archive-url.ts";
import { asByteString } from "../../src/wire/text/byte-string.ts";
import { SCHEMES } from "./schemes.ts";

const RULES = { appPathPrefix: asByteString(""), schemes: SCHEMES };

const archive = (url: string, mode: string, source = "") =>
  archiveUrl(asByteString(url), { mode, source: asByteString(source), olderDays: "" }, RULES);

describe("a source", () => {
  test.each<[url: string, mode: string, source: string, archive: string | undefined]>([
    ["http://h/a", "append", "?u={utc}", "http://h/a?u={utc}"],
    ["http://h/a?b", "append", "?u={utc}", "http://h/a?b&u={utc}"],
    ["http://h/a", "append", "&u={utc}", "http://h/a?u={utc}"],
    ["http://h/a", "append", "u={utc}", "http://h/a?u={utc}"],
    ["http://h/a", "append", "/u/{utc}.ts", "http://h/a/u/{utc}.ts"],
    ["http://h/a", "append", "-{utc}.m3u8", "http://h/a-{utc}.m3u8"],
    ["http://h/a", "append", ".{utc}", "http://h/a.{utc}"],
    ["http://h/a/", "append", "{utc}.ts", "http://h/a/{utc}.ts"],
    ["http://h/a", "append", "http://h2/{utc}", "http://h2/{utc}"],
    ["http://h/a/b", "default", "/u/{utc}", "http://h/u/{utc}"],
    ["http://h/a/b", "default", "//h2/{utc}", "http://h2/{utc}"],
    ["http://h/a/b", "", "HTTP://h2/{utc}", "http://h2/{utc}"],
    ["http://h/a/b", "default", "http://h2/\xe4/{utc}", "http://h2/%E4/{utc}"],
    ["http://h/a", "vod", "http://h2/{catchup-id}", "http://h2/{catchup-id}"],
    ["http://h/a", "vod", "{catchup-id}", undefined],
    ["http://h/a", "vod", "", undefined],
    ["http://h/a", "default", "", undefined],
    ["http://h/a", "append", "", undefined],
    ["http://h/a", "append", "?u={nobody}", undefined],
    ["http://h/a", "append", "?u={utc}&t=${token}", undefined],
    ["http://h/a?x={nobody}", "append", "?u={utc}", undefined],
    ["http://h/a", "default", "https://h2/{utc}", undefined],
    ["http://h/a", "default", "plugin://x/{utc}", undefined],
    ["rtp://239.0.0.1:1", "default", "rtsp://h/{utc}", "rtsp://h/{utc}"],
    // A source that asks for a time is one in every mode.
    ["http://h/a/index.m3u8", "shift", "?u={utc}", "http://h/a/index.m3u8?u={utc}"],
    ["http://h/a/index.m3u8", "flussonic", "http://h/b-{utc}.m3u8", "http://h/b-{utc}.m3u8"],
    ["http://h/a/index.m3u8", "unheard-of", "?u={utc}", "http://h/a/index.m3u8?u={utc}"],
  ])("%s %s %s", (url, mode, source, expected) => {
    expect(archive(url, mode, source)).toBe<unknown>(expected as string);
  });
});

describe("without a source", () => {
  const XC = "{duration:60}/{Y}-{m}-{d}:{H}-{M}";
  test.each<[mode: string, url: string, archive: string | undefined]>([
    ["shift", "http://h/a", "http://h/a?utc={utc}&lutc={lutc}"],
    ["shift", "rtsp://h/a?b=c", "rtsp://h/a?b=c&utc={utc}&lutc={lutc}"],
    ["shift", "rtp://239.0.0.1:1", undefined],
    ["archive", "http://h/a?b", "http://h/a?b&archive=${start}&archive_end=${end}"],
    ["flussonic", "http://h/a/b/index.m3u8?t=1&u", "http://h/a/b/timeshift_rel-{offset:1}.m3u8?t=1&u"],
    ["flussonic", "http://h/a/video.M3U8", "http://h/a/video-timeshift_rel-{offset:1}.m3u8"],
    ["flussonic-ts", "http://h/a/index.m3u8", "http://h/a/timeshift_rel-{offset:1}.m3u8"],
    ["flussonic", "http://h:8080/a/mpegts", "http://h:8080/a/timeshift_abs-${start}.ts"],
    ["flussonic", "http://h/a/live.ts?t", "http://h/a/timeshift_abs-${start}.ts?t"],
    ["flussonic-hls", "http://h/a/live", "http://h/a/timeshift_rel-{offset:1}.m3u8"],
    ["fs", "http://h/a/live", "http://h/a/timeshift_abs-${start}.ts"],
    ["fs", "http://h/index.m3u8", undefined],
    ["fs", "http://h/a/", undefined],
    ["fs", "rtsp://h/a/index.m3u8", undefined],
    ["fs", "http://h/user/pass/12", `http://h/timeshift/user/pass/${XC}/12.ts`],
    ["fs", "http://h/user/pass/12?t=1", "http://h/user/pass/timeshift_abs-${start}.ts?t=1"],
    ["xc", "http://h/live/user/pass/12.m3u8", `http://h/timeshift/user/pass/${XC}/12.m3u8`],
    ["xc", "http://h/live/user/pass/12.m3u", `http://h/timeshift/user/pass/${XC}/12.m3u8`],
    ["xc", "http://h/user/pass/12.ts?t=1", `http://h/timeshift/user/pass/${XC}/12.ts?t=1`],
    ["xtream", "http://h/user/pass/12", `http://h/timeshift/user/pass/${XC}/12.ts`],
    ["xc", "http://h/user/12", undefined],
    ["xc", "http://h/a/user/pass/12", undefined],
    ["xc", "rtsp://h/user/pass/12", undefined],
    ["timeshift", "http://h/a", undefined],
    ["flussonic-dash", "http://h/a/index.mpd", undefined],
    ["disabled", "http://h/a", undefined],
    ["", "http://h/a", undefined],
  ])("%s of %s", (mode, url, expected) => {
    expect(archive(url, mode)).toBe<unknown>(expected as string);
  });

  test("a source that asks for no time is none", () => {
    expect(archive("http://h/user/pass/12", "xc", "-2")).toBe<unknown>(`http://h/timeshift/user/pass/${XC}/12.ts`);
  });
});

test("nothing makes it throw or take longer than its length", () => {
  const word = fc.string({
    unit: fc.constantFrom("http://h/", "/", "live", "?", "{utc}", "{", ".m3u8", "-", "1"),
    maxLength: 12,
  });
  const modes = fc.constantFrom("append", "default", "shift", "fs", "xc", "vod", "");
  fc.assert(
    fc.property(word, modes, word, (url, mode, source) => void archive(url, mode, source)),
    { numRuns: 2000 },
  );
  for (const unit of ["/", "a/", "1", "live/", "{utc}", "$utc", "?"]) {
    const long = unit.repeat(200_000 / unit.length);
    for (const mode of ["append", "fs", "xc"]) archive(`http://h/${long}`, mode, long);
  }
});
