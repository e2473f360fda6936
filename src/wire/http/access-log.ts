/** The access log: its format and its lines (config.md section 14). */
import { asByteString, type ByteString, type UnicodeText, utf8Encode } from "../text/byte-string.ts";

export const DEFAULT_ACCESS_LOG_FORMAT = '$client_addr [$time_iso8601] "$service_url" $service_type "$upstream_url"';

/** Longest line, newline included. */
const ACCESS_LOG_LINE_MAX_BYTES = 8192;

/** One request. Characters of all texts are bytes; an empty one is shown as `-`. */
export interface AccessLogEntry {
  /** Unix time in milliseconds. */
  readonly time: number;
  /** Minutes that local time is ahead of UTC: 480 for China, negative in America. */
  readonly zoneOffset: number;
  /** `ip:port`, `[v6]:port`, `localhost`, or what a trusted proxy has said. */
  readonly clientAddress: string;
  readonly workerPid: number;
  readonly method: string;
  /** At most 255 bytes, without the token. */
  readonly serviceUrl: ByteString;
  readonly host: string;
  /** Without the token. */
  readonly userAgent: string;
  /** First element of X-Forwarded-For. */
  readonly forwardedFor: string;
  readonly serviceType: string;
  readonly upstreamUrl: ByteString;
}

type Variable = (entry: AccessLogEntry) => string;

/** A format that has been read: literal byte strings and variables. */
export type AccessLogFormat = readonly (string | Variable)[];

const VARIABLES: ReadonlyMap<string, Variable> = new Map<string, Variable>([
  ["time_iso8601", ({ time, zoneOffset }) => isoTime(time, zoneOffset)],
  ["time_local", ({ time, zoneOffset }) => commonLogTime(time, zoneOffset)],
  ["msec", ({ time }) => `${Math.floor(time / 1000)}.${pad(Math.floor(time) % 1000, 3)}`],
  ["client_addr", (entry) => entry.clientAddress],
  ["remote_addr", (entry) => splitClientAddress(entry.clientAddress).address],
  ["remote_port", (entry) => splitClientAddress(entry.clientAddress).port],
  ["worker_pid", (entry) => String(entry.workerPid)],
  ["request", (entry) => `${entry.method} ${entry.serviceUrl}`],
  ["request_method", (entry) => entry.method],
  ["service_url", (entry) => entry.serviceUrl],
  ["host", (entry) => entry.host],
  ["http_user_agent", (entry) => entry.userAgent],
  ["http_x_forwarded_for", (entry) => entry.forwardedFor],
  ["service_type", (entry) => entry.serviceType],
  ["upstream_url", (entry) => entry.upstreamUrl],
]);

/** Reads a format, which cannot be wrong: what is no known variable is literal text. */
export function parseAccessLogFormat(text: UnicodeText): AccessLogFormat {
  const pieces: (string | Variable)[] = [];
  for (const [piece, name] of utf8Encode(text).matchAll(/\$\$|\$([A-Za-z_][A-Za-z0-9_]*)|[^$]+|\$/g)) {
    const variable = name === undefined ? undefined : VARIABLES.get(name);
    pieces.push(variable ?? (piece === "$$" ? "$" : piece));
  }
  return pieces;
}

/** The line with its newline, at most ACCESS_LOG_LINE_MAX_BYTES. */
export function accessLogLine(format: AccessLogFormat, entry: AccessLogEntry): ByteString {
  let line = "";
  for (const piece of format) line += typeof piece === "string" ? piece : escapeValue(piece(entry));
  return asByteString(`${cutBytes(line, ACCESS_LOG_LINE_MAX_BYTES - 1)}\n`);
}

const ESCAPES: Readonly<Record<string, string>> = { "\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escapeValue(value: string): string {
  if (value === "") return "-";
  return value.replace(/["\\]|[^ -~\u0080-\uffff]/g, (byte) => ESCAPES[byte] ?? `\\x${hex(byte)}`);
}

function hex(byte: string): string {
  return byte.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0");
}

/** The longest beginning of at most `max` bytes that does not end inside a UTF-8 character. */
function cutBytes(bytes: string, max: number): string {
  if (bytes.length <= max) return bytes;
  let end = max;
  while (end > 0 && isContinuation(bytes.charCodeAt(end))) end--;
  // Bytes that are no UTF-8 may all look like the middle of a character.
  return bytes.slice(0, max - end < UTF8_MAX_BYTES ? end : max);
}

const UTF8_MAX_BYTES = 4;

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80;
}

/** A value with no colon, or with several and no brackets, is all address. */
function splitClientAddress(client: string): { readonly address: string; readonly port: string } {
  const [, bracketed, plain, port = ""] = /^(?:\[([^\]]*)\]|([^:[]*))(?::([^:]*))?$/.exec(client) ?? [];
  return { address: bracketed ?? plain ?? client, port };
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `2026-06-25T20:10:12+08:00` */
function isoTime(time: number, zoneOffset: number): string {
  const { year, month, day, clock, zone } = localTime(time, zoneOffset);
  return `${year}-${pad(month, 2)}-${day}T${clock}${zone.sign}${zone.hours}:${zone.minutes}`;
}

/** `25/Jun/2026:20:10:12 +0800` */
function commonLogTime(time: number, zoneOffset: number): string {
  const { year, month, day, clock, zone } = localTime(time, zoneOffset);
  return `${day}/${MONTHS[month - 1]}/${year}:${clock} ${zone.sign}${zone.hours}${zone.minutes}`;
}

function localTime(time: number, zoneOffset: number) {
  const shifted = new Date(time + zoneOffset * 60_000);
  const ahead = Math.abs(zoneOffset);
  return {
    year: pad(shifted.getUTCFullYear(), 4),
    month: shifted.getUTCMonth() + 1,
    day: pad(shifted.getUTCDate(), 2),
    clock: [shifted.getUTCHours(), shifted.getUTCMinutes(), shifted.getUTCSeconds()].map((n) => pad(n, 2)).join(":"),
    zone: { sign: zoneOffset < 0 ? "-" : "+", hours: pad(Math.floor(ahead / 60), 2), minutes: pad(ahead % 60, 2) },
  };
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, "0");
}
