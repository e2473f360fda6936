/** URLs in our answers that lead back to this relay: what they begin with, and the token they carry (m3u.md section 7). */
import type { OwnLinks } from "../upstream/planner.ts";
import type { BaseUrlRules } from "../wire/url/base-url.ts";
import { type PathPrefix, prefixBytes } from "../wire/url/path-prefix.ts";
import { percentEncodeText } from "../wire/url/percent.ts";
import type { PublicHost } from "../wire/url/public-host.ts";

interface OwnLinksOptions {
  readonly hostname: PublicHost | undefined;
  /** Believe `X-Forwarded-Host` and `X-Forwarded-Proto`. */
  readonly xff: boolean;
  readonly r2hToken: string | undefined;
  readonly appPathPrefix: PathPrefix | undefined;
  readonly useRelativePathInM3u: boolean;
}

/** @param local as in `BaseUrlRules`; read only when it is needed */
export function ownLinks(options: OwnLinksOptions, local: () => BaseUrlRules["local"]): OwnLinks {
  return {
    rules: {
      relative: options.useRelativePathInM3u,
      appPathPrefix: prefixBytes(options.appPathPrefix),
      trustForwarded: options.xff,
      hostname: options.hostname,
      get local() {
        return local();
      },
    },
    encodedToken: options.r2hToken ? percentEncodeText(options.r2hToken) : undefined,
  };
}
