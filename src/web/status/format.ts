/** Numbers as people read them: decimal units, two decimals, a dash for what is not known (status.md section 1). */

export const UNKNOWN = "–";

export const BANDWIDTH_UNITS = ["bits", "bytes"] as const;
export type BandwidthUnit = (typeof BANDWIDTH_UNITS)[number];

const BYTE_PREFIXES = ["", "K", "M", "G", "T", "P"] as const;
/** The standard's kilo is a small letter. */
const BIT_PREFIXES = ["", "k", "M", "G", "T", "P"] as const;

const SECOND_MS = 1000;

/** `1.23 MB`; whole bytes below 1000. */
export function formatBytes(bytes: number | undefined): string {
  return bytes === undefined ? UNKNOWN : scaled(bytes, BYTE_PREFIXES, "B");
}

/** `8.40 Mbit/s` or `1.05 MB/s`. */
export function formatBandwidth(bytesPerSecond: number | undefined, unit: BandwidthUnit): string {
  return bytesPerSecond === undefined ? UNKNOWN : formatRate(bytesPerSecond * bandwidthFactor(unit), unit);
}

/** What bytes are multiplied with to be counted in `unit`. */
export function bandwidthFactor(unit: BandwidthUnit): 1 | 8 {
  return unit === "bits" ? 8 : 1;
}

/** @param rate in `unit` per second */
export function formatRate(rate: number, unit: BandwidthUnit): string {
  return unit === "bits" ? scaled(rate, BIT_PREFIXES, "bit/s") : scaled(rate, BYTE_PREFIXES, "B/s");
}

/** As short as an axis wants it: `2.5 Mbit/s`, `10 Mbit/s`. */
export function formatTick(rate: number, unit: BandwidthUnit): string {
  return formatRate(rate, unit).replace(/\.00 |(\.\d)0 /, "$1 ");
}

/** `12,345`. */
export function formatCount(count: number | undefined): string {
  return count === undefined ? UNKNOWN : Math.round(count).toLocaleString("en");
}

/** `1d 2h 3m 4s`, from the first part that is not zero on. */
export function formatDuration(ms: number | undefined): string {
  if (ms === undefined) return UNKNOWN;
  const seconds = Math.max(Math.floor(ms / SECOND_MS), 0);
  const parts = [
    [Math.floor(seconds / 86_400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "m"],
    [seconds % 60, "s"],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  return (first < 0 ? parts.slice(-1) : parts.slice(first)).map((part) => part.join("")).join(" ");
}

/** Share of a whole as a whole percentage, 0 to 100; undefined when there is no whole. */
export function percentOf(part: number | undefined, whole: number | undefined): number | undefined {
  if (part === undefined || whole === undefined || whole <= 0) return undefined;
  return Math.min(Math.max(Math.round((part / whole) * 100), 0), 100);
}

export function formatPercent(percent: number | undefined): string {
  return percent === undefined ? UNKNOWN : `${percent} %`;
}

/** `14:05:09`, local time. */
export function formatTime(unixMs: number | undefined): string {
  if (unixMs === undefined) return UNKNOWN;
  const date = new Date(unixMs);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(":");
}

/** `2026-11-24 14:05:09`, local time. */
export function formatDateTime(unixMs: number | undefined): string {
  if (unixMs === undefined) return UNKNOWN;
  const date = new Date(unixMs);
  return `${date.getFullYear()}-${twoDigits(date.getMonth() + 1)}-${twoDigits(date.getDate())} ${formatTime(unixMs)}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}

function scaled(value: number, prefixes: readonly string[], unit: string): string {
  let power = 0;
  // Rounding may reach the next unit: 999.996 KB is 1.00 MB.
  while (Number(value.toFixed(power === 0 ? 0 : 2)) >= 1000 && power < prefixes.length - 1) {
    value /= 1000;
    power++;
  }
  return `${value.toFixed(power === 0 ? 0 : 2)} ${prefixes[power]}${unit}`;
}
