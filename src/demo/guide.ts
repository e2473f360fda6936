/** The programme guide of the demo: a day that is over, half a day to come, in half hours, as XMLTV. */

import { calendar } from "../timeshift/times.ts";
import { escapeHtml } from "../wire/http/html.ts";
import type { DemoChannel } from "./channels.ts";

const HOUR_MS = 3_600_000;
const PROGRAMME_MS = HOUR_MS / 2;
export const PAST_HOURS = 24;
const FUTURE_HOURS = 12;

interface Programme {
  readonly title: string;
  readonly description: string;
}

const PROGRAMMES: readonly Programme[] = [
  { title: "First Light", description: "A slow sunrise over the harbour, from the first gull to the first ferry." },
  { title: "The Tide Tables", description: "What the sea will do today, and why it will not be told otherwise." },
  { title: "Bread at Dawn", description: "A baker, an oven, and the patience between them." },
  { title: "Letters from the Lighthouse", description: "The keeper reads what the storm brought in." },
  { title: "Small Bridges", description: "Crossing streams that no map has names for." },
  { title: "A Garden in Ten Pots", description: "Herbs, tomatoes and one stubborn lemon tree." },
  { title: "The Night Train", description: "Through six stations and one thunderstorm, seen from the dining car." },
  { title: "Clockmakers", description: "How to make a minute last exactly that long." },
  { title: "Field Recordings", description: "Wind, reeds, a distant tractor. Best heard with closed eyes." },
  { title: "Mountain Post", description: "The parcel weighs four kilos, the path has nine hundred steps." },
  { title: "Colours of Rain", description: "Painters on what they do when the weather stays." },
  { title: "Soup of the Day", description: "Three cooks, one pot, and an argument about leeks." },
  { title: "The Quiet Observatory", description: "Tonight: the rings, the moons, and a cloud that will not move." },
  { title: "Old Songs, New Strings", description: "A quartet repairs what the attic has kept." },
  { title: "River Stories", description: "From the spring to the lock, in no hurry." },
  { title: "Late Lamps", description: "Conversations in windows that are still lit." },
];
/** So far apart that channels seldom show the same, and without a common factor with the number of programmes. */
const CHANNEL_STRIDE = 3;
const SLOT_STRIDE = 5;

/** What the guide calls a channel; the playlist's `tvg-id`. */
export function guideId({ number }: DemoChannel): string {
  return `demo.${number}`;
}

/** What a channel shows in the half hour that begins at `startMs`, Unix time. */
function programmeAt({ number }: DemoChannel, startMs: number): Programme {
  const slot = Math.floor(startMs / PROGRAMME_MS);
  return PROGRAMMES[(slot * SLOT_STRIDE + number * CHANNEL_STRIDE) % PROGRAMMES.length]!;
}

/** @param nowMs Unix time */
export function emitGuide(channels: readonly DemoChannel[], nowMs: number): string {
  const first = Math.floor((nowMs - PAST_HOURS * HOUR_MS) / PROGRAMME_MS) * PROGRAMME_MS;
  const count = ((PAST_HOURS + FUTURE_HOURS) * HOUR_MS) / PROGRAMME_MS + 1;
  const starts = Array.from({ length: count }, (_, i) => first + i * PROGRAMME_MS);
  const names = channels.map(
    (channel) =>
      `  <channel id="${guideId(channel)}"><display-name>${escapeHtml(channel.name)}</display-name></channel>\n`,
  );
  const programmes = channels.flatMap((channel) => starts.map((startMs) => emitProgramme(channel, startMs)));
  return `<?xml version="1.0" encoding="UTF-8"?>\n<tv>\n${names.join("")}${programmes.join("")}</tv>\n`;
}

function emitProgramme(channel: DemoChannel, startMs: number): string {
  const { title, description } = programmeAt(channel, startMs);
  const times = `start="${xmltvTime(startMs)}" stop="${xmltvTime(startMs + PROGRAMME_MS)}"`;
  return (
    `  <programme ${times} channel="${guideId(channel)}">` +
    `<title>${escapeHtml(title)}</title><desc>${escapeHtml(description)}</desc></programme>\n`
  );
}

function xmltvTime(ms: number): string {
  const { year, month, day, hour, minute, second } = calendar(ms);
  return `${year}${month}${day}${hour}${minute}${second} +0000`;
}
