/** A real browser for tests of the pages: it is started once, and every page keeps a list of what went wrong on it. */
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

const LAUNCH_TIMEOUT_MS = 30_000;
/** Of everything a page is waited for; a test may give another limit to a single call. */
const PAGE_TIMEOUT_MS = 30_000;
/** Without a sandbox because tests may run as root; and with nothing that would call somebody on the Internet. */
const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-proxy-server",
  "--autoplay-policy=no-user-gesture-required",
];

/** A page, alone in a context of its own: no other page shares its cookies and storage. */
export interface WatchedPage {
  readonly page: Page;
  /** Console errors, uncaught exceptions and violations of the Content-Security-Policy so far: a test expects `[]`. */
  readonly problems: string[];
  close(): Promise<void>;
}

export class TestBrowser {
  readonly #browser: Browser;

  private constructor(browser: Browser) {
    this.#browser = browser;
  }

  /**
   * Starts Chromium, the one in PATH. Rejects if there is none.
   * @param hosts names that are to lead to 127.0.0.1
   */
  static async launch(hosts: readonly string[] = []): Promise<TestBrowser> {
    const executablePath = Bun.which("chromium") ?? Bun.which("chromium-browser");
    if (executablePath === null) throw new Error("no chromium in PATH");
    const rules = `--host-resolver-rules=${hosts.map((host) => `MAP ${host} 127.0.0.1`).join(", ")}`;
    return new TestBrowser(
      await chromium.launch({
        executablePath,
        args: [...ARGUMENTS, rules],
        headless: true,
        timeout: LAUNCH_TIMEOUT_MS,
      }),
    );
  }

  /**
   * Opens an empty page, watched from its first request on; `page.goto` fills it.
   * @param options e.g. `colorScheme`, `locale`, `viewport`
   */
  async newPage(options: BrowserContextOptions = {}): Promise<WatchedPage> {
    const context = await this.#browser.newContext(options);
    context.setDefaultTimeout(PAGE_TIMEOUT_MS);
    const page = await context.newPage();
    const problems: string[] = [];
    // Chromium writes violations of the policy and failed requests to the console as errors.
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(`${message.text()} (${message.location().url})`);
    });
    page.on("pageerror", (error) => problems.push(`uncaught: ${error.message}`));
    return { page, problems, close: () => context.close() };
  }

  /** Ends the browser with all its pages. */
  async close(): Promise<void> {
    await this.#browser.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
