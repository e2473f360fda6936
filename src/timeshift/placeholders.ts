/** Placeholders of URL templates: `${…}` with long format letters and `{…}` with short ones (m3u.md section 12.1). */
import { type Calendar, calendar, MS_PER_SECOND, unixSeconds, wallMs } from "./times.ts";

const MAX_CONTENT_BYTES = 127;

/** How a time without a format is written: seconds since 1970, or `2024-01-01T12:00:00.000Z`. */
export type PlainForm = "unix" | "iso";

/**
 * Words whose zone is that of whoever fills them: `(b)FMT`, `utc:FMT`, `Y`, `start-year`. Players differ, and only a time that
 * they wrote with the same words tells.
 */
export type ClockWords = "marked" | "keyword" | "letters" | "parts";

/** The points in time a template is filled with, in ms since 1970. */
export interface TemplateTimes {
  readonly beginMs: number | undefined;
  readonly endMs: number | undefined;
  readonly nowMs: number;
  /** Of the client, minutes east of UTC: of `(b)FMT`, if nothing else is known. */
  readonly zoneMin: number;
  readonly plain: PlainForm;
  /** Minutes east of UTC, where they are known. */
  readonly clocks?: ReadonlyMap<ClockWords, number>;
  /** For `{catchup-id}`, which stays without it. */
  readonly catchupId?: string | undefined;
}

type Point = "begin" | "end" | "now";

export interface Placeholder {
  /** As it stands in the URL, braces and all. */
  readonly text: string;
  /** Where in the URL it stands. */
  readonly index: number;
  /** The points in time that it is filled with. */
  readonly needs: readonly Point[];
  /** The one point that it writes; undefined for a span between two, and for what is no time. */
  readonly point: Point | undefined;
  /** Undefined for what is the same in every zone. */
  readonly clock: ClockWords | undefined;
  /** Undefined when a time that it needs is missing. */
  readonly fill: (times: TemplateTimes) => string | undefined;
}

type Meaning = Omit<Placeholder, "text" | "index">;
/** @param ms of the wall clock for words that have one */
type Write = (ms: number, times: TemplateTimes) => string;

interface Letters {
  readonly units: ReadonlyMap<string, keyof Calendar>;
  readonly pattern: RegExp;
}

const UNITS: readonly (keyof Calendar)[] = ["year", "month", "day", "hour", "minute", "second"];
const LONG = letters(["yyyy", "MM", "dd", "HH", "mm", "ss"]);
const SHORT = letters(["Y", "m", "d", "H", "M", "S"]);
/** `start-year` and the like. */
const PARTS = letters(["year", "mon", "day", "hour", "min", "sec"]);

const KEYWORDS: ReadonlyMap<string, Point> = new Map([
  ["utc", "begin"],
  ["start", "begin"],
  ["utcend", "end"],
  ["end", "end"],
  ["lutc", "now"],
  ["now", "now"],
  ["timestamp", "now"],
  ["current_utc", "now"],
]);

/** Braces do not nest, so that looking for the closing one costs the same however many are opened. */
const PLACEHOLDER = new RegExp(`(\\$?)\\{([^{}]{1,${MAX_CONTENT_BYTES}})\\}`, "g");
const MARKED = /^\(([be])\)(.*?)([|:][Uu][Tt][Cc])?$/s;
const KEYWORD = /^([a-z_]+)(?::(.*))?$/s;
const PART = /^(start|end)-([a-z]+)$/;
/** A span in seconds, or in units of so many. */
const SPAN = /^(duration|offset)(?::([1-9]\d{0,8}))?$/;

/** Those that mean something, in their order. Whatever else stands in braces is literal text. */
export function findPlaceholders(url: string): Placeholder[] {
  const found: Placeholder[] = [];
  for (const match of url.matchAll(PLACEHOLDER)) {
    const meaning = readContent(match[2]!, match[1] === "$");
    if (meaning) found.push({ text: match[0], index: match.index, ...meaning });
  }
  return found;
}

