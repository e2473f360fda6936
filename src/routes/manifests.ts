/** `/status.webmanifest` and `/player.webmanifest`: the pages as programs that one can install (http.md section 21). */

import type { PageName } from "../web/site.ts";
import { type PathPrefix, withoutTrailingSlash } from "../wire/url/path-prefix.ts";
import { percentEncodeText } from "../wire/url/percent.ts";
import type { Route } from "./route.ts";

export interface ManifestsOptions {
  /** With one leading slash and none at the end. */
  readonly statusPagePath: string;
  readonly playerPagePath: string;
  readonly appPathPrefix: PathPrefix | undefined;
  readonly r2hToken: string | undefined;
}

interface Texts {
  /** Those of the long name; the short one has `R2H` for `rtp2httpd`. */
  readonly chinese: string;
  readonly english: string;
  readonly color: string;
}

const TEXTS: Readonly<Record<PageName, Texts>> = {
  status: { chinese: "rtp2httpd 面板", english: "rtp2httpd Status", color: "#090b1a" },
  player: { chinese: "rtp2httpd 播放器", english: "rtp2httpd Player", color: "#050b18" },
};
const ICON_SIZES = [192, 512];

export function manifestsRoute(options: ManifestsOptions): Route {
  return ({ path, connection }) => {
    const name = pageOf(withoutTrailingSlash(path));
    if (name === undefined) return false;
    const body = JSON.stringify(manifest(name, options));
    connection.respond({
      status: 200,
      headers: [
        ["Content-Type", "application/manifest+json; charset=utf-8"],
        ["Content-Length", String(Buffer.byteLength(body))],
        ["Cache-Control", "no-cache"],
      ],
      body,
    });
    return true;
  };
}

function pageOf(path: string): PageName | undefined {
  if (path === "/status.webmanifest") return "status";
  return path === "/player.webmanifest" ? "player" : undefined;
}

function manifest(page: PageName, options: ManifestsOptions) {
  const { appPathPrefix = "", statusPagePath, playerPagePath, r2hToken } = options;
  const { chinese, english, color } = TEXTS[page];
  const path = appPathPrefix + (page === "status" ? statusPagePath : playerPagePath);
  const token = r2hToken ? `?r2h-token=${percentEncodeText(r2hToken)}` : "";
  return {
    lang: "zh-Hans",
    dir: "ltr",
    display: "standalone",
    name: chinese,
    short_name: short(chinese),
    name_localized: localized(chinese, english),
    short_name_localized: localized(short(chinese), short(english)),
    id: path,
    scope: path,
    start_url: path + token,
    theme_color: color,
    background_color: color,
    icons: ICON_SIZES.map((size) => ({
      src: `${appPathPrefix}/assets/icon-${size}.png`,
      sizes: `${size}x${size}`,
      type: "image/png",
    })),
  };
}

function short(name: string): string {
  return name.replace("rtp2httpd", "R2H");
}

/** The Chinese names are written alike in both scripts. */
function localized(chinese: string, english: string) {
  return { "zh-Hans": chinese, "zh-Hant": chinese, en: english };
}
