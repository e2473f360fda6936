/** The times with which a template is filled, out of what a player has written into a catch-up link (m3u.md section 12.4). */
import { clockWordsOf } from "./carrier.ts";
import type { CarriedWords } from "./control-parameters.ts";
import type { ClockWords, PlainForm, TemplateTimes } from "./placeholders.ts";
import { isUnfilled } from "./seek-parameter.ts";
import type { SeekRequest } from "./seek-request.ts";
import { parseSeekValue, type SeekValue } from "./seek-value.ts";
import { instantMs, MS_PER_SECOND, type TimeValue } from "./times.ts";
import { isZone } from "./zones.ts";

const MS_PER_MINUTE = 60_000;

/** Of the client. */
interface Viewer {
  readonly nowMs: number;
  /** Minutes east of UTC. */
  readonly zoneMin: number;
}

interface Instants {
  readonly begin: TimeValue;
  readonly end: TimeValue | undefined;
  /** Of times that do not say theirs, minutes east of UTC. */
  readonly zoneMin: number;
  readonly plain: PlainForm;
}

/** Undefined when the link was asked for with something that is no time. */
export function carriedTimes(request: SeekRequest, viewer: Viewer): TemplateTimes | undefined {
  const { seek, carried, offset, url } = request;
  const words = clockWordsOf(url);
  const instants = plainInstants(request, viewer) ?? clockInstants(request, words, viewer);
  if (!instants && seek && !isUnfilled(seek.value.text)) return undefined;
  const at = (time: TimeValue | undefined) => time && instantMs(time, instants?.zoneMin ?? 0);
  const beginMs = at(instants?.begin);
  const endMs = at(instants?.end);
  return {
    zoneMin: viewer.zoneMin,
    nowMs: nowOf(carried, viewer),
    beginMs: beginMs === undefined ? undefined : beginMs + offset.beginS * MS_PER_SECOND,
    endMs: endMs === undefined ? undefined : endMs + offset.endS * MS_PER_SECOND,
    plain: instants?.plain ?? "unix",
    clocks: beginMs === undefined ? new Map() : clockZones(request, words, beginMs),
    catchupId: carried.catchupId,
  };
}

/** Only seconds since 1970 say for sure when it is. */
function nowOf({ now }: CarriedWords, { nowMs }: Viewer): number {
  return now?.begin?.layout === "unix" ? now.begin.wallMs : nowMs;
}

function plainInstants({ seek, carried }: SeekRequest, { zoneMin }: Viewer): Instants | undefined {
  const { begin, end } = carried.span ?? (seek ? withoutUnfilledEnd(seek.value) : {});
  // What came as a date goes out as one.
  return begin && { begin, end, zoneMin, plain: begin.layout === "unix" ? "unix" : "iso" };
}

/** Some players know no word for the end. */
function withoutUnfilledEnd(value: SeekValue): SeekValue {
  const [filled = ""] = value.text.split(/-(?=\$?\{)/, 1);
  return value.begin || filled === value.text ? value : parseSeekValue(filled);
}

/** Of a player that knows other words only. */
function clockInstants(
  { carried }: SeekRequest,
  words: readonly ClockWords[],
  { zoneMin }: Viewer,
): Instants | undefined {
  const index = carried.clocks.findIndex((value) => value?.begin !== undefined);
  const { begin, end } = carried.clocks[index] ?? {};
  return begin && { begin, end, zoneMin: words[index] === "marked" ? zoneMin : 0, plain: "unix" };
}

/** How far the player's dates are from the instant that they mean. */
function clockZones(
  { carried }: SeekRequest,
  words: readonly ClockWords[],
  beginMs: number,
): ReadonlyMap<ClockWords, number> {
  const zones = new Map<ClockWords, number>();
  const wholeSecondMs = Math.floor(beginMs / MS_PER_SECOND) * MS_PER_SECOND;
  for (const [index, value] of carried.clocks.entries()) {
    const word = words[index];
    if (!word || value?.begin?.layout !== "compact") continue;
    const zoneMin = (value.begin.wallMs - wholeSecondMs) / MS_PER_MINUTE;
    if (isZone(zoneMin)) zones.set(word, zoneMin);
  }
  return zones;
}
