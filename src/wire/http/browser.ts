/** Whether a browser asks, whose user has not chosen what it sends along: cookies of the whole host, and where it comes from. */
import { type HeaderField, headerValue } from "./header-fields.ts";

const BROWSER = /^Mozilla\/5\.0 /;

/**
 * Browsers say `Sec-Fetch-…` (Fetch Metadata), but not to a plain-HTTP address: there they are known by what they send together.
 * Programs that call themselves Mozilla do not say which languages they read.
 */
export function isBrowser(headers: readonly HeaderField[]): boolean {
  if (headers.some(([name]) => /^sec-fetch-/i.test(name))) return true;
  const isNamedSo = BROWSER.test(headerValue(headers, "user-agent") ?? "");
  return isNamedSo && ["accept-language", "accept-encoding"].every((name) => headerValue(headers, name) !== undefined);
}
