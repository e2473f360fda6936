/** The player page with its stand-in server and a browser, for a test file. */
import { expect } from "bun:test";
import type { BrowserContextOptions, Page } from "playwright-core";
import { TestBrowser } from "../browser.ts";
import { PlayerServer } from "../fakes/player-server.ts";

export class PlayerPages {
  readonly server: PlayerServer;
  readonly browser: TestBrowser;

  private constructor(server: PlayerServer, browser: TestBrowser) {
    this.server = server;
    this.browser = browser;
  }

  static async start(): Promise<PlayerPages> {
    return new PlayerPages(...(await Promise.all([PlayerServer.start(), TestBrowser.launch()])));
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await this.server.stop();
  }

  /**
   * Opens the page in a browser of its own, and expects that nothing in it went wrong.
   * @param hash `#` and a channel, or nothing
   */
  async on(hash: string, options: BrowserContextOptions, use: (page: Page) => Promise<void>): Promise<void> {
    const { page, problems, close } = await this.browser.newPage(options);
    try {
      await page.goto(`${this.server.origin}/player${hash}`);
      await use(page);
      expect(problems).toEqual([]);
    } finally {
      await close();
    }
  }
}
