/** The status page and the player page (http.md section 21): HTML from the site, with what the settings put into it. */
import type { HttpResponse } from "../http/response.ts";
import type { Page, PageName, Site } from "../web/site.ts";
import { escapeHtml } from "../wire/http/html.ts";
import { utf8Encode } from "../wire/text/byte-string.ts";
import { type PathPrefix, withoutTrailingSlash } from "../wire/url/path-prefix.ts";
import { framePolicy, hashSource, type Policy, pageResponse } from "./page-response.ts";
import type { Route } from "./route.ts";

export interface PagesOptions {
  /** With one leading slash and none at the end. */
  readonly statusPagePath: string;
  readonly playerPagePath: string;
  readonly appPathPrefix: PathPrefix | undefined;
  readonly corsAllowOrigin: string | undefined;
  /** 0 to 4. */
  readonly verbosity: number;
}

/** Logos of channels may be anywhere: the playlist says so. */
const POLICY: Policy = {
  "style-src": "'self'",
  "img-src": "'self' data: http: https:",
  "media-src": "'self' blob:",
  "connect-src": "'self'",
  "manifest-src": "'self'",
};
const HEAD = "<head>";

export function pagesRoute(options: PagesOptions, site: () => Promise<Site>): Route {
  // Where both have one path, the status page has it.
  const names = new Map<string, PageName>([
    [utf8Encode(options.playerPagePath), "player"],
    [utf8Encode(options.statusPagePath), "status"],
  ]);
  return ({ path, connection }) => {
    const name = names.get(withoutTrailingSlash(path));
    if (name === undefined) return false;
    site().then(
      ({ pages }) => connection.respond(configuredPage(pages[name], options)),
      (error: unknown) => connection.failed(error),
    );
    return true;
  };
}

function configuredPage({ html, scripts }: Page, options: PagesOptions): HttpResponse {
  const { appPathPrefix: prefix, corsAllowOrigin, verbosity } = options;
  const appPathPrefix = prefix ?? "";
  const config = scriptJson({ appPathPrefix, logLevel: verbosity });
  const script = `window.__RTP2HTTPD_CONFIG__=${config};`;
  const injected = `\n    <base href="${escapeHtml(appPathPrefix)}/">\n    <script>${script}</script>`;
  const scriptSources = ["'self'", ...[script, ...scripts].map(hashSource)].join(" ");
  return pageResponse(
    html.replace(HEAD, () => HEAD + injected),
    { ...framePolicy(corsAllowOrigin), ...POLICY, "script-src": scriptSources },
  );
}

/** JSON that cannot end the script it stands in. */
function scriptJson(value: unknown): string {
  const escapes: Readonly<Record<string, string>> = { "<": "\\u003c", ">": "\\u003e", "&": "\\u0026" };
  return JSON.stringify(value).replace(/[<>&]/g, (character) => escapes[character]!);
}
