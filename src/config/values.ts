/** How the text of an option becomes a value: one `ValueType` for each kind of option. */

import { resolve } from "node:path";
import { cutUtf8, LOG_DEBUG, LOG_FATAL, type LogLevel } from "../system/log.ts";
import { type ReachRule, readReachRule, unreadableRule } from "../wire/ip/reach-rule.ts";
import { type AllowedHost, parseAllowedHost } from "../wire/url/allowed-hosts.ts";
import { formatAuthority, parseAuthority } from "../wire/url/authority.ts";
import { normalisedPath, type PathPrefix, parsePathPrefix } from "../wire/url/path-prefix.ts";
import { type PublicHost, parsePublicHost } from "../wire/url/public-host.ts";
import type { HostAndPort, PortRange } from "./settings.ts";

/** Why a text is no value. The program goes on with the value in force, unless the refusal is fatal. */
export interface ParseError {
  /** The whole line for the log. */
  readonly refused: string;
  readonly fatal: boolean;
}

export type Reading<Value> =
  | {
      readonly value: Value;
      /** The line for the log: the text could not be read whole, and the value is what is safest. */
      readonly refused?: string;
    }
  | ParseError;

export interface ValueType<Value> {
  /** Reads the text of option `name`. `given` is what this one adds to, if the type adds up. Never throws. */
  read(text: string, name: string, given: Value | undefined): Reading<Value>;
  /** The way `read` would read it back. */
  show(value: NonNullable<Value>): string;
}

const INT_MAX = 2 ** 31 - 1;
/** IFNAMSIZ without its terminator. */
const INTERFACE_NAME_MAX_BYTES = 15;
/** What rtp2httpd has room for. */
const PATH_MAX_BYTES = 2046;
const PORT_MAX = 65535;

function refuse(refused: string): ParseError {
  return { refused, fatal: false };
}

/**
 * C's atoi: leading blanks, a sign, digits, and anything that is set apart from them. Stays within 32 bits. What atoi would take for 0, or for
 * its first digits, is no number: `many`, `2h`, `0x10`, `1.5`.
 */
function readNumber(text: string): number | undefined {
  const digits = /^[ \t\n\v\f\r]*([+-]?\d+)(?![\p{L}\d._])/u.exec(text)?.[1];
  if (digits === undefined) return undefined;
  // Adding 0 turns the -0 of "-0" into 0.
  return Math.min(Math.max(Number(digits), -INT_MAX), INT_MAX) + 0;
}

/** A whole number from `min` to `max`; `minText` is how messages write the minimum. */
export function integer(min: number, max?: number, minText = String(min)): ValueType<number> {
  const range = max === undefined ? `>= ${minText}` : `between ${min} and ${max}`;
  return {
    read(text, name) {
      const value = readNumber(text);
      if (value !== undefined && value >= min && value <= (max ?? INT_MAX)) return { value };
      return refuse(`Invalid ${name}! Must be ${range}. Ignoring.`);
    },
    show: String,
  };
}

/** True for 1, on, true and yes; everything else is false, and told unless it says so (config.md section 5.1). */
export const boolean: ValueType<boolean> = {
  read(text, name) {
    if (/^(1|on|true|yes)$/i.test(text)) return { value: true };
    if (/^(0|off|false|no|)$/i.test(text)) return { value: false };
    return { value: false, refused: `Invalid ${name} value: ${text}! Must be on or off. Taken as off.` };
  },
  show: (value) => (value ? "on" : "off"),
};

const LEVEL_NAMES = ["fatal", "error", "warn", "info", "debug"];

