/** The pages as a browser gets them from the real program: below a prefix, with a token, under a strict policy. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { TestBrowser } from "../browser.ts";
import { answerTo } from "./channel.ts";
import { forEachVariant, type Sluice } from "./harness.ts";

const PREFIX = "/tv";
const TOKEN = "s3cret";
const LAUNCH_MS = 40_000;
const TEST_MS = 20_000;

let browser: TestBrowser;
beforeAll(async () => {
  browser = await TestBrowser.launch();
}, LAUNCH_MS);
afterAll(() => browser.close());

/** What curl gets of an asset. */
async function curl(url: string, accepted: string): Promise<{ head: string; size: number }> {
  const command = ["curl", "-sSi", "--noproxy", "*", "-H", `Accept-Encoding: ${accepted}`, url];
  const child = Bun.spawn(command, { stdio: ["ignore", "pipe", "inherit"] });
  const output = Buffer.from(await new Response(child.stdout).bytes());
  expect(await child.exited).toBe(0);
  const end = output.indexOf("\r\n\r\n");
  return { head: output.toString("latin1", 0, end), size: output.length - end - 4 };
}

forEachVariant("pages", (start) => {
  let sluice: Sluice;
  beforeAll(async () => {
    sluice = await start({ args: ["--app-path-prefix", PREFIX, "-T", TOKEN, "-m", "5"] });
  });

  describe.each(["status", "player"])("the %s page", (name) => {
    test(
      "loads without a complaint, in the theme that was chosen",
      async () => {
        const watched = await browser.newPage({ colorScheme: "dark" });
        const { page, problems } = watched;
        const types = new Map<string, string>();
        page.on("response", (response) => {
          types.set(new URL(response.url()).pathname, `${response.status()} ${response.headers()["content-type"]}`);
        });
        await page.goto(`${sluice.url}${PREFIX}/${name}?r2h-token=${TOKEN}`);
        await page.waitForFunction("document.getElementById('app').childElementCount > 0");
        const theme = () => page.evaluate("document.documentElement.dataset.theme");
        expect(await theme()).toBe("dark");
        expect(await page.evaluate("window.__RTP2HTTPD_CONFIG__")).toEqual({ appPathPrefix: PREFIX, logLevel: 4 });
        expect(await page.evaluate("fetch('./assets/icon-192.png').then((response) => response.status)")).toBe(200);

        // The token has become a cookie.
        await page.evaluate(`localStorage.setItem("rtp2httpd-${name}-theme", "light")`);
        await page.goto(`${sluice.url}${PREFIX}/${name}`);
        await page.waitForFunction("document.getElementById('app').childElementCount > 0");
        expect(await theme()).toBe("light");
        const manifest = `fetch(document.querySelector("link[rel=manifest]").href).then((response) => response.json())`;
        expect(await page.evaluate(manifest)).toMatchObject({ start_url: `${PREFIX}/${name}?r2h-token=${TOKEN}` });

        const assets = [...types].filter(([path]) => path.startsWith(`${PREFIX}/assets/${name}-`));
        expect(assets.map(([, type]) => type).toSorted()).toEqual([
          "200 application/javascript; charset=utf-8",
          "200 text/css; charset=utf-8",
        ]);
        await watched.close();
        // A relay without channels has no playlist.
        expect(problems.filter((problem) => !problem.includes("/playlist.m3u"))).toEqual([]);
      },
      TEST_MS,
    );
  });

  test("curl gets an asset in the coding it asks for", async () => {
    const { body } = await answerTo(sluice, `${PREFIX}/status?r2h-token=${TOKEN}`);
    const script = /\.(\/assets\/status-\w+\.js)/.exec(body)![1]!;
    const [identity, gzip, br] = await Promise.all(
      ["", "gzip", "gzip, br"].map((accepted) => curl(sluice.url + PREFIX + script, accepted)),
    );
    expect(identity!.head).toContain("\r\nCache-Control: public, max-age=31536000, immutable");
    expect(identity!.head).not.toContain("Content-Encoding");
    expect(gzip!.head).toContain("\r\nContent-Encoding: gzip");
    expect(br!.head).toContain("\r\nContent-Encoding: br");
    for (const { head, size } of [identity!, gzip!, br!]) expect(head).toContain(`\r\nContent-Length: ${size}`);
    expect(gzip!.size).toBeLessThan(identity!.size);
    expect(br!.size).toBeLessThan(gzip!.size);
  });

  test("the index leads to both, and nobody gets in without the token", async () => {
    const { body } = await answerTo(sluice, `${PREFIX}/?r2h-token=${TOKEN}`);
    for (const name of ["status", "player"]) {
      expect(body).toContain(`<a href="${PREFIX}/${name}">`);
      expect((await answerTo(sluice, `${PREFIX}/${name}`)).head.status).toBe(401);
    }
  });
});
