/** The channels of the playlist: parsed, brought together by name, numbered (status.md section 9). */

import { hasUnknownWords } from "../../timeshift/template.ts";
import { findAttribute, readAttributeLine } from "../../wire/m3u/attributes.ts";
import { splitLabel } from "../../wire/m3u/label.ts";
import { type M3uEntry, parseM3u } from "../../wire/m3u/parser.ts";
import { asByteString } from "../../wire/text/byte-string.ts";

const MS_PER_DAY = 86_400_000;
/** Where the playlist does not say it. */
const DEFAULT_ARCHIVE_DAYS = 3;
/** More days would make a guide that no page can show. */
const MAX_ARCHIVE_DAYS = 31;

interface CatchupTemplate {
  /** `append`: the template continues the channel's URL; anything else: it is a URL of its own. */
  readonly mode: string;
  readonly template: string;
  /** How far back it reaches, if the playlist says so. */
  readonly days: number | undefined;
}

export interface Source {
  /** Empty when the playlist gives it none. */
  readonly label: string;
  /** On the page's own server: begins with `/`. */
  readonly url: string;
  readonly catchup: CatchupTemplate | undefined;
}

export interface Channel {
  /** From 1, in the order of the playlist. */
  readonly number: number;
  readonly name: string;
  readonly groups: readonly string[];
  /** Empty without one. */
  readonly logo: string;
  readonly tvgId: string;
  readonly tvgName: string;
  /** At least one. */
  readonly sources: readonly Source[];
}

export interface Playlist {
  readonly channels: readonly Channel[];
  /** In the order of their first channels. */
  readonly groups: readonly string[];
  /** Undefined when the playlist names none. */
  readonly guideUrl: string | undefined;
}

interface GrowingChannel extends Channel {
  number: number;
  readonly sources: Source[];
}

/** Entries whose URL a page cannot ask for are left out. */
export function readPlaylist(text: string): Playlist {
  // All that the parser knows is ASCII: it does not mind that the browser has made Unicode text of the bytes.
  const { entries, guideUrls } = parseM3u(asByteString(text));
  const channels = new Map<string, GrowingChannel>();
  for (const entry of entries) {
    const source = readSource(entry);
    if (!source) continue;
    const groups = readGroups(entry);
    const key = JSON.stringify([groups, entry.name]);
    const known = channels.get(key);
    if (known) known.sources.push(source);
    else channels.set(key, newChannel(entry, groups, source));
  }
  number([...channels.values()]);
  const guideUrl = guideUrls[0];
  return {
    channels: [...channels.values()],
    groups: [...new Set([...channels.values()].flatMap((channel) => channel.groups))],
    // The server packs and unpacks the guide as the browser likes it.
    guideUrl: guideUrl === undefined ? undefined : ownUrl(guideUrl).replace(/\.gz(?=$|\?)/, ""),
  };
}

/** Without scheme and host: a page behind a reverse proxy reaches only its own origin. Undefined when it is no HTTP URL. */
function httpPath(url: string): string | undefined {
  return /^(?:\/|https?:\/\/)/i.test(url) ? ownUrl(url) : undefined;
}

function ownUrl(url: string): string {
  const path = url.replace(/^(?:https?:)?\/\/[^/?#]*/i, "");
  // Two slashes, or what browsers take for some, would name another host.
  return `/${path.replace(/^[/\\]+/, "")}`;
}

function newChannel(entry: M3uEntry, groups: readonly string[], source: Source): GrowingChannel {
  const attribute = (name: string) => findAttribute(entry.extinf, name)?.value ?? "";
  return {
    number: Number(/^\d{1,6}$/.exec(attribute("tvg-chno") || attribute("channel-number"))?.[0] ?? 0),
    name: entry.name,
    groups,
    logo: attribute("tvg-logo"),
    tvgId: attribute("tvg-id"),
    tvgName: attribute("tvg-name"),
    sources: [source],
  };
}

/** Each has a number of its own: the playlist's where it gives one that is free, else the next free one. */
function number(channels: readonly GrowingChannel[]): void {
  const taken = new Set([0]);
  const unnumbered = channels.filter((channel) => taken.size === taken.add(channel.number).size);
  let next = 1;
  for (const channel of unnumbered) {
    while (taken.has(next)) next++;
    channel.number = next++;
  }
}

function readSource(entry: M3uEntry): Source | undefined {
  const { url, label } = splitLabel(entry.url);
  const path = httpPath(url);
  if (path === undefined) return undefined;
  const { mode, source } = entry.catchup;
  const template = mode === "append" ? source : ownTemplate(source);
  const days = /^\d{1,4}$/.exec(findAttribute(entry.extinf, "catchup-days")?.value ?? "")?.[0];
  const isUsable = mode !== "" && template !== "" && !hasUnknownWords(template);
  const catchup = isUsable ? { mode, template, days: days === undefined ? undefined : Number(days) } : undefined;
  return { label, url: path, catchup };
}

function ownTemplate(template: string): string {
  return template === "" ? "" : ownUrl(template);
}

/** `group-title` may name several with `;` between them, and stand more than once. `#EXTGRP` stands in for it. */
function readGroups({ extinf, group }: M3uEntry): string[] {
  const titles = readAttributeLine(extinf).attributes.filter(({ name }) => name === "group-title");
  const all = titles.length === 0 ? [group] : titles.map(({ value }) => value);
  const groups = all.flatMap((title) => title.split(";").map((each) => each.trim()));
  return [...new Set(groups.filter(Boolean))];
}

export function hasCatchup(channel: Channel): boolean {
  return channel.sources.some((source) => source.catchup !== undefined);
}

/** How far back, in ms, the longest archive of the channel reaches. */
export function archiveMs({ sources }: Channel): number {
  const days = sources.flatMap(({ catchup }) => (catchup ? [catchup.days ?? DEFAULT_ARCHIVE_DAYS] : []));
  return Math.min(Math.max(...days, 0), MAX_ARCHIVE_DAYS) * MS_PER_DAY;
}
