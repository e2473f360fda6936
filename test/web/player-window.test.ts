/** The player page in Chromium: fingers, full screen, picture in picture, and switching without a gap. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { BrowserContextOptions, CDPSession, Page } from "playwright-core";
import { until } from "../fakes/until.ts";
import { PlayerPages } from "./player-pages.ts";
import { DESKTOP, playing, title, VIDEO } from "./viewer.ts";

const START_LIMIT_MS = 60_000;
const TEST_LIMIT_MS = 120_000;
const TABLET: BrowserContextOptions = { ...DESKTOP, viewport: { width: 1024, height: 768 }, hasTouch: true };
const DRAG_STEPS = 8;
const WAIT_MS = 20_000;
/** Two taps that are further apart are no double tap. */
const DOUBLE_TAP_MS = 400;

interface PipWindow {
  readonly documentPictureInPicture: { requestWindow(options: { width: number; height: number }): Promise<Window> };
}

let pages: PlayerPages;
beforeAll(async () => {
  pages = await PlayerPages.start();
}, START_LIMIT_MS);
afterAll(() => pages?.stop());

/** One finger from one place to another, in shares of the picture. */
async function drag(page: Page, finger: CDPSession, from: readonly [number, number], to: readonly [number, number]) {
  const { x, y, width, height } = (await page.locator(".surface").boundingBox())!;
  const at = (share: number) => ({
    x: x + width * (from[0] + (to[0] - from[0]) * share),
    y: y + height * (from[1] + (to[1] - from[1]) * share),
  });
  await finger.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [at(0)] });
  for (let step = 1; step <= DRAG_STEPS; step++) {
    await finger.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: [at(step / DRAG_STEPS)] });
  }
  await finger.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
}

/** All of it is on its way at once: a busy machine would otherwise be too slow for one. */
async function doubleTap(finger: CDPSession): Promise<void> {
  const touch = (type: "touchStart" | "touchEnd", touchPoints: { x: number; y: number }[]) =>
    finger.send("Input.dispatchTouchEvent", { type, touchPoints });
  await Promise.all([
    ...[touch("touchStart", [{ x: 300, y: 300 }]), touch("touchEnd", [])],
    ...[touch("touchStart", [{ x: 305, y: 304 }]), touch("touchEnd", [])],
  ]);
}

function volume(page: Page): Promise<number> {
  return page.evaluate((selector) => document.querySelector<HTMLVideoElement>(selector)!.volume, VIDEO);
}

test(
  "fingers show the controls, pause, change channels and volume, and seek",
  () =>
    pages.on("#1", TABLET, async (page) => {
      await playing(page);
      const finger = await page.context().newCDPSession(page);
      await page.locator(".stage.idle").waitFor();
      await page.touchscreen.tap(300, 300);
      await page.locator(".stage:not(.idle)").waitFor();
      await page.waitForTimeout(DOUBLE_TAP_MS);
      await page.touchscreen.tap(300, 300);
      await page.locator(".stage.idle").waitFor();

      await page.waitForTimeout(DOUBLE_TAP_MS);
      await doubleTap(finger);
      await page.waitForFunction((selector) => document.querySelector<HTMLVideoElement>(selector)!.paused, VIDEO);
      await page.waitForTimeout(DOUBLE_TAP_MS);
      await doubleTap(finger);
      await playing(page);

      await drag(page, finger, [0.8, 0.3], [0.8, 0.6]);
      expect(await volume(page)).toBeCloseTo(0.5, 1);
      await drag(page, finger, [0.8, 0.6], [0.8, 0.45]);
      expect(await volume(page)).toBeCloseTo(0.75, 1);

      const asked = page.waitForRequest(/catchup/);
      await drag(page, finger, [0.8, 0.5], [0.2, 0.5]);
      await asked;
      await page.locator(".live.away").waitFor({ state: "attached" });
      await playing(page);

      await drag(page, finger, [0.2, 0.5], [0.2, 0.55]);
      expect(await title(page)).toBe("1 Sluice One");
      await drag(page, finger, [0.2, 0.4], [0.2, 0.7]);
      expect(await title(page)).toBe("2 Sluice Two");
      await playing(page);
      await drag(page, finger, [0.2, 0.7], [0.2, 0.4]);
      expect(await title(page)).toBe("1 Sluice One");
      await playing(page);
    }),
  TEST_LIMIT_MS,
);