function readContent(content: string, isLong: boolean): Meaning | undefined {
  const marked = MARKED.exec(content);
  if (marked) {
    const [, mark, format = "", utc] = marked;
    return readMarked(mark === "b" ? "begin" : "end", format, utc !== undefined, isLong);
  }
  const [, span, unit = "1"] = SPAN.exec(content) ?? [];
  if (span) return spanOf(span, Number(unit));
  if (content === "durmin") return spanOf("duration", 60);
  const letters = isLong ? LONG : SHORT;
  if (letters.units.has(content)) return pointIn("begin", writeFormat(content, letters), "letters");
  if (content === "catchup-id") return idOf(isLong ? "\x24{catchup-id}" : "{catchup-id}");
  const [, end, part = ""] = PART.exec(content) ?? [];
  if (PARTS.units.has(part)) return pointIn(end === "end" ? "end" : "begin", writeFormat(part, PARTS), "parts");
  return readKeyword(content, isLong);
}

function readMarked(point: Point, format: string, isUtc: boolean, isLong: boolean): Meaning {
  if (format === "") return pointIn(point, writeIso);
  if (format === "timestamp") return pointIn(point, writeUnix);
  const letters = isLong || format.includes("yyyy") ? LONG : SHORT;
  return pointIn(point, writeFormat(format, letters), isUtc ? undefined : "marked");
}

function readKeyword(content: string, isLong: boolean): Meaning | undefined {
  const [, keyword = "", format = ""] = KEYWORD.exec(content) ?? [];
  const point = KEYWORDS.get(keyword);
  if (!point) return undefined;
  if (format === "") return pointIn(point, keyword === "timestamp" ? writeUnix : writePlain);
  return pointIn(point, writeFormat(format, keywordLetters(format, isLong)), "keyword");
}

function keywordLetters(format: string, isLong: boolean): Letters {
  return hasLongLetters(format, isLong) ? LONG : SHORT;
}

/**
 * Players use short letters behind a `$` too.
 * @param isLong whether there is a `$`
 */
export function hasLongLetters(format: string, isLong: boolean): boolean {
  return isLong ? format.search(LONG.pattern) >= 0 : format.includes("yyyy");
}

function pointIn(point: Point, write: Write, clock?: ClockWords): Meaning {
  const key = `${point}Ms` as const;
  const fill = (times: TemplateTimes) => {
    const ms = times[key];
    if (ms === undefined) return undefined;
    return write(clock === undefined ? ms : wallMs(ms, zoneOf(clock, times)), times);
  };
  return { needs: [point], point, clock, fill };
}

function zoneOf(clock: ClockWords, { clocks, zoneMin }: TemplateTimes): number {
  return clocks?.get(clock) ?? (clock === "marked" ? zoneMin : 0);
}

function writeFormat(format: string, { units, pattern }: Letters): Write {
  return (ms) => {
    const now = calendar(ms);
    return format.replace(pattern, (letters) => now[units.get(letters)!]);
  };
}

function writePlain(ms: number, { plain }: TemplateTimes): string {
  return plain === "unix" ? writeUnix(ms) : writeIso(ms);
}

/** Milliseconds are always zero, as in the players whose templates these are. */
function writeIso(ms: number): string {
  const { year, month, day, hour, minute, second } = calendar(ms);
  return `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
}

function writeUnix(ms: number): string {
  return String(unixSeconds(ms));
}

function spanOf(span: string, unitS: number): Meaning {
  const isDuration = span === "duration";
  const fill = ({ beginMs, endMs, nowMs }: TemplateTimes) => {
    const toMs = isDuration ? endMs : nowMs;
    if (beginMs === undefined || toMs === undefined) return undefined;
    return String(Math.floor((toMs - beginMs) / MS_PER_SECOND / unitS));
  };
  return { needs: ["begin", isDuration ? "end" : "now"], point: undefined, clock: undefined, fill };
}

function idOf(unfilled: string): Meaning {
  return { needs: [], point: undefined, clock: undefined, fill: ({ catchupId }) => catchupId ?? unfilled };
}

function letters(spellings: readonly string[]): Letters {
  const units = new Map(spellings.map((spelling, i) => [spelling, UNITS[i]!] as const));
  return { units, pattern: new RegExp(spellings.join("|"), "g") };
}
