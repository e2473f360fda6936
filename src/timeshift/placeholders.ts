/** Placeholders of URL templates: `${…}` with long format letters and `{…}` with short ones (m3u.md section 12.1). */
import { type Calendar, calendar, MS_PER_SECOND, unixSeconds, wallMs } from "./times.ts";

const MAX_CONTENT_BYTES = 127;

/** The points in time a template is filled with, in ms since 1970. */
export interface TemplateTimes {
  readonly beginMs: number | undefined;
  readonly endMs: number | undefined;
  readonly nowMs: number;
  /** Of the client, minutes east of UTC. */
  readonly zoneMin: number;
}

export type Point = "begin" | "end" | "now";

export interface Placeholder {
  /** As it stands in the URL, braces and all. */
  readonly text: string;
  /** Where in the URL it stands. */
  readonly index: number;
  /** The points in time without which it cannot be filled. */
  readonly needs: readonly Point[];
  /** The one point that it writes; undefined for a span between two. */
  readonly point: Point | undefined;
  /** Undefined when a time that it needs is missing. */
  readonly fill: (times: TemplateTimes) => string | undefined;
}

type Meaning = Omit<Placeholder, "text" | "index">;
type Write = (ms: number, zoneMin: number) => string;

interface Letters {
  readonly units: ReadonlyMap<string, keyof Calendar>;
  readonly pattern: RegExp;
}

const UNITS: readonly (keyof Calendar)[] = ["year", "month", "day", "hour", "minute", "second"];
const LONG = letters(["yyyy", "MM", "dd", "HH", "mm", "ss"]);
const SHORT = letters(["Y", "m", "d", "H", "M", "S"]);

const KEYWORDS: ReadonlyMap<string, Point> = new Map([
  ["utc", "begin"],
  ["start", "begin"],
  ["utcend", "end"],
  ["end", "end"],
  ["lutc", "now"],
  ["now", "now"],
  ["timestamp", "now"],
]);

/** Braces do not nest, so that looking for the closing one costs the same however many are opened. */
const PLACEHOLDER = new RegExp(`(\\$?)\\{([^{}]{1,${MAX_CONTENT_BYTES}})\\}`, "g");
const MARKED = /^\(([be])\)(.*?)(\|UTC)?$/s;
const KEYWORD = /^([a-z]+)(?::(.*))?$/s;

/** Those that mean something, in their order. Whatever else stands in braces is literal text. */
export function findPlaceholders(url: string): Placeholder[] {
  const found: Placeholder[] = [];
  for (const match of url.matchAll(PLACEHOLDER)) {
    const meaning = readContent(match[2]!, match[1] === "$" ? LONG : SHORT);
    if (meaning) found.push({ text: match[0], index: match.index, ...meaning });
  }
  return found;
}

function readContent(content: string, letters: Letters): Meaning | undefined {
  const marked = MARKED.exec(content);
  if (marked) {
    const [, mark, format = "", utc] = marked;
    const write = format === "timestamp" ? writeUnix : writeFormat(format, letters);
    return pointIn(mark === "b" ? "begin" : "end", utc === undefined ? inClientZone(format, write) : write);
  }
  if (content === "duration") return { needs: ["begin", "end"], point: undefined, fill: fillDuration };
  if (content === "offset") return { needs: ["begin"], point: undefined, fill: fillOffset };
  if (letters.units.has(content)) return pointIn("begin", writeFormat(content, letters));
  if (content === "timestamp") return pointIn("now", writeUnix);
  const [, keyword = "", format = ""] = KEYWORD.exec(content) ?? [];
  const point = KEYWORDS.get(keyword);
  return point && pointIn(point, writeFormat(format, letters));
}

function pointIn(point: Point, write: Write): Meaning {
  const key = `${point}Ms` as const;
  const fill = (times: TemplateTimes) => {
    const ms = times[key];
    return ms === undefined ? undefined : write(ms, times.zoneMin);
  };
  return { needs: point === "now" ? [] : [point], point, fill };
}

/** Only a format is written in the client's zone: the ISO form and Unix seconds say UTC by themselves. */
function inClientZone(format: string, write: Write): Write {
  if (format === "" || format === "timestamp") return write;
  return (ms, zoneMin) => write(wallMs(ms, zoneMin), zoneMin);
}

function writeFormat(format: string, { units, pattern }: Letters): Write {
  if (format === "") return writeIso;
  return (ms) => {
    const now = calendar(ms);
    return format.replace(pattern, (letters) => now[units.get(letters)!]);
  };
}

/** Milliseconds are always zero, as in the players whose templates these are. */
function writeIso(ms: number): string {
  const { year, month, day, hour, minute, second } = calendar(ms);
  return `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
}

function writeUnix(ms: number): string {
  return String(unixSeconds(ms));
}

function fillDuration({ beginMs, endMs }: TemplateTimes): string | undefined {
  return beginMs === undefined || endMs === undefined ? undefined : seconds(endMs - beginMs);
}

function fillOffset({ beginMs, nowMs }: TemplateTimes): string | undefined {
  return beginMs === undefined ? undefined : seconds(nowMs - beginMs);
}

function seconds(spanMs: number): string {
  return String(Math.floor(spanMs / MS_PER_SECOND));
}

function letters(spellings: readonly string[]): Letters {
  const units = new Map(spellings.map((spelling, i) => [spelling, UNITS[i]!] as const));
  return { units, pattern: new RegExp(spellings.join("|"), "g") };
}
