/** The player page in Chromium: what a viewer does, and what of it reaches the server. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { MULTICAST_CHANNELS } from "../../src/demo/channels.ts";
import { TS_PACKET_BYTES } from "../../src/wire/mpegts/packet.ts";
import { until } from "../fakes/until.ts";
import { PlayerPages } from "./player-pages.ts";
import { bestZap, DESKTOP, PHONE, playing, title, utcMs, VIDEO } from "./viewer.ts";

const START_LIMIT_MS = 60_000;
const TEST_LIMIT_MS = 120_000;
const WAIT_MS = 20_000;
/** Two replay requests share so much (src/web/player/catchup.ts). */
const OVERLAP_S = 1;
/** Of the 16 s of a clip. */
const SOME_SECONDS_BYTES = 640 * TS_PACKET_BYTES;
const WEB_OS =
  "Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 WebAppManager";
const MAX_ZAP_MS = 1000;
/** Without the libraries that come with the first play. */
const MAX_SCRIPT_GZIP_BYTES = 60 * 1024;

let pages: PlayerPages;
beforeAll(async () => {
  pages = await PlayerPages.start();
}, START_LIMIT_MS);
afterAll(() => pages?.stop());

test(
  "plays, zaps in under a second, searches, takes numbers and links",
  () =>
    pages.on("", DESKTOP, async (page) => {
      await playing(page);
      expect(page.url()).toEndWith("/player#Sluice%20One");

      expect(await bestZap(page, MAX_ZAP_MS)).toBeLessThan(MAX_ZAP_MS);
      expect(await title(page)).toBe("2 Sluice Two");
      expect(pages.server.requests).toContain("/two");

      const search = page.getByRole("searchbox");
      await search.fill("REGIONAL 7");
      expect(await page.locator(".channels .entry").count()).toBe(1);
      await search.press("Enter");
      expect(await title(page)).toBe("13 Regional 7");
      expect(await search.inputValue()).toBe("");
      await search.press("Escape");

      await page.keyboard.press("1");
      await page.keyboard.press("2");
      expect(await page.locator(".number-entry").textContent()).toBe("12");
      await page.locator(".card", { hasText: "12 Regional 6" }).waitFor();
      expect(page.url()).toEndWith("#Regional%206");

      await page.evaluate(() => {
        location.hash = "#sluice%20two";
      });
      await page.locator(".card", { hasText: "2 Sluice Two" }).waitFor();
      expect(await page.evaluate(() => localStorage.getItem("rtp2httpd-player-last-channel-id"))).toBe('"2"');

      await page.getByRole("button", { name: "Films", exact: true }).click();
      expect(await page.locator(".channels .entry").count()).toBe(4);
      await playing(page);
    }),
  TEST_LIMIT_MS,
);

test(
  "replays from the guide and the timeline, and goes live again",
  () =>
    pages.on("#1", DESKTOP, async (page) => {
      await playing(page);
      await page.getByRole("tab", { name: "Guide" }).click();
      const past = page.locator(".guide .programme:not([disabled])", { hasNotText: "On air" }).last();
      const clock = (await past.locator(".number").textContent())!;
      const asked = page.waitForRequest(/catchup/);
      await past.click();
      const query = new URL((await asked).url()).searchParams;
      const [begin, end] = query.get("playseek")!.split("-").map(utcMs);
      const [hours, minutes] = clock.split(":").map(Number);
      const expected = new Date().setHours(hours!, minutes!, 0, 0);
      expect(begin).toBe(expected > Date.now() ? expected - 86_400_000 : expected);
      // The first request ends where the recording does.
      expect(Math.abs(end! - (Date.now() - 10_000))).toBeLessThan(9000);
      expect(Math.abs(Number(query.get("ago")) - (Date.now() - begin!) / 1000)).toBeLessThan(9);
      await playing(page);
      await page.mouse.move(300, 300);
      await page.getByRole("button", { name: "Go live" }).click();
      await page.locator(".live:not(.away)").waitFor();
      await playing(page);

      const askedBack = page.waitForRequest(/catchup/);
      const before = Date.now();
      for (let i = 0; i < 8; i++) await page.keyboard.press("ArrowLeft");
      const [back] = new URL((await askedBack).url()).searchParams.get("playseek")!.split("-").map(utcMs);
      expect(Date.now() - back!).toBeGreaterThanOrEqual(30_000);
      expect(before - back!).toBeLessThan(45_000);
    }),
  TEST_LIMIT_MS,
);

test(
  "goes on from one replay request to the next where it was",
  () =>
    pages.on("#1", DESKTOP, async (page) => {
      await playing(page);
      const clip = await Bun.file(MULTICAST_CHANNELS[0]!.clip).bytes();
      using _short = pages.server.answer(
        "/one/catchup",
        () => new Response(clip.slice(0, SOME_SECONDS_BYTES), { headers: { "Content-Type": "video/mp2t" } }),
      );
      const ranges: string[] = [];
      page.on("request", (request) => {
        const range = new URL(request.url()).searchParams.get("playseek");
        if (range) ranges.push(range);
      });
      // The first media are all new; a second of the next ones has been seen.
      const sought = page.evaluate(
        () =>
          new Promise<number>((resolve) =>
            document.addEventListener("seeking", ({ target }) => resolve((target as HTMLVideoElement).currentTime), {
              capture: true,
            }),
          ),
      );
      for (let i = 0; i < 8; i++) await page.keyboard.press("ArrowLeft");
      await until(() => ranges.length > 0, WAIT_MS, "the first request");
      const first = ranges.length;
      expect(await sought).toBe(OVERLAP_S);
      const [, end] = ranges[first - 1]!.split("-").map(utcMs);
      const [begin] = ranges[first]!.split("-").map(utcMs);
      expect(end! - begin!).toBe(OVERLAP_S * 1000);
      await playing(page);
    }),
  TEST_LIMIT_MS,
);