describe("full screen", () => {
  test(
    "covers the page, and hides the side",
    () =>
      pages.on("#2", DESKTOP, async (page) => {
        await playing(page);
        await page.keyboard.press("f");
        await page.waitForFunction(() => document.fullscreenElement === document.documentElement);
        await page.locator(".app.alone").waitFor();
        expect(await page.locator(".side").isVisible()).toBe(false);
        await page.keyboard.press("f");
        await page.waitForFunction(() => document.fullscreenElement === null);
        await page.locator(".side").waitFor();
        await playing(page);
      }),
    TEST_LIMIT_MS,
  );

  test(
    "fills the page where the browser refuses",
    () =>
      pages.on("#2", DESKTOP, async (page) => {
        await playing(page);
        await page.evaluate(() => {
          document.documentElement.requestFullscreen = () => Promise.reject(new TypeError("not here"));
        });
        await page.keyboard.press("f");
        await page.locator(".app.alone").waitFor();
        expect(await page.locator(".stage").boundingBox()).toEqual({ x: 0, y: 0, width: 1440, height: 900 });
        await page.keyboard.press("f");
        await page.locator(".side").waitFor();
      }),
    TEST_LIMIT_MS,
  );

  test(
    "is the video player of a phone that has nothing else",
    () =>
      pages.on("#2", DESKTOP, async (page) => {
        await playing(page);
        await page.evaluate(() => {
          Object.defineProperty(Element.prototype, "requestFullscreen", { value: undefined });
          Object.defineProperty(HTMLVideoElement.prototype, "webkitEnterFullscreen", {
            value(this: HTMLVideoElement) {
              document.title = `native ${this.matches(":not(.unseen)")}`;
            },
          });
        });
        await page.keyboard.press("f");
        expect(await page.title()).toBe("native true");
      }),
    TEST_LIMIT_MS,
  );
});

describe("picture in picture", () => {
  const pipButton = (page: Page) => page.getByRole("button", { name: "Picture in picture" });

  test(
    "is a window with all controls, until full screen begins",
    () =>
      pages.on("#1", DESKTOP, async (page) => {
        await playing(page);
        const opened = page.context().waitForEvent("page");
        // The browser of the test makes every window as large as the first.
        const size = page.evaluate(
          () =>
            new Promise<{ width: number; height: number }>((resolve) => {
              const { documentPictureInPicture: pip } = window as unknown as PipWindow;
              const open = pip.requestWindow.bind(pip);
              pip.requestWindow = (options) => {
                resolve(options);
                return open(options);
              };
            }),
        );
        await page.mouse.move(300, 300);
        await pipButton(page).click();
        const window = await opened;
        await window.locator(".stage .controls").waitFor();
        const { width, height } = await size;
        expect(width).toBeWithin(320, 641);
        expect(width / height).toBeCloseTo(16 / 9, 1);
        await playing(window);
        // Keys work there too.
        await window.keyboard.press("ArrowDown");
        await window.locator(".card", { hasText: "2 Sluice Two" }).waitFor();
        await playing(window);
        expect(await page.locator(".stage").count()).toBe(0);
        await page.getByRole("button", { name: "Bring it back" }).waitFor();
        await page.bringToFront();
        await page.keyboard.press("f");
        await page.locator(".stage").waitFor();
        await page.waitForFunction(() => document.fullscreenElement !== null);
        await until(() => window.isClosed(), WAIT_MS, "the end of the window");
        expect(await page.getByRole("button", { name: "Bring it back" }).isVisible()).toBe(false);
        await playing(page);
      }),
    TEST_LIMIT_MS,
  );

  test(
    "is the bare video when that is chosen",
    () =>
      pages.on("#1", DESKTOP, async (page) => {
        await playing(page);
        await page.evaluate(() => localStorage.setItem("rtp2httpd-player-picture-in-picture-mode", "video"));
        await page.reload();
        await playing(page);
        await page.mouse.move(300, 300);
        await pipButton(page).click();
        await page.waitForFunction((seen) => document.pictureInPictureElement?.matches(seen), VIDEO);
        // The window stays, whatever is played in it.
        await page.keyboard.press("ArrowDown");
        await page.locator(".card", { hasText: "2 Sluice Two" }).waitFor();
        await playing(page);
        expect(await page.evaluate((seen) => document.pictureInPictureElement?.matches(seen), VIDEO)).toBe(true);
        await page.mouse.move(310, 310);
        await pipButton(page).click();
        await page.waitForFunction(() => document.pictureInPictureElement === null);
      }),
    TEST_LIMIT_MS,
  );
});

