/** `/playlist.m3u`: the channels with URLs of this relay, for any base URL (m3u.md section 8). */
import { carrierQuery } from "../timeshift/carrier.ts";
import { splitUrl } from "../timeshift/url-parameters.ts";
import { type AttributeValues, emitM3uHeader } from "../wire/m3u/header.ts";
import { emitM3uEntry, type M3uEntry } from "../wire/m3u/parser.ts";
import { headersOfOption } from "../wire/m3u/prescribed-headers.ts";
import { asByteString, type ByteString } from "../wire/text/byte-string.ts";
import { percentEncode } from "../wire/url/percent.ts";
import { withCatchupLink, withFittingSource } from "./catchup-link.ts";
import { type Channel, type ChannelList, type ListedEntry, pathOfChannel } from "./channels.ts";

/** What is known of the programme guide; `plain` too as long as it has not arrived. */
export type GuideKind = "none" | "plain" | "gzip";

/** Stands for the base URL until that is known: no line of a playlist begins with a blank. */
const BASE = "\n\r";
/** So much text becomes bytes at a time: they lie outside of the garbage collector's reach. */
const CHUNK_CHARS = 64 * 1024;
/** What a client that takes its time costs: so much of its body is made at a time. */
const PIECE_BYTES = 32 * 1024;

/** Some lines of the playlist. */
interface Chunk {
  /** `BASE` for each base URL. */
  readonly bytes: Buffer;
  /** Where `BASE` stands in it, from the first one on. */
  readonly offsets: Uint32Array;
}

/** The playlist for one base URL. */
interface PlaylistBody {
  readonly bytes: number;
  /** To be used up before the next is asked for, which is made in the same memory. */
  readonly pieces: Iterator<Uint8Array>;
}

export class PublishedPlaylist {
  readonly #encodedToken: ByteString;
  /** Of the header, besides the guide. */
  readonly #attributes: AttributeValues;
  /** Without header. */
  readonly #chunks: readonly Chunk[];
  readonly #hash: string;
  readonly #linkCount: number;
  /** About the length of the body, which depends on the base URL. */
  readonly bytes: number;

  constructor(encodedToken: ByteString, attributes: AttributeValues, chunks: readonly Chunk[], hash: string) {
    this.#encodedToken = encodedToken;
    this.#attributes = attributes;
    this.#chunks = chunks;
    this.#hash = hash;
    this.bytes = chunks.reduce((sum, { bytes }) => sum + bytes.length, 0);
    this.#linkCount = chunks.reduce((sum, { offsets }) => sum + offsets.length, 0);
  }

  /** Without any content there is no playlist: 404. */
  get isEmpty(): boolean {
    return this.bytes === 0;
  }

