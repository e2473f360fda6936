/** URLs with placeholders for times: which ones are templates, and what becomes of them (m3u.md sections 12.2 and 12.3). */
import { findPlaceholders, type TemplateTimes } from "./placeholders.ts";

const PLACEHOLDER_SIGNS =
  /\$\{|\{\([be]\)|\{(?:utc|start|end|utcend|lutc|now|timestamp|duration|offset|[YmdHMS])\}|\{(?:utc|start|end|utcend|lutc|now|timestamp):[^{}]*\}/;
const BRACES = /\$?\{[^{}]*\}/g;
/** Words as some players write them, without braces. */
const BARE_WORD = /\$(?:utc|start|end|utcend|lutc|now|timestamp|duration|offset)(?![\w{])/;

/** A template is told by its signs: it may also hold placeholders that nobody knows, and these stay. */
export function isTemplate(url: string): boolean {
  return PLACEHOLDER_SIGNS.test(url) || (url.includes("{") && findPlaceholders(url).length > 0);
}

/** Whether a player is to fill something that nobody could fill in its place. */
export function hasUnknownWords(url: string): boolean {
  if (BARE_WORD.test(url)) return true;
  if (!url.includes("{")) return false;
  const known = new Set(findPlaceholders(url).map(({ index }) => index));
  return [...url.matchAll(BRACES)].some(({ index }) => !known.has(index));
}

/** Fills every placeholder. Undefined when one of them needs a time that is missing. */
export function renderTemplate(url: string, times: TemplateTimes): string | undefined {
  let rendered = "";
  let done = 0;
  for (const { text, index, fill } of findPlaceholders(url)) {
    const filled = fill(times);
    if (filled === undefined) return undefined;
    rendered += url.slice(done, index) + filled;
    done = index + text.length;
  }
  return rendered + url.slice(done);
}