describe("a seamless switch", () => {
  test(
    "shows the old channel until the new one plays, and keeps one stream",
    () =>
      pages.on("#1", DESKTOP, async (page) => {
        await playing(page);
        const old = await page.locator(VIDEO).elementHandle();
        using two = hold("/two");
        await page.keyboard.press("ArrowDown");
        await page.locator(".card", { hasText: "2 Sluice Two" }).waitFor();
        await playing(page);
        expect(await old!.evaluate((video) => video.matches(":not(.unseen)"))).toBe(true);
        two.release();
        await page.waitForFunction((video) => video?.matches(".unseen"), old);
        await playing(page);
        expect(await old!.evaluate((video) => (video as HTMLVideoElement).readyState)).toBe(0);
        expect(await page.locator("video").count()).toBe(2);
        expect(await page.evaluate((seen) => document.querySelector<HTMLVideoElement>(seen)!.muted, VIDEO)).toBe(false);
        await until(() => pages.server.openStreams.join() === "/two", WAIT_MS, "the old stream to end");
      }),
    TEST_LIMIT_MS,
  );

  test(
    "ends at once when the new channel fails, or when the viewer wants to stop",
    () =>
      pages.on("#1", DESKTOP, async (page) => {
        await playing(page);
        const broken = pages.server.answer("/two", () => new Response("no media"));
        await page.keyboard.press("ArrowDown");
        await page.locator(".panel").getByRole("button", { name: "Try again" }).waitFor();
        broken[Symbol.dispose]();
        await page.locator(".panel").getByRole("button", { name: "Try again" }).click();
        await playing(page);
        using one = hold("/one");
        await page.keyboard.press("ArrowUp");
        await page.locator(".card", { hasText: "1 Sluice One" }).waitFor();
        await page.keyboard.press(" ");
        one.release();
        await page.waitForFunction((seen) => document.querySelector<HTMLVideoElement>(seen)!.readyState >= 2, VIDEO);
        await page.getByRole("button", { name: "Play", exact: true }).waitFor();
        expect(await page.evaluate((seen) => document.querySelector<HTMLVideoElement>(seen)!.paused, VIDEO)).toBe(true);
        await page.keyboard.press(" ");
        await playing(page);
      }),
    TEST_LIMIT_MS,
  );

  test(
    "can be switched off",
    () =>
      pages.on("#1", DESKTOP, async (page) => {
        await playing(page);
        await page.mouse.move(300, 300);
        await page.locator(".controls").getByRole("button", { name: "Settings" }).click();
        await page.locator(".controls").getByLabel("Seamless switching").uncheck();
        expect(await page.evaluate(() => localStorage.getItem("rtp2httpd-player-seamless-switch"))).toBe("false");
        await page.keyboard.press("Escape");
        using two = hold("/two");
        await page.keyboard.press("ArrowDown");
        await page.waitForFunction((seen) => document.querySelector<HTMLVideoElement>(seen)!.readyState === 0, VIDEO);
        two.release();
        await playing(page);
      }),
    TEST_LIMIT_MS,
  );

  /** Requests for `path` wait until the returned function is called. */
  function hold(path: string): Disposable & { readonly release: () => void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    const held = pages.server.answer(path, async (usual) => {
      await promise;
      return usual();
    });
    return {
      release: resolve,
      [Symbol.dispose]() {
        resolve();
        held[Symbol.dispose]();
      },
    };
  }
});
