/** Lists of channels, M3U or `name,url`, read forgivingly and written again (m3u.md section 4). */
import type { HeaderField } from "../http/header-fields.ts";
import { trimAsciiBlanks } from "../text/blanks.ts";
import { asByteString, type ByteString } from "../text/byte-string.ts";
import { quoted, readAttributeLine } from "./attributes.ts";
import { type CatchupAttributes, NO_CATCHUP, readCatchup } from "./catchup.ts";
import { type AttributeValues, aliasesOf, ListHeader } from "./header.ts";
import { ListLines } from "./list-lines.ts";
import { headersOfAttribute, headersOfOption, joinHeaders } from "./prescribed-headers.ts";
import { isUrl, nameOfUrl, readGenre, readNamedUrl, splitJoined } from "./url-line.ts";

/** More would fill the memory of a small router with objects. */
const MAX_ENTRIES = 100_000;
/** All that entries get of headers. */
const MAX_INHERITED_BYTES = 16 * 1024 * 1024;
/** Of the `#` lines of an entry that are kept, with what each costs besides its text. */
const MAX_BESIDE_BYTES = 1024 * 1024;
const BESIDE_COST_BYTES = 64;
/** More skipped lines than these are only counted. */
const MAX_REPORTED_LINES = 100;

/** U+FEFF in UTF-8; files that were joined have one in their middle. */
const BYTE_ORDER_MARK = "\xef\xbb\xbf";
const HEADER = /^#EXTM3U/i;
const EXTINF = /^#EXTINF(?![A-Z])/i;
const EXTGRP = /^#EXTGRP[\t ]*:?/i;
/** A file that does not end its last line, with another one joined to it. */
const GLUED = /(?:\xef\xbb\xbf)?#EXT(?:M3U|INF:)/;
/** A page or an answer for programs, whose lines may be anything. */
const MARKUP = /^[<{]/;
const NONE: readonly never[] = [];
const EMPTY = asByteString("");

export interface M3uEntry {
  /** Of its `#EXTINF`, or of its URL, from 1. */
  readonly line: number;
  /** The whole `#EXTINF` line, with what is added to it: the header's defaults, a group, a name. */
  readonly extinf: ByteString;
  /** Never empty. */
  readonly name: ByteString;
  /** `group-title` as it stands, else that of `#EXTGRP`; empty without one. */
  readonly group: ByteString;
  readonly catchup: CatchupAttributes;
  /** `#` lines between the last URL and this `#EXTINF`. */
  readonly before: readonly ByteString[];
  /** `#EXTVLCOPT`, `#KODIPROP` and other `#` lines between `#EXTINF` and URL, where players expect them. */
  readonly options: readonly ByteString[];
  /** Request headers for the URL, besides those that may stand in it behind a `|`. */
  readonly headers: readonly HeaderField[];
  /** With its `$label`. */
  readonly url: ByteString;
}

type SkipReason =
  | "#EXTINF without a URL"
  | "URL without an #EXTINF"
  | "#EXTM3U attribute too long for all entries"
  | "#EXTM3U attributes too long for all further entries"
  | "longer than 256 KiB"
  | "too many # lines before a URL"
  | "too many entries";

interface SkippedLine {
  /** From 1. */
  readonly line: number;
  readonly reason: SkipReason;
}

export interface M3uPlaylist {
  readonly entries: readonly M3uEntry[];
  /** `#` lines behind the last URL. */
  readonly trailing: readonly ByteString[];
  /** Of the programme guide, as they stand. */
  readonly guideUrls: readonly ByteString[];
  /** What else its headers say. */
  readonly attributes: AttributeValues;
  /** The first of them. */
  readonly skipped: readonly SkippedLine[];
  readonly skippedCount: number;
}

type State =
  /** No entry is open. */
  | "between"
  | "entry"
  /** The entry has a URL, and may get more. */
  | "listed"
  /** The open entry cannot be read: all of it is left out. */
  | "dropped";

/** What an `#EXTINF` says. */
interface OpenEntry {
  readonly line: number;
  /** The line up to where another attribute may stand. */
  readonly attributes: ByteString;
  /** Empty when none is given. */
  readonly name: ByteString;
  /** The name as it stands, with the comma before it; undefined when it comes from elsewhere. */
  readonly shownName: ByteString | undefined;
  readonly group: ByteString;
  readonly catchup: CatchupAttributes;
  /** Of options before it, which players count as well, and of attributes. */
  readonly headers: readonly HeaderField[];
}

const BARE: Omit<OpenEntry, "line"> = {
  attributes: asByteString("#EXTINF:-1"),
  name: EMPTY,
  shownName: undefined,
  group: EMPTY,
  catchup: NO_CATCHUP,
  headers: NONE,
};

/** Takes the text in pieces of any size; how it is cut changes nothing. */
export class M3uParser {
  #entries: M3uEntry[] = [];
  /** Those that were taken included. */
  #entryCount = 0;
  #inheritedBytes = 0;
  readonly #skipped: SkippedLine[] = [];
  #skippedCount = 0;
  readonly #header = new ListHeader();
  #entriesBeforeHeader = 0;
  readonly #lines = new ListLines((line, isLong) => this.#endLine(line, isLong));
  #line = 0;
  #state: State = "between";
  #isMarkup: boolean | undefined;
  /** What `#before` and `#options` hold. */
  #besideBytes = 0;
  #before: ByteString[] = [];
  #options: ByteString[] = [];
  #open: OpenEntry = { ...BARE, line: 0 };
  /** Of `#EXTGRP` before entries: of all that follow. */
  #group = EMPTY;
  /** Of `#EXTGRP` within the open entry. */
  #ownGroup = EMPTY;
  /** Of `,#genre#`: of all lines `name,url` that follow. */
  #genre = EMPTY;

  push(piece: ByteString): void {
    this.#lines.push(piece);
  }

  /** The entries that are complete, each of them once: they are not in what `finish` returns. */
  takeEntries(): readonly M3uEntry[] {
    const entries = this.#entries;
    this.#entries = [];
    return entries;
  }

  finish(): M3uPlaylist {
    this.#lines.finish();
    this.#endEntry();
    this.#state = "between";
    return {
      entries: this.#entries,
      trailing: this.#before,
      guideUrls: this.#header.guideUrls,
      attributes: this.#header.attributes,
      skipped: this.#skipped,
      skippedCount: this.#skippedCount,
    };
  }

  #endLine(line: ByteString, isLong: boolean): void {
    this.#line++;
    const text = withoutMark(line);
    if (isLong) this.#takeLong(text);
    else if (text !== "") this.#take(text);
  }

  /** @param beginning of the line */
  #takeLong(beginning: ByteString): void {
    this.#skip(this.#line, "longer than 256 KiB");
    if (EXTINF.test(beginning)) this.#state = "dropped";
    else if (!beginning.startsWith("#")) this.#state = "between";
  }

  #take(text: ByteString): void {
    this.#isMarkup ??= MARKUP.test(text);
    if (!text.startsWith("#")) this.#takeOther(text);
    else if (HEADER.test(text)) this.#takeHeader(text);
    else if (EXTINF.test(text)) this.#takeExtinf(text);
    else if (EXTGRP.test(text)) this.#takeGroup(text);
    else if (this.#state === "entry") this.#addTo(this.#options, text);
    else if (this.#state !== "dropped") this.#addTo(this.#before, text);
  }

  #addTo(lines: ByteString[], text: ByteString): void {
    this.#besideBytes += text.length + BESIDE_COST_BYTES;
    if (this.#besideBytes <= MAX_BESIDE_BYTES) lines.push(text);
    else this.#skip(this.#line, "too many # lines before a URL");
  }

  #takeHeader(text: ByteString): void {
    this.#endEntry();
    this.#state = "between";
    const isOfSamePart = this.#entriesBeforeHeader === this.#entryCount;
    this.#entriesBeforeHeader = this.#entryCount;
    if (!this.#header.take(text, isOfSamePart)) this.#skip(this.#line, "#EXTM3U attribute too long for all entries");
    this.#group = EMPTY;
    this.#genre = EMPTY;
  }

  #takeExtinf(text: ByteString): void {
    this.#endEntry();
    this.#options = [];
    this.#ownGroup = EMPTY;
    this.#open = this.#read(text);
    this.#state = "entry";
  }

  #takeGroup(text: ByteString): void {
    const group = trimAsciiBlanks(text.slice(EXTGRP.exec(text)![0].length));
    if (this.#state === "entry") this.#ownGroup = group;
    else this.#group = group;
  }

  /** A line that is neither empty nor begins with `#`. */
  #takeOther(text: ByteString): void {
    const glued = text.includes("#EXT") ? text.search(GLUED) : -1;
    if (glued > 0 && (this.#state === "entry" || (!this.#isMarkup && text.slice(0, glued).includes("://")))) {
      this.#takeOther(trimAsciiBlanks(text.slice(0, glued)));
      this.#take(withoutMark(text.slice(glued)));
    } else if (this.#state === "entry") {
      for (const url of splitJoined(text)) this.#add(this.#open, url);
      this.#state = "listed";
    } else if (this.#state !== "dropped" && !this.#isMarkup) this.#takeBare(text);
    else if (this.#state === "dropped") this.#state = "between";
    else this.#skip(this.#line, "URL without an #EXTINF");
  }

  /** One more URL of the last entry, or a line of another kind of list. */
  #takeBare(text: ByteString): void {
    if (isUrl(text)) {
      const open = this.#state === "listed" ? this.#open : this.#bare(EMPTY, EMPTY);
      for (const url of splitJoined(text)) this.#add(open, url);
      return;
    }
    const genre = readGenre(text);
    const named = genre === undefined ? readNamedUrl(text) : undefined;
    if (genre !== undefined) this.#genre = genre;
    else if (named) this.#takeNamed(named.name, named.url);
    else this.#skip(this.#line, "URL without an #EXTINF");
    if (genre !== undefined || named) this.#state = "between";
  }

  #takeNamed(name: ByteString, urls: ByteString): void {
    const open = this.#bare(name, this.#genre);
    for (const url of splitJoined(urls)) this.#add(open, url);
  }

  /** An entry without `#EXTINF`. */
  #bare(name: ByteString, group: ByteString): OpenEntry {
    this.#options = [];
    this.#ownGroup = group;
    const headers = this.#before.length === 0 ? NONE : this.#before.flatMap(headersOfOption);
    return { ...BARE, line: this.#line, name, headers };
  }

  #endEntry(): void {
    if (this.#state === "entry") this.#skip(this.#open.line, "#EXTINF without a URL");
  }

  #read(line: ByteString): OpenEntry {
    const { attributes, end, name } = readAttributeLine(line);
    const valueIn = (wanted: string) => attributes.find((each) => each.name === wanted)?.value;
    const added = this.#inherited((each) => aliasesOf(each).some((alias) => valueIn(alias) !== undefined));
    return {
      line: this.#line,
      attributes: asByteString(line.slice(0, end) + added),
      name: name || trimAsciiBlanks(valueIn("tvg-name") ?? EMPTY),
      shownName: name !== "" && line[end] === "," ? line.slice(end) : undefined,
      group: valueIn("group-title") ?? EMPTY,
      catchup: readCatchup(valueIn, (each) => this.#header.defaults.get(each)),
      headers: [
        ...this.#before.flatMap(headersOfOption),
        ...attributes.flatMap((each) => headersOfAttribute(each.name, each.value)),
      ],
    };
  }

  /** What the header says for an entry that has no such attributes itself. */
  #inherited(has: (name: string) => boolean): string {
    let added = "";
    for (const [name, value] of this.#header.defaults) {
      if (!has(name)) added += ` ${name}=${quoted(value)}`;
    }
    this.#inheritedBytes += added.length;
    if (added === "" || this.#inheritedBytes <= MAX_INHERITED_BYTES) return added;
    this.#header.defaults.clear();
    this.#skip(this.#line, "#EXTM3U attributes too long for all further entries");
    return "";
  }

  #add(open: OpenEntry, url: ByteString): void {
    if (this.#entryCount >= MAX_ENTRIES) {
      this.#skip(open.line, "too many entries");
      return;
    }
    this.#entryCount++;
    const name = open.name || nameOfUrl(url);
    const group = open.group || this.#ownGroup || this.#group;
    const shownGroup = group === open.group ? "" : ` group-title=${quoted(group)}`;
    this.#entries.push({
      line: open.line,
      extinf: asByteString(`${open.attributes}${shownGroup}${open.shownName ?? `,${name}`}`),
      name,
      group,
      catchup: open.catchup,
      before: this.#before.length > 0 ? this.#before : NONE,
      options: this.#options.length > 0 ? this.#options : NONE,
      headers: this.#headersOf(open),
      url,
    });
    if (this.#before.length > 0) this.#before = [];
    this.#besideBytes = 0;
  }

  #headersOf({ headers }: OpenEntry): readonly HeaderField[] {
    const ofList = this.#header.requestHeaders;
    const ofOptions = this.#options.length === 0 ? NONE : this.#options.flatMap(headersOfOption);
    if (ofOptions.length + headers.length + ofList.length === 0) return NONE;
    return joinHeaders(ofOptions, headers, ofList);
  }

  #skip(line: number, reason: SkipReason): void {
    this.#skippedCount++;
    if (this.#skipped.length < MAX_REPORTED_LINES) this.#skipped.push({ line, reason });
  }
}

/** @param text one of many megabytes is better pushed into an `M3uParser` in pieces */
export function parseM3u(text: ByteString): M3uPlaylist {
  const parser = new M3uParser();
  parser.push(text);
  return parser.finish();
}

/** The entry's lines with an empty one behind them. */
export function emitM3uEntry({
  before,
  extinf,
  options,
  url,
}: Pick<M3uEntry, "before" | "extinf" | "options" | "url">): ByteString {
  const isBare = before.length === 0 && options.length === 0;
  return asByteString(isBare ? `${extinf}\n${url}\n\n` : `${[...before, extinf, ...options, url].join("\n")}\n\n`);
}

function withoutMark(line: ByteString): ByteString {
  let text = trimAsciiBlanks(line);
  while (text.startsWith(BYTE_ORDER_MARK)) text = trimAsciiBlanks(text.slice(BYTE_ORDER_MARK.length));
  return text;
}
