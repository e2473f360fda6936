import { expect, test } from "bun:test";
import { HTTP_CHANNEL, MULTICAST_CHANNELS, PROTECTED_CHANNEL, RTSP_CHANNEL } from "../../src/demo/channels.ts";
import { emitGuide, guideId, PAST_HOURS } from "../../src/demo/guide.ts";

const FUTURE_HOURS = 12;

const CHANNELS = [...MULTICAST_CHANNELS, RTSP_CHANNEL, HTTP_CHANNEL, PROTECTED_CHANNEL];
const NOW = Date.UTC(2026, 10, 24, 12, 10);
const HOUR_MS = 3_600_000;
const PROGRAMME =
  /<programme start="(\d{14}) \+0000" stop="(\d{14}) \+0000" channel="([^"]+)"><title>([^<]+)<\/title><desc>([^<]+)<\/desc><\/programme>/g;

function unixMs(digits: string): number {
  const [, year, month, day, hour, minute] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)00$/.exec(digits)!.map(Number);
  return Date.UTC(year!, month! - 1, day, hour, minute);
}

function programmesOf(guide: string, id: string) {
  return [...guide.matchAll(PROGRAMME)]
    .filter(([, , , channel]) => channel === id)
    .map(([, start, stop, , title]) => ({ start: unixMs(start!), stop: unixMs(stop!), title: title! }));
}

const guide = emitGuide(CHANNELS, NOW);

test("names every channel", () => {
  for (const channel of CHANNELS) {
    expect(guide).toContain(`<channel id="${guideId(channel)}"><display-name>${channel.name}</display-name></channel>`);
  }
});

test.each(CHANNELS.map((channel) => [channel.name, guideId(channel)] as const))(
  "has half hours for %s without a gap, past and future",
  (_, id) => {
    const programmes = programmesOf(guide, id);
    expect(programmes[0]!.start).toBeLessThanOrEqual(NOW - PAST_HOURS * HOUR_MS);
    expect(programmes.at(-1)!.stop).toBeGreaterThanOrEqual(NOW + FUTURE_HOURS * HOUR_MS);
    programmes.forEach(({ start, stop }, i) => {
      expect(stop - start).toBe(HOUR_MS / 2);
      expect(start).toBe(programmes[i - 1]?.stop ?? start);
    });
  },
);

test("tells the same of a time whenever it is asked, and of every channel something else", () => {
  const later = emitGuide(CHANNELS, NOW + HOUR_MS);
  const titles = CHANNELS.map((channel) => {
    const at = (text: string) =>
      programmesOf(text, guideId(channel)).find(({ start, stop }) => start <= NOW && NOW < stop);
    expect(at(later)).toEqual(at(guide)!);
    return at(guide)!.title;
  });
  expect(new Set(titles).size).toBe(CHANNELS.length);
});
