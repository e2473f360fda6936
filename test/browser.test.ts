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
    const scripts: Readonly<Record<string, string>> = {
      "/fine": "console.log('fine')",
      "/bad": "console.error('oops'); new Image().src = '/image'; throw new Error('thrown')",
    };
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: ({ url }) => pageOf(scripts[new URL(url).pathname] ?? ""),
    });
    try {
      const [fine, bad] = [await browser.newPage(), await browser.newPage()];
      await fine.page.goto(new URL("/fine", server.url).href);
      await bad.page.goto(new URL("/bad", server.url).href);
      await Promise.all([fine.close(), bad.close()]);
      expect(fine.problems).toEqual([]);
      expect(bad.problems.toSorted()).toEqual([
        expect.stringContaining("img-src data:"),
        expect.stringMatching(/^oops /),
        "uncaught: thrown",
      ]);
    } finally {
      await server.stop(true);
    }
  },
  TEST_MS,
);
