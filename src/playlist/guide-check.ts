/** Whether what came is a guide, and a good one (m3u.md section 9). */
import { XmltvBody } from "../wire/xmltv/body.ts";
import { PlaylistError } from "./errors.ts";
import { guideText } from "./guide-text.ts";
import { type Chunks, collecting, isGzip, peek } from "./streams.ts";
import { PACKING_HEAD_BYTES, packingOf } from "./unpack.ts";

export interface GuideCheck {
  /** What must be done to it: nothing; make it UTF-8 and say so; take out what is whole. */
  readonly mend: "none" | "text" | "whole";
  /** Why it has no end; undefined when it is whole. */
  readonly breaksOff: string | undefined;
  readonly programmes: number;
  /** `yyyyMMdd`, in whatever zone, of the programme that begins last; empty when none says so. */
  readonly lastDay: string;
}

const PROGRAMME = "<programme";
const START = /^<programme\s[^>]*?\bstart\s*=\s*["']\s*(\d{4})-?(\d\d)-?(\d\d)/;
/** Of a programme's tag. */
const TAG_BYTES = 256;

/**
 * Reads all of `document`.
 * @throws PlaylistError `bad-content` when it is no guide at all
 */
export async function checkGuide(document: Chunks): Promise<GuideCheck> {
  const { head, chunks: all } = await peek(document, PACKING_HEAD_BYTES);
  const packing = isGzip(head) ? "gzip" : packingOf(head)?.name;
  if (packing !== undefined) throw new PlaylistError("bad-content", `A ${packing} file within another packed one`);
  const { isAsItCame, chunks } = await guideText(all);
  const body = new XmltvBody();
  const seen = new Programmes();
  let trouble: string | undefined;
  try {
    for await (const chunk of collecting(chunks)) {
      seen.add(body.push(chunk));
      if (body.state === "failed") break;
    }
  } catch (error) {
    trouble = error instanceof Error ? error.message : String(error);
    // What nobody has begun to read tells nothing but this.
    if (body.state !== "body" && body.state !== "complete") throw error;
  }
  const { state } = body;
  if (state !== "body" && state !== "complete") throw new PlaylistError("bad-content", "No XMLTV document");
  const breaksOff = state === "complete" ? undefined : (trouble ?? "it breaks off");
  const isBroken = breaksOff !== undefined || trouble !== undefined;
  const mend = isBroken ? "whole" : isAsItCame ? "none" : "text";
  return { mend, breaksOff, programmes: seen.count, lastDay: seen.lastDay };
}

class Programmes {
  count = 0;
  lastDay = "";

  /** @param part whole elements */
  add(part: Uint8Array): void {
    const bytes = Buffer.from(part.buffer, part.byteOffset, part.length);
    for (let at = bytes.indexOf(PROGRAMME); at >= 0; at = bytes.indexOf(PROGRAMME, at + PROGRAMME.length)) {
      this.count++;
      const [, year = "", month = "", day = ""] = START.exec(bytes.toString("latin1", at, at + TAG_BYTES)) ?? [];
      const date = year + month + day;
      if (date > this.lastDay) this.lastDay = date;
    }
  }
}
