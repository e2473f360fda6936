/** What a body is by its first bytes, whatever its path and type say (http-proxy.md section 6). */
import { ChunkedDecoder } from "../../wire/http/chunked.ts";
import type { BodyFraming } from "../../wire/http/response-framing.ts";
import { isAsciiBlank } from "../../wire/text/blanks.ts";
import type { ContentCoding } from "./playlist-handling.ts";

/** So much of a body is looked at, blanks and chunk sizes included; players look no further. */
const MAX_LOOK_BYTES = 4096;
/** More than that much can become when it is unpacked. */
const MAX_UNPACKED_BYTES = 8 * 1024 * 1024;
/** Where a control character shows that it is no text: a packet of MPEG-TS has one in its first four bytes. */
const TEXT_BYTES = 16;

const MARK = "#EXTM3U";
const BYTE_ORDER_MARK = "\xef\xbb\xbf";

export type BodyKind =
  /** It begins with `#EXTM3U`. */
  | "playlist"
  /** Text that may be a list of URLs. */
  | "text"
  /** Media, a page, a manifest of another kind. */
  | "other";

export class FirstBytes {
  readonly #coding: ContentCoding;
  readonly #chunks: ChunkedDecoder | undefined;
  readonly #raw: Uint8Array[] = [];
  #rawBytes = 0;
  /** Without chunk sizes. */
  #data = "";

  constructor(framing: BodyFraming, coding: ContentCoding) {
    this.#coding = coding;
    this.#chunks = framing.kind === "chunked" ? new ChunkedDecoder() : undefined;
  }

  /** All that was taken, as it came. */
  get raw(): Uint8Array {
    return this.#raw.length === 1 ? this.#raw[0]! : Buffer.concat(this.#raw);
  }

  get rawBytes(): number {
    return this.#rawBytes;
  }

  /** @param piece of the raw body; it is kept */
  take(piece: Uint8Array): void {
    this.#raw.push(piece);
    this.#rawBytes += piece.length;
    if (this.#chunks)
      this.#chunks.push(piece, { chunkData: (bytes, start, length) => this.#add(bytes, start, length) });
    else this.#add(piece, 0, piece.length);
  }

  /** Undefined as long as more bytes must tell. */
  get kind(): BodyKind | undefined {
    const { status = "open" } = this.#chunks ?? {};
    return kindOf(this.#text, status === "open" && this.#rawBytes < MAX_LOOK_BYTES);
  }

  /** What it is if nothing more comes. */
  get kindSoFar(): BodyKind {
    return kindOf(this.#text, false) ?? "text";
  }

  #add(bytes: Uint8Array, start: number, length: number): void {
    this.#data += Buffer.from(bytes.buffer, bytes.byteOffset + start, length).toString("latin1");
  }

  get #text(): string {
    return this.#coding === "identity" ? this.#data : unpacked(Buffer.from(this.#data, "latin1"), this.#coding);
  }
}

function kindOf(text: string, isMoreToCome: boolean): BodyKind | undefined {
  let start = 0;
  while (start < text.length) {
    if (text.startsWith(BYTE_ORDER_MARK, start)) start += BYTE_ORDER_MARK.length;
    else if (isAsciiBlank(text.charCodeAt(start))) start++;
    else break;
  }
  const first = text.slice(start, start + MARK.length);
  if (first.toUpperCase() === MARK) return "playlist";
  const isUndecided = MARK.startsWith(first.toUpperCase()) || BYTE_ORDER_MARK.startsWith(first);
  if (isUndecided && isMoreToCome) return undefined;
  return /^[<{[]/.test(first) || isBinary(text.slice(0, TEXT_BYTES)) ? "other" : "text";
}

function isBinary(text: string): boolean {
  return Array.from(text, (character) => character.charCodeAt(0)).some((code) => code < 0x20 && !isAsciiBlank(code));
}

/** The beginning of what was packed, as far as it has come; empty for what cannot be unpacked. */
function unpacked(packed: Buffer, coding: Exclude<ContentCoding, "identity">): string {
  const { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync, constants } =
    process.getBuiltinModule("node:zlib");
  const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: MAX_UNPACKED_BYTES };
  try {
    switch (coding) {
      case "gzip":
        return gunzipSync(packed, options).toString("latin1");
      case "deflate":
        return ((packed[0]! & 0x0f) === 8 ? inflateSync : inflateRawSync)(packed, options).toString("latin1");
      case "br": {
        const flush = { finishFlush: constants.BROTLI_OPERATION_FLUSH, maxOutputLength: MAX_UNPACKED_BYTES };
        return brotliDecompressSync(packed, flush).toString("latin1");
      }
    }
  } catch {
    return "";
  }
}