/** A level of the log by its number or name; beyond the last one means the last. What cannot be read silences nothing. */
export const logLevel: ValueType<LogLevel> = {
  read(text, name) {
    const named = LEVEL_NAMES.indexOf(
      text
        .trim()
        .toLowerCase()
        .replace(/^warning$/, "warn"),
    );
    const value = named < 0 ? readNumber(text) : named;
    if (value !== undefined && value >= LOG_FATAL) return { value: Math.min(value, LOG_DEBUG) as LogLevel };
    return refuse(`Invalid ${name} value: ${text}! Must be 0 to 4, or ${LEVEL_NAMES.join(", ")}. Ignoring.`);
  },
  show: String,
};

/** The name of a network interface, not checked to exist as interfaces come and go; empty means none. */
export const interfaceName: ValueType<string | undefined> = {
  read: (text) => ({ value: cutUtf8(text, INTERFACE_NAME_MAX_BYTES) || undefined }),
  show: String,
};

/** Any text; empty means none. */
export const optionalText: ValueType<string | undefined> = {
  read: (text) => ({ value: text || undefined }),
  show: String,
};

/** Any text; empty means `fallback`. */
export function textOr(fallback: string): ValueType<string> {
  return { read: (text) => ({ value: text || fallback }), show: String };
}

/** Any text, which may be empty. */
export const anyText: ValueType<string> = { read: (text) => ({ value: text }), show: String };

/** The path of a page: one slash in front and none at the end, `/` for the root (config.md section 5.2). */
export const pagePath: ValueType<string> = {
  read(text, name) {
    if (text === "") return refuse(`${name} cannot be empty, keeping previous value`);
    return pathTooLong(text, name) ?? { value: normalisedPath(text) };
  },
  show: String,
};

/** A path in the same form; without anything but slashes it means none. */
export const pathPrefix: ValueType<PathPrefix | undefined> = {
  read: (text, name) => pathTooLong(text, name) ?? { value: parsePathPrefix(text) },
  show: String,
};

function pathTooLong(text: string, name: string): ParseError | undefined {
  const isTooLong = Buffer.byteLength(text) > PATH_MAX_BYTES;
  return isTooLong ? refuse(`${name} is too long, keeping previous value`) : undefined;
}

/**
 * The name of this relay; empty means none. One that cannot be read is a value: it admits nobody, where none at all would
 * admit everybody (http.md section 4).
 */
export const publicHost: ValueType<PublicHost | undefined> = {
  read(text, name) {
    if (text === "") return { value: undefined };
    const value = parsePublicHost(text);
    if (value.authority) return { value };
    return {
      value,
      refused: `Invalid ${name}! Until it is a host, HOST:PORT or a URL, every request is refused: ${text}`,
    };
  },
  show: ({ text }) => text,
};

/** More would be a mistake, and each is compared with every request for the status page. */
const MAX_HOST_NAMES = 64;

/** Names of this relay, separated by blanks or commas; each use of the option adds its own, an empty text takes all back. */
export const hostNames: ValueType<readonly AllowedHost[]> = {
  read(text, name, given = []) {
    const words = text.split(/[ \t,]+/).filter((word) => word !== "");
    if (words.length === 0) return { value: [] };
    const hosts: AllowedHost[] = [...given];
    for (const word of words) {
      const host = parseAllowedHost(word);
      if (!host) return refuse(`Invalid ${name} value: ${word}: must be HOST, HOST:PORT, .DOMAIN or *. Ignoring all.`);
      hosts.push(host);
    }
    if (hosts.length <= MAX_HOST_NAMES) return { value: hosts };
    return refuse(`Invalid ${name} value: more than ${MAX_HOST_NAMES} names. Ignoring.`);
  },
  show: (hosts) => hosts.map(({ text }) => text).join(" "),
};

/** `N` or `N-M` of ports, blanks allowed around the dash. */
export const portRange: ValueType<PortRange | undefined> = {
  read(text, name) {
    const digits = /^\s*(\d{1,5})(?:\s*-\s*(\d{1,5}))?\s*$/.exec(text);
    const min = Number(digits?.[1]);
    const max = Number(digits?.[2] ?? min);
    if (min >= 1 && max >= min && max <= PORT_MAX) return { value: { min, max } };
    return refuse(`Invalid ${name} value: ${text}`);
  },
  show: ({ min, max }) => (min === max ? `${min}` : `${min}-${max}`),
};

