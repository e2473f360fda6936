/** Several XMLTV documents joined into one, while they stream by. */
import { XmltvBody } from "../wire/xmltv/body.ts";
import { guideText } from "./guide-text.ts";
import type { Chunks } from "./streams.ts";

const BEGIN = '<?xml version="1.0" encoding="UTF-8"?>\n<tv>\n';
const END = "\n</tv>\n";

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
      for await (const chunk of (await guideText(document.plain())).chunks) {
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
