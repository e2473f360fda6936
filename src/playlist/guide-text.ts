/** The document of a guide as UTF-8, whatever encoding it came in (m3u.md section 9). */
import { wideEncoding } from "../wire/text/encoding.ts";
import { PlaylistError } from "./errors.ts";
import { type Chunks, peek } from "./streams.ts";

/** An XML declaration stands at the very beginning. */
const HEAD_BYTES = 512;
const DECLARED = /^(\s*<\?xml[^>]*?\sencoding\s*=\s*["'])([^"'>]*)(?=["'])/;
const UTF8_MARK = "\xef\xbb\xbf";
const IS_UTF8 = /^(?:utf-?8|us-ascii|ascii|utf8mb4|)$/i;
/** What those write who have converted the text and not what it says of itself: the first character tells better. */
const IS_WIDE = /^(?:utf-?16|ucs-?2|unicode|utf-?32|iso-10646)/i;
const IS_UTF32 = /^(?:\xff\xfe\0\0|\0\0\xfe\xff|[<\s]\0\0\0|\0\0\0[<\s])/;
const BLANKS = /^\s*/;

interface GuideText {
  /** It came so: nothing has been changed. */
  readonly isAsItCame: boolean;
  readonly chunks: Chunks;
}

/** @throws PlaylistError `bad-content` when nobody knows the encoding */
export async function guideText(document: Chunks): Promise<GuideText> {
  const { head, chunks } = await peek(document, HEAD_BYTES);
  const text = head.toString("latin1");
  if (IS_UTF32.test(text)) throw new PlaylistError("bad-content", "Its encoding UTF-32 is not known");
  const wide = wideEncoding(head);
  if (wide !== undefined) return { isAsItCame: false, chunks: withHead(decoded(chunks, wide)) };
  const hasMark = text.startsWith(UTF8_MARK);
  const declared = DECLARED.exec(hasMark ? text.slice(UTF8_MARK.length) : text)?.[2]?.trim() ?? "";
  const isUtf8 = hasMark || IS_UTF8.test(declared) || IS_WIDE.test(declared);
  if (!isUtf8) return { isAsItCame: false, chunks: withHead(decoded(chunks, declared)) };
  const isRight = IS_UTF8.test(declared) && !/^\s/.test(text);
  return isRight ? { isAsItCame: true, chunks } : { isAsItCame: false, chunks: withHead(chunks) };
}

function decoded(chunks: Chunks, encoding: string): Chunks {
  const name = encoding.replace(/^cp-?(?=125\d$)|^windows(?=\d)/i, "windows-");
  try {
    return decodedBy(chunks, new TextDecoder(name as Bun.Encoding));
  } catch {
    throw new PlaylistError("bad-content", `Its encoding ${JSON.stringify(encoding)} is not known`);
  }
}

async function* decodedBy(chunks: Chunks, decoder: TextDecoder): Chunks {
  for await (const chunk of chunks) yield Buffer.from(decoder.decode(chunk, { stream: true }));
  yield Buffer.from(decoder.decode());
}

/** Says UTF-8 in the XML declaration, which stands at the very beginning. */
async function* withHead(utf8: Chunks): Chunks {
  const { head, chunks } = await peek(utf8, HEAD_BYTES);
  const begin = head.toString("latin1");
  const mended = begin.replace(UTF8_MARK, "").replace(BLANKS, "").replace(DECLARED, "$1UTF-8");
  yield Buffer.from(mended, "latin1");
  let left = head.length;
  for await (const chunk of chunks) {
    yield left < chunk.length ? chunk.subarray(left) : NOTHING;
    left = Math.max(0, left - chunk.length);
  }
}
const NOTHING = new Uint8Array(0);
