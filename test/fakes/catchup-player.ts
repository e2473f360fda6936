// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of URLs
/**
 * Players that ask for what was on air, by the rules that their makers have written down: Kodi's IPTV Simple (README, "Catchup
 * format specifiers"), OTT Navigator (FAQ, "#EXTM3U"), APTV (its manual, "回看参数"), and the web page of rtp2httpd (its guide,
 * "Time placeholders"). TiviMate has none in writing: what list makers say of it. Nothing here comes from the program's own code.
 */

export interface Programme {
  /** Unix seconds. */
  readonly begin: number;
  readonly end: number;
  readonly now: number;
  /** Of the player's device. */
  readonly zoneMin: number;
  /** Of the programme, in the guide. */
  readonly id?: string;
}

export interface CatchupPlayer {
  readonly name: string;
  /** Words that are not known stay. */
  readonly fill: (template: string, programme: Programme) => string;
}

/** An entry of a list. */
export interface CatchupEntry {
  readonly url: string;
  /** Attributes of `#EXTINF`. */
  readonly attributes: string;
}

const two = (value: number) => String(value).padStart(2, "0");

function fields(seconds: number, zoneMin: number) {
  const date = new Date((seconds + zoneMin * 60) * 1000);
  return {
    year: String(date.getUTCFullYear()),
    month: two(date.getUTCMonth() + 1),
    day: two(date.getUTCDate()),
    hour: two(date.getUTCHours()),
    minute: two(date.getUTCMinutes()),
    second: two(date.getUTCSeconds()),
  };
}

function shortDate(format: string, seconds: number, zoneMin: number): string {
  const { year: Y, month: m, day: d, hour: H, minute: M, second: S } = fields(seconds, zoneMin);
  const letters: Record<string, string> = { Y, m, d, H, M, S };
  return format.replace(/[YmdHMS]/g, (letter) => letters[letter]!);
}

function longDate(format: string, seconds: number, zoneMin: number): string {
  const { year: yyyy, month: MM, day: dd, hour: HH, minute: mm, second: ss } = fields(seconds, zoneMin);
  const letters: Record<string, string> = { yyyy, MM, dd, HH, mm, ss };
  return format.replace(/yyyy|MM|dd|HH|mm|ss/g, (letter) => letters[letter]!);
}

const replaceWords = (template: string, wordValue: (word: string) => string | undefined) =>
  template.replace(/\$?\{[^{}]*\}/g, (word) => wordValue(word) ?? word);

export const kodi: CatchupPlayer = {
  name: "Kodi",
  fill: (template, { begin, end, now, zoneMin, id }) => {
    const instants: Record<string, number> = {
      "{utc": begin,
      "${start": begin,
      "{utcend": end,
      "${end": end,
      "{lutc": now,
      "${now": now,
      "${timestamp": now,
    };
    return replaceWords(template, (word) => {
      const [, head = "", format] = /^([^:}]+)(?::([^}]*))?\}$/.exec(word) ?? [];
      const instant = instants[head];
      if (instant !== undefined) return format === undefined ? String(instant) : shortDate(format, instant, zoneMin);
      if (/^\{[YmdHMS]\}$/.test(word)) return shortDate(word[1]!, begin, zoneMin);
      if (head === "{duration") return String(Math.floor((end - begin) / Number(format ?? 1)));
      if (head === "{offset" && format) return String(Math.floor((now - begin) / Number(format)));
      return word === "{catchup-id}" ? id : undefined;
    });
  },
};

const PART_FIELDS = {
  year: "year",
  mon: "month",
  day: "day",
  hour: "hour",
  min: "minute",
  sec: "second",
} as const;

export const ottNavigator: CatchupPlayer = {
  name: "OTT Navigator",
  fill: (template, { begin, end, now, zoneMin }) => {
    const words: Record<string, number> = {
      "${start}": begin,
      "{utc}": begin,
      "${timestamp}": now,
      "{current_utc}": now,
      "${end}": end,
      "{utcend}": end,
      "${duration}": end - begin,
      "${durmin}": Math.floor((end - begin) / 60),
      "${offset}": now - begin,
    };
    return replaceWords(template, (word) => {
      const [, edge, part] = /^\$\{(start|end)-(year|mon|day|hour|min|sec)\}$/.exec(word) ?? [];
      if (part) return fields(edge === "start" ? begin : end, zoneMin)[PART_FIELDS[part as keyof typeof PART_FIELDS]];
      return words[word]?.toString();
    });
  },
};

export const tivimate: CatchupPlayer = {
  name: "TiviMate",
  fill: (template, { begin, end, now, zoneMin }) => {
    const words: Record<string, number> = { duration: end - begin, offset: now - begin };
    for (const word of ["utc", "start"]) words[word] = begin;
    for (const word of ["utcend", "end"]) words[word] = end;
    for (const word of ["lutc", "now", "timestamp"]) words[word] = now;
    return replaceWords(template, (word) =>
      /^\{[YmdHMS]\}$/.test(word) ? shortDate(word[1]!, begin, zoneMin) : words[word.replace(/[${}]/g, "")]?.toString(),
    );
  },
};

