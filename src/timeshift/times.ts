/** Points in time in the formats that seek parameters use (m3u.md section 11.1). */

export const MS_PER_SECOND = 1000;
const MS_PER_MINUTE = 60_000;
const MIN_YEAR = 1900;
const MAX_ZONE_HOURS = 14;

/** The longest format is `yyyy-MM-ddTHH:mm:ss.fff+HH:MM`. */
export const MAX_TIME_BYTES = 29;

/** `unix` 1704110400 · `compact` 20240101120000 · `basic` 20240101T120000 · `extended` 2024-01-01T12:00:00 */
export type TimeLayout = "unix" | "compact" | "basic" | "extended";

export interface TimeValue {
  readonly layout: TimeLayout;
  /** What the digits say, read as if they were UTC: ms since 1970. */
  readonly wallMs: number;
  /** Minutes east of UTC; undefined when the text leaves the zone to whoever wrote it. */
  readonly zoneMin: number | undefined;
  /** How the text names its zone: `GMT`, `Z`, `+08:00`, or empty. */
  readonly suffix: string;
  /** Whether milliseconds are written; always three digits. */
  readonly hasFraction: boolean;
}

/** Decimal digits of a point in time: `year` four, the others two. */
export interface Calendar {
  readonly year: string;
  readonly month: string;
  readonly day: string;
  readonly hour: string;
  readonly minute: string;
  readonly second: string;
}

const UNIX = /^\d{1,10}$/;
const DATED: readonly { readonly layout: TimeLayout; readonly pattern: RegExp }[] = [
  { layout: "compact", pattern: /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?<suffix>GMT)?$/ },
  { layout: "basic", pattern: /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(?<suffix>Z|[+-]\d\d:\d\d)?$/ },
  {
    layout: "extended",
    pattern: /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(?<fraction>\d{1,3}))?(?<suffix>Z|[+-]\d\d:?\d\d)?$/,
  },
];

/** Undefined when the text is no time. A day or second that the month or minute lacks rolls over, as in February 31. */
export function parseTime(text: string): TimeValue | undefined {
  if (text.length > MAX_TIME_BYTES) return undefined;
  if (UNIX.test(text)) {
    return { layout: "unix", wallMs: Number(text) * MS_PER_SECOND, zoneMin: 0, suffix: "", hasFraction: false };
  }
  for (const { layout, pattern } of DATED) {
    const match = pattern.exec(text);
    if (match) return datedTime(layout, match);
  }
  return undefined;
}

function datedTime(layout: TimeLayout, match: RegExpExecArray): TimeValue | undefined {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  if (year < MIN_YEAR || month < 1 || month > 12 || day < 1 || day > 31) return undefined;
  if (hour > 23 || minute > 59 || second > 60) return undefined;
  const zone = ownZone(match.groups?.["suffix"]);
  if (!zone) return undefined;
  const fraction = match.groups?.["fraction"];
  const ms = Number((fraction ?? "").padEnd(3, "0"));
  const wallMs = Date.UTC(year, month - 1, day, hour, minute, second, ms);
  return { layout, wallMs, ...zone, hasFraction: fraction !== undefined };
}

function ownZone(suffix = ""): Pick<TimeValue, "zoneMin" | "suffix"> | undefined {
  if (suffix === "") return { zoneMin: undefined, suffix };
  if (suffix === "GMT" || suffix === "Z") return { zoneMin: 0, suffix };
  const hours = suffix.slice(1, 3);
  const minutes = suffix.slice(-2);
  if (Number(hours) > MAX_ZONE_HOURS || Number(minutes) > 59) return undefined;
  const distance = Number(hours) * 60 + Number(minutes);
  return { zoneMin: suffix[0] === "-" ? 0 - distance : distance, suffix: `${suffix[0]}${hours}:${minutes}` };
}

/**
 * Ms since 1970.
 * @param zoneMin minutes east of UTC, for a time without a zone of its own
 */
export function instantMs(time: TimeValue, zoneMin: number): number {
  return time.wallMs - (time.zoneMin ?? zoneMin) * MS_PER_MINUTE;
}

/** The same instant on the wall clock of a zone, read as if it were UTC: ms since 1970. */
export function wallMs(instant: number, zoneMin: number): number {
  return instant + zoneMin * MS_PER_MINUTE;
}

/**
 * What goes upstream for a client's time: moved, in the layout and zone it has (m3u.md section 11.4). A time without a zone
 * turns from the client's to UTC.
 */
export function normalisedTime(time: TimeValue, zoneMin: number, offsetS: number): string {
  const inOwnZone = time.zoneMin === undefined ? instantMs(time, zoneMin) : time.wallMs;
  return formatTime({ ...time, wallMs: inOwnZone + offsetS * MS_PER_SECOND });
}

/** The text that `parseTime` reads as this value. */
export function formatTime({ layout, wallMs, suffix, hasFraction }: TimeValue): string {
  if (layout === "unix") return String(unixSeconds(wallMs));
  const { year, month, day, hour, minute, second } = calendar(wallMs);
  switch (layout) {
    case "compact":
      return `${year}${month}${day}${hour}${minute}${second}${suffix}`;
    case "basic":
      return `${year}${month}${day}T${hour}${minute}${second}${suffix}`;
    case "extended": {
      const fraction = hasFraction ? `.${digits(new Date(wallMs).getUTCMilliseconds(), 3)}` : "";
      return `${year}-${month}-${day}T${hour}:${minute}:${second}${fraction}${suffix}`;
    }
  }
}

/** The UTC date and time of an instant in ms since 1970. */
export function calendar(ms: number): Calendar {
  const date = new Date(ms);
  return {
    year: digits(date.getUTCFullYear(), 4),
    month: digits(date.getUTCMonth() + 1, 2),
    day: digits(date.getUTCDate(), 2),
    hour: digits(date.getUTCHours(), 2),
    minute: digits(date.getUTCMinutes(), 2),
    second: digits(date.getUTCSeconds(), 2),
  };
}

export function unixSeconds(ms: number): number {
  return Math.floor(ms / MS_PER_SECOND);
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, "0");
}
