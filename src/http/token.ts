/** The access token `r2h-token` in requests and answers (http.md section 7). */

import { cookieValue } from "../wire/http/cookie.ts";
import { type HeaderField, headerValue } from "../wire/http/header-fields.ts";
import { trimBlanks } from "../wire/text/blanks.ts";
import { asByteString, type ByteString } from "../wire/text/byte-string.ts";
import { percentDecode } from "../wire/url/percent.ts";
import { queryParameter } from "../wire/url/query.ts";

export const TOKEN_NAME = "r2h-token";

const USER_AGENT_MARKER = /R2HTOKEN\/([^ \t]*)/;
/** A client that appends `?r2h-token=…` to a URL which has a query already. */
const SECOND_QUERY = /\?r2h-token=.*$/is;

export type TokenSource = "query" | "cookie" | "user-agent";

interface PresentedToken {
  readonly source: TokenSource;
  /** Decoded; undefined when it holds an invalid escape. */
  readonly value: ByteString | undefined;
}

/** What the first of the three sources that carries a token carries; those behind it do not count. */
export function presentedToken(query: ByteString, headers: readonly HeaderField[]): PresentedToken | undefined {
  const parameter = queryParameter(query, TOKEN_NAME);
  if (parameter !== undefined) return { source: "query", value: parameter };
  const cookie = cookieValue(headerValue(headers, "cookie") ?? "", TOKEN_NAME);
  if (cookie !== undefined) return { source: "cookie", value: percentDecode(asByteString(cookie)) };
  const [, word] = USER_AGENT_MARKER.exec(headerValue(headers, "user-agent") ?? "") ?? [];
  return word ? { source: "user-agent", value: asByteString(word) } : undefined;
}

/**
 * Takes the token out of a query, however often it is there and however its name is written; all other bytes stay.
 * @param query without `?`
 */
export function withoutToken<T extends string>(query: T): T {
  const parameters = query.split("&").map((parameter) => parameter.replace(SECOND_QUERY, ""));
  return parameters.filter((parameter) => !isToken(parameter)).join("&") as T;
}

/** Takes the token out of the query of a URL. */
export function withoutTokenInUrl(url: string): string {
  const start = url.indexOf("?");
  if (start < 0) return url;
  const query = withoutToken(url.slice(start + 1));
  return url.slice(0, start) + (query === "" ? "" : `?${query}`);
}

/** Takes the word with the token out of a User-Agent, with the blank before it. */
export function withoutTokenWord(userAgent: string): string {
  return trimBlanks(userAgent.replace(/[ \t]?R2HTOKEN\/[^ \t]*/gi, ""));
}

function isToken(parameter: string): boolean {
  const name = asByteString(parameter.split("=", 1)[0]!);
  return (percentDecode(name) ?? name).toLowerCase() === TOKEN_NAME;
}

/** The value of `Set-Cookie` that lets a browser go on without the token in its URLs. */
export function tokenCookie(encodedToken: string, path: string, isSecure: boolean): string {
  // Lax: a link on another page still leads to ours. What changes something asks for more (`request-origin.ts`).
  return `${TOKEN_NAME}=${encodedToken}; Path=${path}; HttpOnly; SameSite=Lax${isSecure ? "; Secure" : ""}`;
}
