/** What people get to see, in the log, on the status page and in answers, without what is secret (config.md section 13). */
import { maskUrls, maskValues, secretPattern } from "../wire/url/mask.ts";

/** Earlier ones stay secret, as what is shown may be about streams of earlier settings. */
const MOST_SECRETS = 64;

let secrets: readonly string[] = [];
let pattern: RegExp | undefined;

/** Adds what this process must never show, whoever asks for it to be shown. */
export function keepSecret(values: readonly string[]): void {
  const all = [...new Set([...values, ...secrets])].slice(0, MOST_SECRETS);
  if (all.length === secrets.length && values.every((value) => secrets.includes(value))) return;
  secrets = all;
  pattern = secretPattern(all);
}

/** Whether a text has one of them in it, as it is or percent-encoded. */
export function holdsSecret(text: string): boolean {
  return maskValues(text, pattern) !== text;
}

/**
 * Text, or a byte string, with every token and password masked: by its place in a URL or header, and by its value if the
 * settings have it. Call it before cutting: half a password is none that can be found.
 */
export function shown<T extends string>(text: T): T {
  return maskUrls(maskValues(text, pattern));
}
