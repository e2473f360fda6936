/** What a viewer sees and does on the player page, for tests in a real browser. */
import type { BrowserContextOptions, Page } from "playwright-core";

export const DESKTOP: BrowserContextOptions = {
  viewport: { width: 1440, height: 900 },
  locale: "en",
  colorScheme: "dark",
};
export const PHONE: BrowserContextOptions = {
  ...DESKTOP,
  viewport: { width: 390, height: 844 },
  hasTouch: true,
  isMobile: true,
};
/** The one that is seen; another may load out of sight. */
export const VIDEO = "video:not(.unseen)";

/** Until pictures move. */
export async function playing(page: Page): Promise<void> {
  await page.waitForFunction((selector) => {
    const video = document.querySelector<HTMLVideoElement>(selector);
    return video !== null && !video.paused && video.readyState >= 3 && video.currentTime > 0.2;
  }, VIDEO);
  const before = await page.evaluate(
    (selector) => document.querySelector<HTMLVideoElement>(selector)!.currentTime,
    VIDEO,
  );
  await page.waitForFunction(
    ([selector, time]) => {
      const { currentTime } = document.querySelector<HTMLVideoElement>(selector)!;
      // Another video may have taken its place.
      return currentTime > time + 0.3 || currentTime < time;
    },
    [VIDEO, before] as const,
  );
}

type ZapKey = "ArrowDown" | "ArrowUp";

/** Goes to the next channel, or the one before. Returns ms from the key to the first moving picture. */
export function zap(page: Page, key: ZapKey = "ArrowDown"): Promise<number> {
  return page.evaluate(async (pressed) => {
    const start = performance.now();
    const isPlaying = new Promise((resolve) =>
      document.addEventListener("playing", resolve, { once: true, capture: true }),
    );
    dispatchEvent(new KeyboardEvent("keydown", { key: pressed }));
    await isPlaying;
    return performance.now() - start;
  }, key);
}

/** What a busy machine gets to be quick. */
const ZAPS = 5;

/** Goes to the next channel, to and fro until that took less than `enoughMs`. Returns the least ms, as `zap` does. */
export async function bestZap(page: Page, enoughMs: number): Promise<number> {
  let best = await zap(page);
  for (let i = 1; i < ZAPS && best >= enoughMs; i++) {
    await zap(page, "ArrowUp");
    best = Math.min(best, await zap(page));
  }
  return best;
}

/** Number and name of the channel on the card. */
export function title(page: Page): Promise<string | null> {
  return page.locator(".card .name").textContent();
}

/** `YYYYMMDDhhmmss` of UTC in ms since 1970. */
export function utcMs(text: string): number {
  return Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/, "$1-$2-$3T$4:$5:$6Z"));
}
