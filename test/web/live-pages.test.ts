/**
 * Both pages as a person uses them: in Chromium, with the executable's demo. Its groups are the same on every machine, so
 * it runs in a network namespace, where no other demo is.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { BrowserContextOptions } from "playwright-core";
import { TestBrowser, type WatchedPage } from "../browser.ts";
import { forVariant, type Sluice, type Start } from "../e2e/harness.ts";
import { describeInNamespace } from "../fakes/namespace.ts";
import { bestZap, DESKTOP, PHONE, playing, utcMs, zap } from "./viewer.ts";

const LIMIT_MS = 150_000;
const START_MS = 60_000;
const TEST_MS = 120_000;
/** From the key to the first moving picture of the other channel. */
const MAX_ZAP_MS = 1000;
const DAY_MS = 86_400_000;
/** What may pass between the page's look at the clock and ours. */
const CLOCK_TOLERANCE_MS = 9000;
/** The page asks for nothing that is newer (src/web/player/catchup.ts). */
const RECORDING_DELAY_MS = 10_000;
const USER_AGENT = "Sitting-Room/1.0";
/** Among the cells of a row, after its heading. */
const SENT_COLUMN = 4;
const WORKER = /Worker (\d+)\s*PID (\d+)/;
const CHANNELS = ["sluice one", "sluice two", "sluice three", "sluice four", "sluice five", "sluice six"];
const NOTEBOOK: BrowserContextOptions = { ...DESKTOP, viewport: { width: 1280, height: 800 } };
/** How Chromium names a request that was cut off, or that met nobody. */
const CUT_OFF = /net::ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE|INCOMPLETE_CHUNKED_ENCODING) \(/;

/** What went wrong on a page but for requests below `path` that the test itself cut off. */
function problemsOf({ problems }: WatchedPage, path: string): string[] {
  return problems.filter((problem) => !(CUT_OFF.test(problem) && problem.includes(path)));
}

function define(start: Start): void {
  let sluice: Sluice;
  let browser: TestBrowser;
  beforeAll(async () => {
    [sluice, browser] = await Promise.all([start({ command: "demo" }), TestBrowser.launch()]);
  }, START_MS);
  afterAll(() => browser?.close());

  async function open(path: string, options: BrowserContextOptions): Promise<WatchedPage> {
    const watched = await browser.newPage(options);
    await watched.page.goto(sluice.url + path);
    return watched;
  }

  test(
    "a viewer plays, zaps, follows a link and replays a programme",
    async () => {
      const watched = await open("/player", NOTEBOOK);
      const { page, problems } = watched;
      await playing(page);
      expect(page.url()).toEndWith("/player#sluice%20one");
      expect(await page.locator(".channels .entry .name").allTextContents()).toEqual(CHANNELS);
      expect(await bestZap(page, MAX_ZAP_MS)).toBeLessThan(MAX_ZAP_MS);
      await page.locator(".card", { hasText: "2 sluice two" }).waitFor();

      await page.evaluate(() => {
        location.hash = "#sluice four";
      });
      await page.locator(".card", { hasText: "4 sluice four" }).waitFor();
      await playing(page);

      await page.getByRole("tab", { name: "Guide" }).click();
      const past = page.locator(".guide .programme:not([disabled])", { hasNotText: "On air" }).last();
      const [hours, minutes] = (await past.locator(".number").textContent())!.split(":").map(Number);
      const asked = page.waitForRequest(/sluice%20four\/catchup/);
      await past.click();
      const [begin, end] = new URL((await asked).url()).searchParams.get("playseek")!.split("-").map(utcMs);
      const shown = new Date().setHours(hours!, minutes!, 0, 0);
      expect(begin).toBe(shown > Date.now() ? shown - DAY_MS : shown);
      expect(Math.abs(Date.now() - RECORDING_DELAY_MS - end!)).toBeLessThan(CLOCK_TOLERANCE_MS);
      await page.locator(".live.away").waitFor({ state: "attached" });
      await playing(page);

      await page.mouse.move(300, 300);
      const controls = page.locator(".controls");
      expect(await controls.evaluate((bar) => bar.scrollWidth - bar.clientWidth)).toBe(0);
      await controls.getByRole("button", { name: "Settings" }).click();
      await page.locator(".stage select[name=locale]").selectOption("简体中文");
      await page.getByRole("tab", { name: "频道" }).waitFor();
      expect(await page.locator("html").getAttribute("lang")).toBe("zh-Hans");
      await watched.close();
      expect(problems).toEqual([]);
    },
    TEST_MS,
  );

  test(
    "the player fits a phone",
    async () => {
      const watched = await open("/player#sluice%20five", PHONE);
      const { page, problems } = watched;
      await playing(page);
      const layout = await page.evaluate(() => {
        const [stage, side] = [".stage", ".side"].map((name) => document.querySelector(name)!.getBoundingClientRect());
        return { isBeneath: side!.top >= stage!.bottom, width: document.body.scrollWidth };
      });
      expect(layout).toEqual({ isBeneath: true, width: 390 });
      await page.locator(".channels .entry", { hasText: "sluice three" }).tap();
      await page.locator(".card", { hasText: "3 sluice three" }).waitFor();
      await playing(page);
      await watched.close();
      expect(problems).toEqual([]);
    },
    TEST_MS,
  );

  test(
    "an operator sees the viewer, cuts it off, changes the log level and restarts workers and relay",
    async () => {
      const player = await open("/player#sluice%20one", { ...NOTEBOOK, userAgent: USER_AGENT });
      const status = await open("/status", NOTEBOOK);
      const { page } = status;
      const viewers = page.locator("#clients tbody tr", { hasText: USER_AGENT });
      await playing(player.page);
      await viewers.filter({ hasText: "/Multicast/sluice one" }).waitFor();
      const sent = viewers.locator("td").nth(SENT_COLUMN);
      const before = await sent.textContent();
      await sent.filter({ hasText: /[KM]B/, hasNotText: before! }).waitFor();

      const address = (await viewers.locator(".name").textContent())!;
      await viewers.getByRole("button", { name: `Disconnect ${address}` }).click();
      await viewers.filter({ hasText: address }).waitFor({ state: "detached" });
      // The player asks again.
      await viewers.waitFor();
      await playing(player.page);

      const level = page.getByLabel("Level");
      await level.selectOption("ERROR");
      await page.getByText("Log level: ERROR").waitFor();
      const quietSince = sluice.log.length;
      await zap(player.page);
      await viewers.filter({ hasText: "/Multicast/sluice two" }).waitFor();
      expect(sluice.log.slice(quietSince).filter((line) => line.includes("239.255.81.2"))).toEqual([]);
      await level.selectOption("INFO");
      await page.getByText("Log level: INFO").waitFor();
      await zap(player.page);
      await page.locator("#logs li", { hasText: "239.255.81.3:5004" }).filter({ hasText: "INFO" }).first().waitFor();

      const worker = async () => WORKER.exec((await page.locator("#workers h3").textContent())!)![2];
      const oldPid = await worker();
      expect(oldPid).toBe(`${sluice.workers[0]}`);
      await page.getByRole("button", { name: "Restart workers" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Restart workers" }).click();
      await page.locator("#workers h3", { hasText: /PID [1-9]/, hasNotText: `PID ${oldPid}` }).waitFor();
      expect(await worker()).toBe(`${sluice.workers[0]}`);
      await page.getByText("Connected", { exact: true }).waitFor();
      await player.close();

      const { port } = sluice;
      await sluice.stop();
      await page.getByText("Reconnecting", { exact: true }).waitFor();
      sluice = await start({ command: "demo", port });
      await page.getByText("Connected", { exact: true }).waitFor();
      await page.locator("#workers h3", { hasText: `PID ${sluice.workers[0]}` }).waitFor();
      await status.close();
      expect(problemsOf(player, "/sluice%20")).toEqual([]);
      expect(problemsOf(status, "/status/sse")).toEqual([]);
    },
    TEST_MS,
  );
}

describeInNamespace(import.meta.path, "pages of the demo", () => forVariant("binary", "live", define), LIMIT_MS);