/** `HOST[:PORT]` of a server; empty means none. */
export function serverAddress(defaultPort: number): ValueType<HostAndPort | undefined> {
  return {
    read(text, name) {
      if (text === "") return { value: undefined };
      const { host, port = defaultPort } = parseAuthority(text) ?? {};
      return host === undefined ? refuse(`Invalid ${name} value: ${text}`) : { value: { host, port } };
    },
    show: formatAuthority,
  };
}

/** Of one option. */
const MAX_REACH_RULES = 1000;

/**
 * Rules for upstreams, separated by blanks or commas; each use of the option adds its own, an empty text takes all back. One that
 * cannot be read must not open what was to be closed: it stays as one that closes.
 * @param consequence of such a one, for the log
 */
export function reachRules(consequence: string): ValueType<readonly ReachRule[]> {
  return {
    read(text, name, given = []) {
      const words = text.split(/[\s,]+/).filter((word) => word !== "");
      if (words.length === 0) return { value: [] };
      if (given.length + words.length > MAX_REACH_RULES) {
        const refused = `Invalid ${name}: more than ${MAX_REACH_RULES} rules; until that is corrected, ${consequence}`;
        return { value: [unreadableRule("too many rules")], refused };
      }
      const readings = words.map(readReachRule);
      const rules = readings.map((reading, i) => (typeof reading === "string" ? unreadableRule(words[i]!) : reading));
      const value = [...given, ...rules];
      const wrong = readings.flatMap((reading, i) =>
        typeof reading === "string" ? [`"${words[i]}": ${reading}`] : [],
      );
      if (wrong.length === 0) return { value };
      return { value, refused: `Invalid ${name} ${wrong.join("; ")}. Until that is corrected, ${consequence}` };
    },
    show: (rules) => rules.map(({ text }) => text).join(" "),
  };
}

/**
 * URLs and paths of playlists, separated by blanks; each use of the option adds its own, an empty text takes all back. A blank
 * that neither a scheme nor a path follows belongs to the URL: file names have them.
 */
export const playlistUrls: ValueType<readonly string[]> = {
  read(text, name, given = []) {
    if (text === "") return { value: [] };
    const words = text.split(/[ \t]+(?=(?:file|https?):\/\/|\.{0,2}\/)/i).map((word) => word.trim());
    const urls = words.map(playlistUrl);
    if (urls.every((url) => url !== undefined)) return { value: [...given, ...urls] };
    const advice = words.some((word) => SERVER_LIKE.test(word))
      ? "write http:// before the name of a server, or ./ before a path"
      : "must be a path, or begin with file://, http:// or https://";
    return refuse(`Invalid ${name} value: ${text}: ${advice}`);
  },
  show: (urls) => urls.join(" "),
};

/** `tv.example/list.m3u` and `nas:8080/list.m3u` are rather URLs without their beginning. */
const SERVER_LIKE = /^(?:(?:[a-z0-9-]+\.)+[a-z0-9-]+|[a-z0-9-]+(?=:))(?::\d+)?\/./i;

/** A path becomes a `file://` URL; a relative one is in the working directory, as that of a PID file is. */
function playlistUrl(word: string): string | undefined {
  if (/^https?:\/\/./i.test(word)) return word;
  const path = /^file:(?:\/\/(?:localhost)?(?=\/)|(?=\/[^/]))(\/.*)$/is.exec(word)?.[1];
  if (path !== undefined) return `file://${path}`;
  if (word === "" || SERVER_LIKE.test(word) || /^(?:[a-z][a-z0-9+.-]*:\/|file:)/i.test(word)) return undefined;
  try {
    return `file://${resolve(word)}`;
  } catch {
    // The working directory is gone.
    return undefined;
  }
}
