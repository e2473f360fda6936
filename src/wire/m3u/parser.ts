/** M3U playlists of channels, read forgivingly and written again (m3u.md section 4). Names and URLs keep their bytes in any encoding. */
import { trimAsciiBlanks } from "../text/blanks.ts";
import { asByteString, type ByteString } from "../text/byte-string.ts";
import { addAttribute, findAttribute } from "./attributes.ts";

/** More would fill the memory of a small router with objects. */
const MAX_ENTRIES = 100_000;
/** Of a value that a header sets for all entries. No request could carry a longer one. */
const MAX_DEFAULT_BYTES = 2048;
/** All that entries get of headers. */
const MAX_INHERITED_BYTES = 16 * 1024 * 1024;
/** Pictures stand in some, as `data:` URLs. Longer ones are left out, and so is the entry that one of them belongs to. */
const MAX_LINE_BYTES = 256 * 1024;
/** Of the `#` lines of an entry that are kept, with what each costs besides its text. */
const MAX_BESIDE_BYTES = 1024 * 1024;
const BESIDE_COST_BYTES = 64;
/** More skipped lines than these are only counted. */
const MAX_REPORTED_LINES = 100;

/** U+FEFF in UTF-8. */
const BYTE_ORDER_MARK = "\xef\xbb\xbf";
const HEADER = "#EXTM3U";
const EXTINF = "#EXTINF:";
/** What a header may set for all entries behind it that do not say it themselves. */
const CATCHUP_ATTRIBUTES: readonly string[] = ["catchup", "catchup-days", "catchup-correction", "catchup-source"];
const NONE: readonly ByteString[] = [];
const EMPTY = asByteString("");

export interface M3uEntry {
  /** Of its `#EXTINF`, from 1. */
  readonly line: number;
  /** The whole `#EXTINF` line, with what the header adds to it. */
  readonly extinf: ByteString;
  /** Behind the last comma; never empty. */
  readonly name: ByteString;
  /** `group-title` as it stands; empty without one. */
  readonly group: ByteString;
  readonly catchupSource: ByteString;
  /** `#` lines between the last URL and this `#EXTINF`. */
  readonly before: readonly ByteString[];
  /** `#EXTVLCOPT`, `#KODIPROP` and other `#` lines between `#EXTINF` and URL, where players expect them. */
  readonly options: readonly ByteString[];
  /** With its `$label`. */
  readonly url: ByteString;
}

type SkipReason =
  | "Failed to extract service name from EXTINF line"
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
  /** Of the programme guide. */
  readonly guideUrls: readonly ByteString[];
  /** The first of them. */
  readonly skipped: readonly SkippedLine[];
  readonly skippedCount: number;
}

type State =
  /** No entry is open. */
  | "between"
  | "entry"
  /** The open entry has no name: all of it is left out. */
  | "nameless";

/** Takes the text in pieces of any size; how it is cut changes nothing. */
export class M3uParser {
  #entries: M3uEntry[] = [];
  /** Those that were taken included. */
  #entryCount = 0;
  #inheritedBytes = 0;
  readonly #skipped: SkippedLine[] = [];
  #skippedCount = 0;
  #guideUrls: readonly ByteString[] = NONE;
  #defaults: readonly (readonly [name: string, value: ByteString])[] = [];
  #state: State = "between";
  #carry = EMPTY;
  /** The line is longer than may be: `#carry` is its beginning. */
  #isLong = false;
  #line = 0;
  /** What `#before` and `#options` hold. */
  #besideBytes = 0;
  #before: ByteString[] = [];
  #options: ByteString[] = [];
  #extinf = EMPTY;
  #name = EMPTY;
  #extinfLine = 0;

  push(piece: ByteString): void {
    let start = 0;
    for (let end = piece.indexOf("\n"); end >= 0; end = piece.indexOf("\n", start)) {
      this.#keep(piece, start, end);
      this.#endLine();
      start = end + 1;
    }
    this.#keep(piece, start, piece.length);
  }

  /** The entries that are complete, each of them once: they are not in what `finish` returns. */
  takeEntries(): readonly M3uEntry[] {
    const entries = this.#entries;
    this.#entries = [];
    return entries;
  }

  finish(): M3uPlaylist {
    this.#endLine();
    if (this.#state === "entry") this.#skip(this.#extinfLine, "#EXTINF without a URL");
    this.#state = "between";
    return {
      entries: this.#entries,
      trailing: this.#before,
      guideUrls: this.#guideUrls,
      skipped: this.#skipped,
      skippedCount: this.#skippedCount,
    };
  }

  /** Adds a part of a line. */
  #keep(piece: ByteString, start: number, end: number): void {
    if (this.#isLong) return;
    this.#isLong = this.#carry.length + end - start > MAX_LINE_BYTES;
    this.#carry = asByteString(this.#carry + piece.slice(start, this.#isLong ? start + MAX_LINE_BYTES : end));
  }

  #endLine(): void {
    const line = this.#carry;
    this.#carry = EMPTY;
    this.#line++;
    if (this.#isLong) this.#takeLong(trimAsciiBlanks(line));
    else this.#take(line);
    this.#isLong = false;
  }

  /** @param beginning of the line */
  #takeLong(beginning: ByteString): void {
    this.#skip(this.#line, "longer than 256 KiB");
    if (beginning.startsWith(EXTINF)) this.#state = "nameless";
    else if (!beginning.startsWith("#")) this.#state = "between";
  }

