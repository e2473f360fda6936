/** Where the archive of a channel is: what its list says, or what its own URL says about it (m3u.md section 6). */
import { findPlaceholders } from "../timeshift/placeholders.ts";
import { hasUnknownWords } from "../timeshift/template.ts";
import type { CatchupAttributes } from "../wire/m3u/catchup.ts";
import { asByteString, type ByteString } from "../wire/text/byte-string.ts";
import { resolveReference } from "../wire/url/reference.ts";
import { type EntryUrlRules, isServable, recogniseUrl, requestedUrl } from "./entry-url.ts";

const FOREIGN_SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:\/\//;
const HTTP = /^https?:\/\//;
/** What is appended as it stands: `/archive-{utc}.m3u8`, `-{utc}-{duration}.ts`. Anything else is a query. */
const CONTINUES_PATH = /^(?:[/.-]|[^?&=]*$)/;
/** Host and folder, file, query. */
const FLUSSONIC = /^(https?:\/\/[^/?#]+\/[^?#]+)\/([^/?#]+)(\?.*)?$/s;
const FLUSSONIC_LIST = /^(.+)\.m3u8$/i;
/** Host, user, password, number, extension, query. */
const XTREAM = /^(https?:\/\/[^/?#]+)\/(?:live\/)?([^/?#]+)\/([^/?#]+)\/([^/?#.]+)(?:\.(ts|m3u8?))?(\?.*)?$/is;
/** Lists also mark these as Flussonic. */
const SURELY_XTREAM = /^https?:\/\/[^/?#]+\/(?:live\/)?[^/?#]+\/[^/?#]+\/\d+(?:\.(?:ts|m3u8?))?$/i;

type MakeUrl = (url: ByteString, mode: string) => string | undefined;

/** Modes in which the URL is made from the channel's own. */
const OWN_MODES: ReadonlyMap<string, MakeUrl> = new Map<string, MakeUrl>([
  ["shift", (url) => withQuery(url, "utc={utc}&lutc={lutc}")],
  ["archive", (url) => withQuery(url, "archive=\x24{start}&archive_end=\x24{end}")],
  ["flussonic", flussonicUrl],
  ["flussonic-hls", flussonicUrl],
  ["flussonic-ts", flussonicUrl],
  ["fs", flussonicUrl],
  ["xc", xtreamUrl],
  ["xtream", xtreamUrl],
  ["xtream-codes", xtreamUrl],
]);

/**
 * A template of the URL to ask for.
 * @param url of the channel, without label
 * @returns undefined when there is no archive, or when the player must be left to find it
 */
export function archiveUrl(
  url: ByteString,
  { mode, source }: CatchupAttributes,
  rules: EntryUrlRules,
): ByteString | undefined {
  const make = OWN_MODES.get(mode);
  // In these modes a source that asks for no time is none.
  const isMade = make !== undefined && findPlaceholders(source).length === 0;
  if (!isMade && source === "") return undefined;
  const found = isMade ? madeUrl(url, mode, make) : sourceUrl(url, mode, source, rules);
  return found === undefined || hasUnknownWords(found) || !isServable(found, rules) ? undefined : found;
}

function madeUrl(url: ByteString, mode: string, make: MakeUrl): ByteString | undefined {
  const made = /^(?:https?|rtsp):/.test(url) ? make(url, mode) : undefined;
  return made === undefined ? undefined : asByteString(made);
}

function sourceUrl(url: ByteString, mode: string, source: ByteString, rules: EntryUrlRules): ByteString | undefined {
  const upstream = recogniseUrl(requestedUrl(source, undefined), rules);
  if (upstream !== undefined) return upstream;
  // A URL that is not ours, or one that the guide is to name, is nothing to append.
  if (FOREIGN_SCHEME.test(source) || source === "{catchup-id}") return undefined;
  if (source.startsWith("/") && mode !== "append") return asByteString(resolveReference(url, source));
  if (CONTINUES_PATH.test(source)) return asByteString(url + source);
  return asByteString(withQuery(url, source.replace(/^[?&]/, "")));
}

function withQuery(url: ByteString, query: string): string {
  return `${url}${url.includes("?") ? "&" : "?"}${query}`;
}

/** As Kodi's client does it. */
function flussonicUrl(url: ByteString, mode: string): string | undefined {
  if (SURELY_XTREAM.test(url)) return xtreamUrl(url);
  const [, folder, file = "", query = ""] = FLUSSONIC.exec(url) ?? [];
  if (folder === undefined) return undefined;
  const list = FLUSSONIC_LIST.exec(file)?.[1];
  const isTs = list === undefined && (/mpegts$|\.ts$/i.test(file) || mode === "fs" || mode === "flussonic-ts");
  if (isTs) return `${folder}/timeshift_abs-\x24{start}.ts${query}`;
  const prefix = list === undefined || list === "index" ? "" : `${list}-`;
  return `${folder}/${prefix}timeshift_rel-{offset:1}.m3u8${query}`;
}

/** Panels count in minutes. */
function xtreamUrl(url: ByteString): string | undefined {
  const [, host, user, password, number, extension = "", query = ""] = XTREAM.exec(url) ?? [];
  if (host === undefined || !HTTP.test(url)) return undefined;
  const kind = extension.toLowerCase().startsWith("m3u") ? "m3u8" : "ts";
  return `${host}/timeshift/${user}/${password}/{duration:60}/{Y}-{m}-{d}:{H}-{M}/${number}.${kind}${query}`;
}
