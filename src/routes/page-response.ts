/** Answers that are pages, with the headers that keep foreign content out of them. */
import type { HttpResponse } from "../http/response.ts";

/** Directives of a Content-Security-Policy (CSP3), by name. */
export type Policy = Readonly<Record<string, string>>;

/** What is not allowed is forbidden. A page of ours may stand in a frame of ours only, and send no form. */
const BASE_POLICY: Policy = {
  "default-src": "'none'",
  "base-uri": "'self'",
  "form-action": "'none'",
  "frame-ancestors": "'self'",
};

/**
 * @param html as bytes where it is long, which all clients then share
 * @param policy what the page needs beyond its own text
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
