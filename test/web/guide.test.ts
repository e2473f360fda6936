import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { byDay, Guide, isRecorded, programmeAt } from "../../src/web/player/guide.ts";
import { readPlaylist } from "../../src/web/player/playlist.ts";
import { parseXmltvTime, XmltvPieces } from "../../src/web/player/xmltv.ts";
import { channels } from "./channels.ts";

const PLACEHOLDER_MS = 2 * 3_600_000;
const AHEAD_MS = 72 * 3_600_000;
const PAST_MS = 72 * 3_600_000;

const HOUR = 3_600_000;
const NOW = Date.UTC(2024, 0, 10, 12, 30);
const at = (hours: number, length = 1, title = "t") => ({
  startMs: NOW + hours * HOUR,
  endMs: NOW + (hours + length) * HOUR,
  title,
});

describe("Guide", () => {
  test("finds by tvg-id, then tvg-name, then name: by id or display name", () => {
    const list = readPlaylist(
      '#EXTINF:-1 tvg-id="x",A\n/1\n#EXTINF:-1 tvg-id="none" tvg-name="Bee",B\n/2\n#EXTINF:-1,Third\n/3\n#EXTINF:-1,D\n/4',
    ).channels;
    const guide = new Guide(list, NOW);
    for (const [id, name] of [
      ["x", "A"],
      ["b.tv", "Bee"],
      ["c.tv", "Third"],
      ["z", "unknown"],
    ] as const) {
      guide.addChannel(id, [name]);
      guide.addProgramme(id, at(0, 1, id));
    }
    expect(list.map((channel) => guide.programmesOf(channel, NOW).map(({ title }) => title))).toEqual([
      ["x"],
      ["b.tv"],
      ["c.tv"],
      [],
    ]);
  });

  test("keeps what may be seen, in order, without overlaps", () => {
    const [channel] = channels("A");
    const guide = new Guide([channel!], NOW);
    for (const programme of [at(1), at(0), at(0.5), at(-100), at(100), at(3, -1)]) guide.addProgramme("A", programme);
    expect(guide.programmesOf(channel!, NOW)).toEqual([at(0), at(1)]);
    expect(at(-100).endMs).toBeLessThan(NOW - PAST_MS);
    expect(at(100).startMs).toBeGreaterThan(NOW + AHEAD_MS);
  });

  test("reaches as far back as the longest archive, and says what of it a channel can replay", () => {
    const source = 'catchup="default" catchup-source="/c?{utc}" tvg-id="A"';
    const list = readPlaylist(
      `#EXTINF:-1 ${source} catchup-days="7",Week\n/1\n#EXTINF:-1 ${source} catchup-days="1",Day\n/2\n#EXTINF:-1 tvg-id="A",Live\n/3`,
    ).channels;
    const guide = new Guide(list, NOW);
    const hours = [-200, -160, -100, -25, -23];
    for (const hour of hours) guide.addProgramme("A", at(hour));
    const recorded = list.map((channel) =>
      guide
        .programmesOf(channel, NOW)
        .filter((programme) => programme.title !== "" && isRecorded(programme, channel, NOW))
        .map(({ startMs }) => (startMs - NOW) / HOUR),
    );
    expect(recorded).toEqual([[-160, -100, -25, -23], [-23], []]);
    const [week, day] = list.map((channel) => guide.programmesOf(channel, NOW));
    expect(week![0]!.startMs).toBe(NOW - 7 * 24 * HOUR - HOUR / 2);
    expect(day!.find(({ title }) => title === "")!.startMs).toBeGreaterThan(NOW - 26 * HOUR);
  });

  test("fills the past of a channel that can be replayed, up to and with what is on air", () => {
    const [channel] = channels("A*");
    const guide = new Guide([channel!], NOW);
    const bare = guide.programmesOf(channel!, NOW);
    expect(bare[0]!.startMs).toBe(NOW - PAST_MS - HOUR / 2);
    expect(bare.every(({ startMs, endMs, title }) => endMs - startMs === PLACEHOLDER_MS && title === "")).toBe(true);
    expect(programmeAt(bare, NOW)).toBe(bare.at(-1)!);

    guide.addProgramme("A", at(-3));
    guide.addProgramme("A", at(5));
    const filled = guide.programmesOf(channel!, NOW);
    for (const [i, { startMs }] of filled.slice(1, -1).entries()) expect(startMs).toBe(filled[i]!.endMs);
    expect(filled).toContainEqual(at(-3));
    expect(filled.at(-1)).toEqual(at(5));
    expect(programmeAt(filled, NOW)?.title).toBe("");
  });
});

test("programmeAt: ends are exclusive, holes are nothing", () => {
  const programmes = [at(0), at(1), at(3)];
  expect(
    [-0.1, 0, 0.99, 1, 2, 2.9, 3.5, 4].map((hours) => programmes.indexOf(programmeAt(programmes, NOW + hours * HOUR)!)),
  ).toEqual([-1, 0, 0, 1, -1, -1, 2, -1]);
});

test("byDay groups by local day", () => {
  const days = byDay([at(0), at(20), at(30), at(31)]);
  expect(days.flatMap(({ programmes }) => programmes)).toHaveLength(4);
  for (const { dayMs, programmes } of days) {
    for (const { startMs } of programmes) expect(new Date(startMs).toDateString()).toBe(new Date(dayMs).toDateString());
  }
});

describe("parseXmltvTime", () => {
  test.each([
    ["20240101120000 +0800", Date.UTC(2024, 0, 1, 4)],
    ["20240101120000 -0330", Date.UTC(2024, 0, 1, 15, 30)],
    ["20240101120000", Date.UTC(2024, 0, 1, 12)],
    ["202401011205", Date.UTC(2024, 0, 1, 12, 5)],
    ["20240101120000Z", Date.UTC(2024, 0, 1, 12)],
    ["2024-01-01", undefined],
    ["", undefined],
  ])("%p", (text, expected) => expect(parseXmltvTime(text)).toBe(expected));
});

describe("XmltvPieces", () => {
  const body = (count: number) =>
    `<channel id="a"><display-name>A</display-name></channel>${`<programme channel="a"><title>x</title></programme>\n`.repeat(count)}`;

  test("gives whole elements, however the text is cut", () => {
    fc.assert(
      fc.property(fc.nat(50), fc.array(fc.integer({ min: 1, max: 5000 }), { maxLength: 40 }), (count, cuts) => {
        const text = `<?xml version="1.0"?><!DOCTYPE tv><tv name="a">${body(count * 100)}</tv>`;
        const pieces = new XmltvPieces();
        const out: string[] = [];
        let at = 0;
        for (const cut of [...cuts, text.length]) {
          const piece = pieces.push(text.slice(at, at + cut));
          if (piece !== undefined) out.push(piece);
          at += cut;
        }
        out.push(pieces.finish() ?? "");
        for (const piece of out) expect(piece).toMatch(/^\s*(<(channel|programme).*<\/(channel|programme)>)?$/s);
        expect(out.join("")).toBe(body(count * 100).trim());
      }),
      { numRuns: 50 },
    );
  });

  test("what is no guide is not kept", () => {
    const pieces = new XmltvPieces();
    for (let i = 0; i < 40; i++) expect(pieces.push("x".repeat(100_000))).toBeUndefined();
    expect(pieces.push(body(1))).toBeUndefined();
    expect(pieces.finish()).toBe(body(1).trim());
  });
});
