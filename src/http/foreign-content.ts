/**
 * What others have written and we hand out under our own name: no browser may take it for a page of ours (http.md section 25).
 * Programs do not mind any of this, nor does the script of a page that reads media by itself.
 */
import { type HeaderField, headerValue, isNamed } from "../wire/http/header-fields.ts";
import { cookieAt, cookiePath, setCookieName } from "../wire/http/set-cookie.ts";
import { TOKEN_NAME } from "./token.ts";

/** A document of this kind has an origin of its own, which is nobody's, and runs no script (CSP3, HTML section 7.1.5). */
export const SANDBOX: readonly HeaderField[] = [
  ["Content-Security-Policy", "sandbox"],
  ["X-Content-Type-Options", "nosniff"],
];

/** What is replaced, and what a server says for its whole host: here that would be us, and every other server behind us. */
const SPEAKS_FOR_US = new Set([
  ...["content-security-policy", "content-security-policy-report-only", "x-content-type-options"],
  ...["cross-origin-resource-policy", "service-worker-allowed", "clear-site-data", "strict-transport-security"],
  ...["public-key-pins", "alt-svc", "expect-ct", "origin-agent-cluster", "accept-ch", "critical-ch", "set-login"],
  ...["nel", "report-to", "reporting-endpoints", "use-as-dictionary", "speculation-rules", "refresh"],
]);

/** Types that no browser makes a document with scripts of. Everything else is downloaded when somebody opens it. */
const HARMLESS =
  /^[\t ]*(audio\/[\w.+-]+|video\/[\w.+-]+|font\/[\w.+-]+|image\/(?!svg)[\w.-]+|text\/(plain|css|csv|vtt)|application\/(json|octet-stream|mp4|vnd\.apple\.mpegurl|x-mpegurl))[\t ]*(;[^,]*)?$/i;
const ATTACHMENT = /^[\t ]*attachment[\t ]*(;|$)/i;
/** A client keeps the type of what it has. */
const WITHOUT_DOCUMENT: readonly number[] = [204, 304];

/** Where an answer came from, and where its client finds it. */
export interface ForeignAnswer {
  readonly status: number;
  readonly headers: readonly HeaderField[];
  /** Path and query that the server was asked for. */
  readonly upstreamPath: string;
  /** Our paths below which this server and no other is found, without a slash at their ends; that of the links is the last. */
  readonly hostPaths: readonly string[];
  /** Our path of this one answer, where that is not below those. */
  readonly channelPath: string | undefined;
  /** Pages of other sites have leave to embed what we serve (http.md section 6). */
  readonly isCors: boolean;
}

/** The headers of another server's answer, as its client may have them. */
export function confinedHeaders(answer: ForeignAnswer): HeaderField[] {
  const { headers, isCors } = answer;
  const kept = headers
    .filter(([name]) => !SPEAKS_FOR_US.has(name.toLowerCase()))
    .flatMap((field) => (isNamed(field, "set-cookie") ? confinedCookies(field, answer) : [field]));
  const reach: HeaderField = ["Cross-Origin-Resource-Policy", isCors ? "cross-origin" : "same-site"];
  return [...withDisposition(kept, answer.status), ...SANDBOX, reach];
}

function withDisposition(headers: HeaderField[], status: number): HeaderField[] {
  if (WITHOUT_DOCUMENT.includes(status)) return headers;
  const types = headers.filter((field) => isNamed(field, "content-type"));
  if (types.length === 1 && HARMLESS.test(types[0]![1])) return headers;
  const given = headerValue(headers, "content-disposition") ?? "";
  const others = headers.filter((field) => !isNamed(field, "content-disposition"));
  return [...others, ["Content-Disposition", ATTACHMENT.test(given) ? given : "attachment"]];
}

/**
 * One for each path by which the client comes back to this server; none in the place of the access token. FFmpeg keeps the last of a
 * name: that of the links.
 */
function confinedCookies([name, value]: HeaderField, answer: ForeignAnswer): HeaderField[] {
  const { upstreamPath, hostPaths, channelPath } = answer;
  const cookie = setCookieName(value);
  if (cookie === undefined || cookie.toLowerCase() === TOKEN_NAME) return [];
  const own = cookiePath(value, upstreamPath);
  const paths = hostPaths.map((path) => path + (own === "/" ? "" : own));
  if (channelPath !== undefined && !channelPath.includes(";")) paths.unshift(channelPath);
  return paths.map((path) => [name, cookieAt(value, path)]);
}
