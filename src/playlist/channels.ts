/** The channels that playlists name: entries become channels with unique names, found by request path (m3u.md sections 5, 6). */

import type { HeaderField } from "../wire/http/header-fields.ts";
import type { AttributeValues } from "../wire/m3u/header.ts";
import { splitLabel, withoutLabel } from "../wire/m3u/label.ts";
import type { M3uEntry, M3uPlaylist } from "../wire/m3u/parser.ts";
import { joinHeaders, splitPiped } from "../wire/m3u/prescribed-headers.ts";
import { asByteString, type ByteString } from "../wire/text/byte-string.ts";
import { percentDecode, percentEncode } from "../wire/url/percent.ts";
import { archiveUrl } from "./archive-url.ts";
import { ChannelNames } from "./channel-names.ts";
import { type EntryUrlRules, recogniseUrl, requestedUrl, resolved, whyUnrelayed } from "./entry-url.ts";

/** Anywhere in path or query, where servers put a name: `/a.m3u8;id=1`, `/list.php?f=a.m3u8`. */
const HLS_URL = /^https?:\/\/[^/?#]+[/?].*\.m3u8(?![a-z0-9])/is;
const HLS_SUFFIX = /\.m3u8$/i;
const WITH_LOGIN = /^https?:\/\/[^/?#]*@/;

export interface Channel {
  /** What a request path must name, decoded: `News/Channel 1/HD`. */
  readonly name: ByteString;
  /** The name by which it is published: that of an HLS playlist ends in `.m3u8`, by which players tell it (m3u.md section 5.4). */
  readonly address: ByteString;
  /** The upstream as the playlist has it, unwrapped, without label, with all its parameters: `rtsp://…`. */
  readonly url: ByteString;
  /** Without `$`; empty when there is none. */
  readonly label: ByteString;
  /** What the list prescribes for requests to the upstream (m3u.md section 4.1). */
  readonly headers: readonly HeaderField[];
}

interface PrescribedRequest {
  readonly channel: ByteString;
  readonly headers: readonly HeaderField[];
  /** With a user and a password, for the channel's own server. */
  readonly url: ByteString | undefined;
}

/** Its path on this server behind the base URL. A name that begins with `/` must not make a `//HOST` of it. */
export function pathOfChannel({ address }: Channel): ByteString {
  return asByteString(percentEncode(address).replace(/^\//, "%2F"));
}

export interface ListedEntry {
  readonly entry: M3uEntry;
  /** Undefined when the entry is passed on to the player. */
  readonly channel: Channel | undefined;
  /** For the player, when there is no channel: as it stands, but not relative to a list that the player does not see. */
  readonly url: ByteString;
  readonly catchup: Channel | undefined;
}

export class ChannelList {
  readonly #byName: ReadonlyMap<ByteString, Channel>;
  /** In the order of their entries, without those for catch-up. */
  readonly main: readonly Channel[];
  /** Behind the last entry of each list. */
  readonly trailing: readonly ByteString[];
  /** Of the programme guides that the lists name, each once. */
  readonly guideUrls: readonly ByteString[];
  /** What else the headers of the lists say; the first list that says it counts. */
  readonly attributes: AttributeValues;

  constructor(
    byName: ReadonlyMap<ByteString, Channel>,
    main: readonly Channel[],
    trailing: readonly ByteString[],
    guideUrls: readonly ByteString[],
    attributes: AttributeValues,
  ) {
    this.#byName = byName;
    this.main = main;
    this.trailing = trailing;
    this.guideUrls = guideUrls;
    this.attributes = attributes;
  }

  /** Channels, those for catch-up included. */
  get size(): number {
    return this.#byName.size;
  }

  /** What the list of a channel wants to be sent; undefined when it does not say, or is gone. */
  prescribed(name: ByteString): PrescribedRequest | undefined {
    const { headers = [], url } = this.#byName.get(name) ?? {};
    const login = url !== undefined && WITH_LOGIN.test(url) ? url : undefined;
    return headers.length === 0 && login === undefined ? undefined : { channel: name, headers, url: login };
  }

  /**
   * The channel of a request (http.md sections 8, 9 and 13).
   * @param path raw, without app prefix and query; begins with `/`
   * @returns undefined when there is none; `invalid` for an invalid percent escape: 400, if no other route takes it
   */
  find(path: ByteString): Channel | undefined | "invalid" {
    const name = percentDecode(path.slice(1));
    if (name === undefined) return "invalid";
    // A name may end in a slash or hold a `$` of its own, so that it is looked for as it stands first.
    const shorter = name.endsWith("/") ? name.slice(0, -1) : name;
    const unlabelled = withoutLabel(shorter);
    const found = this.#byName.get(name) ?? this.#byName.get(shorter) ?? this.#byName.get(unlabelled);
    return found ?? this.#byName.get(asByteString(unlabelled.replace(HLS_SUFFIX, "")));
  }
}

export const NO_CHANNELS = new ChannelList(new Map(), [], [], [], new Map());

/** Makes a list of channels entry by entry, so that the caller may pause in between. */
export class ChannelListBuilder {
  readonly #rules: EntryUrlRules;
  readonly #names: ChannelNames;
  readonly #byName = new Map<ByteString, Channel>();
  readonly #mainChannels: Channel[] = [];
  readonly #trailing: ByteString[] = [];
  readonly #guideUrls = new Set<ByteString>();
  readonly #attributes = new Map<string, ByteString>();
  #unrelayed = new Map<string, number>();

  constructor(rules: EntryUrlRules) {
    this.#rules = rules;
    this.#names = new ChannelNames(rules.reserved);
  }

  /** @param base what relative URLs are relative to; undefined leaves them as they are */
  add(entry: M3uEntry, base?: string): ListedEntry {
    const channel = this.#main(entry, base);
    if (channel) this.#mainChannels.push(channel);
    const catchup = channel && this.#catchup(entry, channel);
    return { entry, channel, url: channel || base === undefined ? entry.url : resolved(entry.url, base), catchup };
  }

  /** What a list holds besides its entries. */
  addRest({ trailing, guideUrls, attributes }: Pick<M3uPlaylist, "trailing" | "guideUrls" | "attributes">): void {
    for (const line of trailing) this.#trailing.push(line);
    for (const url of guideUrls) this.#guideUrls.add(url);
    for (const [name, value] of attributes) if (!this.#attributes.has(name)) this.#attributes.set(name, value);
  }

  finish(): ChannelList {
    return new ChannelList(this.#byName, this.#mainChannels, this.#trailing, [...this.#guideUrls], this.#attributes);
  }

  /** How many entries since the last call are published unchanged, by the reason. */
  takeUnrelayed(): ReadonlyMap<string, number> {
    const unrelayed = this.#unrelayed;
    this.#unrelayed = new Map();
    return unrelayed;
  }

  #main(entry: M3uEntry, base: string | undefined): Channel | undefined {
    const { url: labelled, label: ofAll } = splitLabel(entry.url);
    const { url: own, headers } = splitPiped(labelled);
    const { url: bare, label: ofUrl } = splitLabel(own);
    const url = requestedUrl(bare, base);
    const label = ofAll || ofUrl;
    const why = whyUnrelayed(url, this.#rules);
    if (why !== "") this.#unrelayed.set(why, (this.#unrelayed.get(why) ?? 0) + 1);
    const upstream = why === "" ? recogniseUrl(url, this.#rules) : undefined;
    if (upstream === undefined) return undefined;
    const inGroup = entry.group === "" ? entry.name : asByteString(`${entry.group}/${entry.name}`);
    const all = headers.length === 0 ? entry.headers : joinHeaders(headers, entry.headers);
    return this.#make(label === "" ? inGroup : asByteString(`${inGroup}/${label}`), upstream, label, all);
  }

  #catchup({ catchup }: M3uEntry, main: Channel): Channel | undefined {
    const { url: source, headers } = splitPiped(catchup.source);
    const url = archiveUrl(main.url, { ...catchup, source }, this.#rules);
    if (url === undefined) return undefined;
    const all = headers.length === 0 ? main.headers : joinHeaders(headers, main.headers);
    // In a source a `$` is literal.
    return this.#make(asByteString(`${main.name}/catchup`), url, asByteString(""), all);
  }

  #make(wanted: ByteString, url: ByteString, label: ByteString, headers: readonly HeaderField[]): Channel {
    const name = this.#names.take(wanted);
    const isHls = HLS_URL.test(url) && !HLS_SUFFIX.test(name);
    const address = (isHls ? this.#names.alias(name, ".m3u8") : undefined) ?? name;
    const channel = { name, address, url, label, headers };
    this.#byName.set(name, channel);
    return channel;
  }
}