test(
  "says at once what the browser cannot decode, and asks only once",
  async () => {
    await pages.on("#4", DESKTOP, async (page) => {
      const panel = page.getByRole("alert");
      await panel.waitFor();
      expect(await panel.textContent()).toContain("H.265");
      expect(await panel.getByRole("link", { name: "Open in VLC" }).getAttribute("href")).toBe(
        `vlc://${pages.server.origin}/hevc`,
      );
      const download = page.waitForEvent("download");
      await panel.getByRole("button", { name: "Save as .m3u" }).click();
      const saved = await (await download).path();
      expect(await Bun.file(saved).text()).toContain(`${pages.server.origin}/hevc`);
      await panel.getByRole("button", { name: "Copy link" }).waitFor();
      expect(pages.server.requests.filter((path) => path === "/hevc")).toHaveLength(1);
    });
    await pages.on("#5", DESKTOP, async (page) => {
      const notice = page.getByRole("status").filter({ hasText: "AC-3" });
      await notice.waitFor();
      // The picture goes on.
      await playing(page);
      await notice.getByRole("button", { name: "Close" }).click();
      await notice.waitFor({ state: "detached" });
      expect(pages.server.requests.filter((path) => path === "/ac3")).toHaveLength(1);
    });
  },
  TEST_LIMIT_MS,
);

test(
  "plays HLS that only its content type tells, in another language and theme, on a phone",
  () =>
    pages.on("#sluice%20three", PHONE, async (page) => {
      await playing(page);
      const layout = await page.evaluate(() => {
        const [stage, side] = [".stage", ".side"].map((name) => document.querySelector(name)!.getBoundingClientRect());
        return {
          ratio: stage!.width / stage!.height,
          isBeneath: side!.top >= stage!.bottom,
          width: document.body.scrollWidth,
        };
      });
      expect(layout.ratio).toBeCloseTo(16 / 9, 1);
      expect(layout).toMatchObject({ isBeneath: true, width: 390 });

      await page.locator(".side").getByRole("button", { name: "Settings" }).click();
      await page.locator(".side select[name=locale]").selectOption("zh-Hant");
      await page.locator(".side").getByRole("tab", { name: "頻道" }).waitFor();
      await page.locator(".side select[name=theme]").selectOption("light");
      const root = page.locator("html");
      expect([await root.getAttribute("lang"), await root.getAttribute("data-theme")]).toEqual(["zh-Hant", "light"]);
      await page.reload();
      await page.locator(".side").getByRole("tab", { name: "頻道" }).waitFor();
      expect(await root.getAttribute("data-theme")).toBe("light");
    }),
  TEST_LIMIT_MS,
);

test(
  "leaves the URL to the television set's own player",
  async () => {
    const film = await mp4();
    await pages.on("", { ...DESKTOP, userAgent: WEB_OS }, async (page) => {
      // Chromium does not play what the server sends.
      using _film = pages.server.answer("/two", () => new Response(film, { headers: { "Content-Type": "video/mp4" } }));
      await page.evaluate(() => {
        location.hash = "#2";
      });
      await playing(page);
      expect(await page.locator(VIDEO).getAttribute("src")).toBe("/two");
      expect(await page.locator("html").getAttribute("data-appearance")).toBe("simple");
      await page.mouse.move(300, 300);
      await page.locator(".controls").getByRole("button", { name: "Settings" }).click();
      // One decoder is all it has.
      expect(await page.getByLabel("Seamless switching").count()).toBe(0);
    });
  },
  TEST_LIMIT_MS,
);

/** What Chromium plays without help, made of a demonstration clip. */
async function mp4(): Promise<ArrayBuffer> {
  const child = Bun.spawn(
    ["ffmpeg", "-nostdin", "-v", "error", "-i", MULTICAST_CHANNELS[1]!.clip, "-c", "copy", "-f", "mp4"].concat([
      "-bsf:a",
      "aac_adtstoasc",
      "-movflags",
      "frag_keyframe+empty_moov",
      "-",
    ]),
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  return new Response(child.stdout).arrayBuffer();
}

test(
  "the script is small, and says what is wrong without a playlist",
  async () => {
    const script = await (await fetch(`${pages.server.origin}/assets/main.js`)).bytes();
    expect(Bun.gzipSync(script, { level: 9 }).length).toBeLessThan(MAX_SCRIPT_GZIP_BYTES);
    const { page, close } = await pages.browser.newPage(DESKTOP);
    await page.route("**/playlist.m3u", (route) => route.fulfill({ status: 404, body: "" }), { times: 1 });
    await page.goto(`${pages.server.origin}/player#6`);
    const panel = page.getByRole("alert");
    await panel.waitFor();
    expect(await panel.textContent()).toContain(`${pages.server.origin}/playlist.m3u`);
    await panel.getByRole("button", { name: "Try again" }).click();
    // Channel 6 is not there: after three more tries the answer is told.
    await page.locator(".panel", { hasText: "404" }).waitFor();
    expect(pages.server.requests.filter((path) => path === "/closed")).toHaveLength(4);
    await close();
  },
  TEST_LIMIT_MS,
);