  #take(raw: ByteString): void {
    const isMarked = this.#line === 1 && raw.startsWith(BYTE_ORDER_MARK);
    const text = trimAsciiBlanks(isMarked ? raw.slice(BYTE_ORDER_MARK.length) : raw);
    if (text === "") return;
    if (text.startsWith(HEADER)) this.#takeHeader(text);
    else if (text.startsWith(EXTINF)) this.#takeExtinf(text);
    else if (!text.startsWith("#")) this.#takeUrl(text);
    else if (this.#state === "entry") this.#addTo(this.#options, text);
    else if (this.#state === "between") this.#addTo(this.#before, text);
  }

  #addTo(lines: ByteString[], text: ByteString): void {
    this.#besideBytes += text.length + BESIDE_COST_BYTES;
    if (this.#besideBytes <= MAX_BESIDE_BYTES) lines.push(text);
    else this.#skip(this.#line, "too many # lines before a URL");
  }

  #takeHeader(text: ByteString): void {
    const urls = parseGuideUrls(text);
    if (urls.length > 0) this.#guideUrls = urls;
    this.#defaults = CATCHUP_ATTRIBUTES.flatMap((name) => {
      const value = findAttribute(text, name)?.value;
      if (!value) return [];
      if (value.length <= MAX_DEFAULT_BYTES) return [[name, value] as const];
      this.#skip(this.#line, "#EXTM3U attribute too long for all entries");
      return [];
    });
  }

  #takeExtinf(text: ByteString): void {
    if (this.#state === "entry") this.#skip(this.#extinfLine, "#EXTINF without a URL");
    this.#options = [];
    this.#extinf = text;
    this.#extinfLine = this.#line;
    this.#name = nameOf(text);
    this.#state = this.#name === "" ? "nameless" : "entry";
    if (this.#state === "nameless") this.#skip(this.#line, "Failed to extract service name from EXTINF line");
  }

  #takeUrl(url: ByteString): void {
    const state = this.#state;
    this.#state = "between";
    if (state === "between") this.#skip(this.#line, "URL without an #EXTINF");
    else if (state === "nameless") return;
    else if (this.#entryCount >= MAX_ENTRIES) this.#skip(this.#extinfLine, "too many entries");
    else this.#add(url);
  }

  #add(url: ByteString): void {
    const extinf = this.#withDefaults(this.#extinf);
    this.#entryCount++;
    this.#entries.push({
      line: this.#extinfLine,
      extinf,
      name: this.#name,
      group: findAttribute(extinf, "group-title")?.value ?? EMPTY,
      catchupSource: findAttribute(extinf, "catchup-source")?.value ?? EMPTY,
      before: this.#before.length > 0 ? this.#before : NONE,
      options: this.#options.length > 0 ? this.#options : NONE,
      url,
    });
    if (this.#before.length > 0) this.#before = [];
    this.#besideBytes = 0;
  }

  #withDefaults(extinf: ByteString): ByteString {
    let line = extinf;
    for (const [name, value] of this.#defaults) {
      if (!findAttribute(extinf, name)) line = addAttribute(line, name, value);
    }
    this.#inheritedBytes += line.length - extinf.length;
    if (line === extinf || this.#inheritedBytes <= MAX_INHERITED_BYTES) return line;
    this.#defaults = [];
    this.#skip(this.#extinfLine, "#EXTM3U attributes too long for all further entries");
    return extinf;
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

/** The header with an empty line behind it. `guideUrl` is left out when it is empty. */
export function emitM3uHeader(guideUrl: ByteString): ByteString {
  return asByteString(guideUrl === "" ? `${HEADER}\n\n` : `${HEADER} x-tvg-url="${guideUrl}"\n\n`);
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

/** Reads `x-tvg-url`, else `url-tvg`; both may name several guides, with commas between them. */
function parseGuideUrls(header: ByteString): ByteString[] {
  const rules = { ignoreCase: true, withCommas: true };
  const list =
    findAttribute(header, "x-tvg-url", rules)?.value || findAttribute(header, "url-tvg", rules)?.value || EMPTY;
  return list.split(",").map(trimAsciiBlanks).filter(Boolean);
}

function nameOf(extinf: ByteString): ByteString {
  const comma = extinf.lastIndexOf(",");
  return comma < 0 ? EMPTY : trimAsciiBlanks(extinf.slice(comma + 1));
}
