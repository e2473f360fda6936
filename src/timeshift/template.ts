/** URLs with placeholders for times: which ones are templates, and what becomes of them (m3u.md sections 12.2 and 12.3). */
import { findPlaceholders, type TemplateTimes } from "./placeholders.ts";

const PLACEHOLDER_SIGNS =
  /\$\{|\{\([be]\)|\{(?:utc|start|end|utcend|lutc|now|timestamp|duration|offset|[YmdHMS])\}|\{(?:utc|start|end|utcend|lutc|now|timestamp):[^{}]*\}/;

/** A template is told by its signs: it may also hold placeholders that nobody knows, and these stay. */
export function isTemplate(url: string): boolean {
  return PLACEHOLDER_SIGNS.test(url);
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
