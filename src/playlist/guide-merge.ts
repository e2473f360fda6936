/** Several XMLTV documents joined into one, while they stream by. */
import { XmltvBody } from "../wire/xmltv/body.ts";
import { type Chunks, peek } from "./streams.ts";

const BEGIN = '<?xml version="1.0" encoding="UTF-8"?>\n<tv>\n';
const END = "\n</tv>\n";
/** An XML declaration stands at the very beginning. */
const DECLARATION_BYTES = 256;
const ENCODING = /^(?:\xef\xbb\xbf)?<\?xml[^>]*?\sencoding\s*=\s*["']([^"']+)["']/;

export interface GuideDocument {
  readonly name: string;
  plain(): Chunks;
}

/**
 * The elements of all documents in their order, as UTF-8. Of one that breaks off it holds what was complete.
 * @param onTrouble is told about a document of which something is missing
 */
export async function* mergeGuides(
  documents: readonly GuideDocument[],
  onTrouble: (name: string, reason: string) => void,
): Chunks {
  yield Buffer.from(BEGIN);
  for (const document of documents) {
    const body = new XmltvBody();
    try {
      for await (const chunk of utf8(document.plain())) {
        const part = body.push(chunk);
        if (part.length > 0) yield part;
        if (body.state === "complete" || body.state === "failed") break;
      }
      if (body.state !== "complete")
        onTrouble(document.name, body.state === "body" ? "it breaks off" : "no XMLTV in it");
    } catch (error) {
      onTrouble(document.name, error instanceof Error ? error.message : String(error));
    }
  }
  yield Buffer.from(END);
}

/** From the encoding that the document declares, as far as the runtime knows it. */
async function* utf8(chunks: Chunks): Chunks {
  const { head, chunks: all } = await peek(chunks, DECLARATION_BYTES);
  const encoding = ENCODING.exec(head.toString("latin1"))?.[1] ?? "utf-8";
  if (/^(?:utf-?8|us-ascii)$/i.test(encoding)) {
    yield* all;
    return;
  }
  const decoder = new TextDecoder(encoding as Bun.Encoding);
  for await (const chunk of all) yield Buffer.from(decoder.decode(chunk, { stream: true }));
}
