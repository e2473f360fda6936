/** The browser that other tests rely on notices what they expect it to notice. */
import { expect, test } from "bun:test";
import { TestBrowser } from "./browser.ts";

const TEST_MS = 40_000;

/** A page that the policy allows one script. */
function pageOf(script: string): Response {
  const hash = new Bun.CryptoHasher("sha256").update(script).digest("base64");
  return new Response(`<!doctype html><title>page</title><link rel="icon" href="data:,"><script>${script}</script>`, {
    headers: {
      "Content-Type": "text/html",
      "Content-Security-Policy": `default-src 'none'; img-src data:; script-src 'sha256-${hash}'`,
    },
  });
}

test(
  "tells console errors, exceptions and violations of the policy, each on its own page",
  async () => {
    await using browser = await TestBrowser.launch();
    const scripts = new Map([
      ["/fine", "console.log('fine')"],
      ["/error", "console.error('oops')"],
      ["/throw", "throw new Error('thrown')"],
      ["/image", "new Image().src = '/image'"],
    ]);
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: ({ url }) => pageOf(scripts.get(new URL(url).pathname) ?? ""),
    });
    try {
      const problems: string[][] = [];
      for (const path of scripts.keys()) {
        const watched = await browser.newPage();
        await watched.page.goto(new URL(path, server.url).href);
        await watched.close();
        problems.push(watched.problems);
      }
      expect(problems).toEqual([
        [],
        [expect.stringMatching(/^oops /)],
        ["uncaught: thrown"],
        [expect.stringContaining("img-src data:")],
      ]);
    } finally {
      await server.stop(true);
    }
  },
  TEST_MS,
);
