/** The site, loaded when the first browser asks: an idle program has no memory for it. */
import type { Site } from "../web/site.ts";

let loading: Promise<Site> | undefined;

/** Rejects with what `loadSite` throws; the next call tries again. */
export function site(): Promise<Site> {
  loading ??= import("../web/load-site.ts")
    .then(({ loadSite }) => loadSite())
    .catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
  return loading;
}
