/** Answers that are pages, with the headers that keep foreign content out of them. */
import type { HttpResponse } from "../http/response.ts";

/** Directives of a Content-Security-Policy (CSP3), by name. */
export type Policy = Readonly<Record<string, string>>;

/** What is not allowed is forbidden. A page of ours sends no form. */
const BASE_POLICY: Policy = { "default-src": "'none'", "base-uri": "'self'", "form-action": "'none'" };
/** What a policy can name (CSP3 section 2.3.1): no IPv6 address. */
const NAMED_ORIGIN = /^https?:\/\/[A-Za-z0-9.-]+(:\d+)?$/;

/**
 * In whose frames a page of ours may stand: our own, and those of the one origin that may use the relay. `*` is not meant
 * to let every page put our buttons under its visitors' clicks.
 */
export function framePolicy(corsAllowOrigin: string | undefined): Policy {
  const others = corsAllowOrigin && NAMED_ORIGIN.test(corsAllowOrigin) ? ` ${corsAllowOrigin}` : "";
  return { "frame-ancestors": `'self'${others}` };
}

/**
 * @param html as bytes where it is long, which all clients then share
 * @param policy what the page needs beyond its own text, and `framePolicy`
 */
export function pageResponse(html: string | Uint8Array, policy: Policy): HttpResponse {
  const directives = Object.entries({ ...BASE_POLICY, ...policy }).map(([name, sources]) => `${name} ${sources}`);
  return {
    status: 200,
    headers: [
      ["Content-Type", "text/html; charset=utf-8"],
      ["Connection", "close"],
      ["Content-Length", String(typeof html === "string" ? Buffer.byteLength(html) : html.length)],
      ["Cache-Control", "no-cache"],
      ["Content-Security-Policy", directives.join("; ")],
      ["X-Content-Type-Options", "nosniff"],
      // The address of a page may hold the token.
      ["Referrer-Policy", "same-origin"],
    ],
    body: html,
  };
}

/** What allows a script or a style that stands in a page (CSP3 section 6.7.3.3). */
export function hashSource(text: string): string {
  return `'sha256-${new Bun.CryptoHasher("sha256").update(text).digest("base64")}'`;
}