export const aptv: CatchupPlayer = {
  name: "APTV",
  fill: (template, { begin, end, zoneMin }) =>
    replaceWords(template, (word) => {
      const [, mark, format = "", utc] = /^\$\{\(([be])\)([^:}]*)(:utc)?\}$/.exec(word) ?? [];
      const instant = mark === "b" ? begin : end;
      if (mark) return format === "timestamp" ? String(instant) : longDate(format, instant, utc ? 0 : zoneMin);
      const [, keyword, short = ""] = /^\{(utc|utcend):([^}]*)\}$/.exec(word) ?? [];
      return keyword && shortDate(short, keyword === "utc" ? begin : end, 0);
    }),
};

const iso = (seconds: number) => new Date(seconds * 1000).toISOString();

export const rtp2httpdPage: CatchupPlayer = {
  name: "rtp2httpd's page",
  fill: (template, { begin, end, now, zoneMin }) => {
    const instants: Record<string, number> = {
      utc: begin,
      start: begin,
      utcend: end,
      end,
      lutc: now,
      now,
      timestamp: now,
    };
    return replaceWords(template, (word) => {
      const date = word.startsWith("$") ? longDate : shortDate;
      const content = word.replace(/^\$?\{|\}$/g, "");
      const [, mark, format = "", utc] = /^\(([be])\)(.*?)(\|UTC)?$/.exec(content) ?? [];
      const instant = mark === "b" ? begin : end;
      if (mark && format === "timestamp") return String(instant);
      if (mark) return format === "" ? iso(instant) : date(format, instant, utc ? 0 : zoneMin);
      if (content === "timestamp") return String(now);
      if (content === "duration") return String(end - begin);
      const [, keyword = "", keywordFormat = ""] = /^([a-z]+)(?::(.*))?$/.exec(content) ?? [];
      const at = instants[keyword];
      if (at !== undefined) return keywordFormat === "" ? iso(at) : date(keywordFormat, at, 0);
      const isLetters = (word.startsWith("$") ? /^(?:yyyy|MM|dd|HH|mm|ss)$/ : /^[YmdHMS]$/).test(content);
      return isLetters ? date(content, begin, 0) : undefined;
    });
  },
};

/** What every player makes of a mode: the URL for a programme; undefined without an archive. */
export function catchupUrl(
  player: CatchupPlayer,
  { url, attributes }: CatchupEntry,
  programme: Programme,
): string | undefined {
  const template = catchupTemplate(url, attributes);
  return template === undefined ? undefined : player.fill(template, programme);
}

function catchupTemplate(url: string, attributes: string): string | undefined {
  const attribute = (name: string) => new RegExp(`(?:^| )${name}="([^"]*)"`, "i").exec(attributes)?.[1] ?? "";
  const source = attribute("catchup-source");
  const older = attribute("timeshift") || attribute("tvg-rec");
  const mode = (attribute("catchup") || attribute("catchup-type") || (older ? "shift" : "")).toLowerCase();
  const withQuery = (query: string) => `${url}${url.includes("?") ? "&" : "?"}${query}`;
  switch (mode) {
    case "":
      return undefined;
    case "append":
      return source === "" ? undefined : url + source;
    case "shift":
      return withQuery("utc={utc}&lutc={lutc}");
    case "archive":
      return withQuery("archive=${start}&archive_end=${end}");
    case "xc":
    case "fs":
    case "flussonic":
    case "flussonic-hls":
    case "flussonic-ts":
      return madeUrl(url, mode);
    default:
      return source || undefined;
  }
}

/** The examples of Kodi's client, by hand. */
function madeUrl(url: string, mode: string): string | undefined {
  const made: Record<string, string> = {
    "/151/mpegts?token=t": "/151/timeshift_abs-${start}.ts?token=t",
    "/152/index.m3u8?token=t": "/152/timeshift_rel-{offset:1}.m3u8?token=t",
    "/153/mono.m3u8?token=t": "/153/mono-timeshift_rel-{offset:1}.m3u8?token=t",
    "/154/video.m3u8": "/154/video-timeshift_rel-{offset:1}.m3u8",
    "/155/live?token=t": `/155/${mode === "flussonic-ts" || mode === "fs" ? "timeshift_abs-${start}.ts" : "timeshift_rel-{offset:1}.m3u8"}?token=t`,
    "/me@x.xc/secret/1477": "/timeshift/me@x.xc/secret/{duration:60}/{Y}-{m}-{d}:{H}-{M}/1477.ts",
    "/live/me@x.xc/secret/1477.m3u8": "/timeshift/me@x.xc/secret/{duration:60}/{Y}-{m}-{d}:{H}-{M}/1477.m3u8",
    "/live/me/secret/1477.ts": "/timeshift/me/secret/{duration:60}/{Y}-{m}-{d}:{H}-{M}/1477.ts",
  };
  const [, origin = "", rest = ""] = /^(https?:\/\/[^/]+)(.*)$/.exec(url) ?? [];
  return rest in made ? origin + made[rest]! : undefined;
}
