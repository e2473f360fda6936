/** The site as this program has it. A program that runs from its sources bundles it; the build replaces this module, see embed.ts. */
import { bundleSite } from "./bundle.ts";
import type { Site } from "./site.ts";

/** Quick; pages that leave the house come from an executable. */
const BROTLI_QUALITY = 5;

/** Takes a fraction of a second and memory: to be called once, when the first browser asks. */
export function loadSite(): Promise<Site> {
  return bundleSite(BROTLI_QUALITY);
}