  /** @param base as `baseUrl` makes it: ends in `/` */
  body(base: ByteString, guide: GuideKind): PlaylistBody {
    const head = Buffer.from(this.#header(base, guide), "latin1");
    const link = Buffer.from(base, "latin1");
    return {
      bytes: head.length + this.bytes + this.#linkCount * (link.length - BASE.length),
      pieces: joined(this.#parts(head, link)),
    };
  }

  /** Changes when the body does, and costs less; the same in every worker. With quotes. */
  etag(base: ByteString, guide: GuideKind): string {
    const hash = new Bun.CryptoHasher("md5").update(this.#hash).update(this.#header(base, guide), "latin1");
    return `"${hash.update(base, "latin1").digest("hex")}"`;
  }

  #header(base: ByteString, guide: GuideKind): ByteString {
    if (guide === "none") return emitM3uHeader(asByteString(""), this.#attributes);
    const file = guide === "gzip" ? "epg.xml.gz" : "epg.xml";
    return emitM3uHeader(asByteString(base + file + queryOf(tokenParameter(this.#encodedToken))), this.#attributes);
  }

  *#parts(head: Uint8Array, link: Uint8Array): Generator<Uint8Array, undefined> {
    yield head;
    for (const { bytes, offsets } of this.#chunks) {
      let from = 0;
      for (const offset of offsets) {
        yield bytes.subarray(from, offset);
        yield link;
        from = offset + BASE.length;
      }
      yield bytes.subarray(from);
    }
    return undefined;
  }
}

/** Pieces of the same size, all in the same memory. */
function* joined(parts: Iterable<Uint8Array>): Generator<Uint8Array, undefined> {
  const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
  let end = 0;
  for (const part of parts) {
    for (let from = 0; from < part.length; ) {
      const count = Math.min(part.length - from, PIECE_BYTES - end);
      piece.set(part.subarray(from, from + count), end);
      from += count;
      end += count;
      if (end < PIECE_BYTES) continue;
      yield piece;
      end = 0;
    }
  }
  if (end > 0) yield piece.subarray(0, end);
  return undefined;
}

/** Makes a playlist entry by entry, so that the caller may pause in between. */
export class PlaylistWriter {
  readonly #encodedToken: ByteString;
  /** Of a link that has no other parameters. */
  readonly #tokenQuery: ByteString;
  readonly #hash = new Bun.CryptoHasher("md5");
  readonly #chunks: Chunk[] = [];
  /** Of the chunk that is not full yet. */
  #text = "";

  /** @param token empty when none is asked for */
  constructor(token: ByteString) {
    this.#encodedToken = percentEncode(token);
    this.#tokenQuery = queryOf(tokenParameter(this.#encodedToken));
  }

  add({ entry, channel, url: passedOn, catchup }: ListedEntry): void {
    const url = channel ? this.#link(channel) : passedOn;
    const extinf = channel ? this.#extinf(entry, url, catchup) : entry.extinf;
    const isOurs = channel !== undefined && entry.options.length + entry.before.length > 0;
    const { before, options } = isOurs ? withoutHeaders(entry) : entry;
    this.#write(emitM3uEntry({ before, extinf, options, url }));
  }

  finish({ trailing, attributes }: Pick<ChannelList, "trailing" | "attributes">): PublishedPlaylist {
    for (const line of trailing) this.#write(asByteString(`${line}\n`));
    this.#endChunk();
    return new PublishedPlaylist(this.#encodedToken, attributes, this.#chunks, this.#hash.digest("hex"));
  }

  #extinf({ extinf, catchup }: M3uEntry, url: ByteString, archive: Channel | undefined): ByteString {
    if (archive) return withCatchupLink(extinf, this.#catchupLink(archive), catchup);
    return catchup.source !== "" && catchup.mode === "append" ? withFittingSource(extinf, url) : extinf;
  }

  /** What of the entry's URL a player must fill or show goes along; what only the upstream needs stays here. */
  #link(channel: Channel): ByteString {
    const { url, label } = channel;
    const query = DYNAMIC.test(url)
      ? queryOf(...dynamicParameters(url), tokenParameter(this.#encodedToken))
      : this.#tokenQuery;
    return asByteString(BASE + pathOfChannel(channel) + query + (label === "" ? "" : `$${label}`));
  }

  #catchupLink(channel: Channel): ByteString {
    const query = queryOf(carrierQuery(channel.url) ?? asByteString(""), tokenParameter(this.#encodedToken));
    return asByteString(BASE + pathOfChannel(channel) + query);
  }

  #write(text: ByteString): void {
    this.#text += text;
    if (this.#text.length >= CHUNK_CHARS) this.#endChunk();
  }

  #endChunk(): void {
    const bytes = Buffer.from(this.#text, "latin1");
    this.#hash.update(bytes);
    this.#chunks.push({ bytes, offsets: offsetsOf(BASE, this.#text) });
    this.#text = "";
  }
}

function offsetsOf(word: string, text: string): Uint32Array {
  const offsets: number[] = [];
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) offsets.push(at);
  return Uint32Array.from(offsets);
}

const DYNAMIC = /[{}$]/;

function dynamicParameters(url: ByteString): ByteString[] {
  const { parameters } = splitUrl(url);
  return parameters.filter(({ value }) => value !== undefined && DYNAMIC.test(value)).map(({ text }) => text);
}

function tokenParameter(encodedToken: ByteString): ByteString {
  return asByteString(encodedToken === "" ? "" : `r2h-token=${encodedToken}`);
}

function queryOf(...parameters: readonly ByteString[]): ByteString {
  const given = parameters.filter(Boolean);
  return asByteString(given.length === 0 ? "" : `?${given.join("&")}`);
}

/** What the relay sends itself is no business of the player's. */
function withoutHeaders({
  before,
  options,
}: Pick<M3uEntry, "before" | "options">): Pick<M3uEntry, "before" | "options"> {
  const isOther = (line: ByteString) => headersOfOption(line).length === 0;
  return { before: before.filter(isOther), options: options.filter(isOther) };
}
