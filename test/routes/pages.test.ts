import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { type PagesOptions, pagesRoute } from "../../src/routes/pages.ts";
import type { Site } from "../../src/web/site.ts";
import { type PathPrefix, parsePathPrefix } from "../../src/wire/url/path-prefix.ts";
import { RoutedServer } from "./routed-server.ts";

const THEME = "document.title='theme'";
const site: Site = {
  pages: {
    status: { html: `<html><head><script>${THEME}</script></head>status</html>`, scripts: [THEME] },
    player: { html: "<html><head></head>player</html>", scripts: [] },
  },
  assets: new Map(),
};
const USUAL: PagesOptions = {
  statusPagePath: "/status",
  playerPagePath: "/player",
  appPathPrefix: undefined,
  corsAllowOrigin: undefined,
  verbosity: 1,
};

function serve(options: Partial<PagesOptions> = {}): RoutedServer {
  const all = { ...USUAL, ...options };
  return new RoutedServer({ appPathPrefix: all.appPathPrefix, routes: [pagesRoute(all, () => Promise.resolve(site))] });
}

test("a page knows where it is and how much it shall say", async () => {
  using server = serve({ appPathPrefix: parsePathPrefix("/tv"), verbosity: 3 });
  const { status, headers, body } = await server.ask("/tv/status");
  expect(status).toBe(200);
  const html = body.toString();
  expect(html.replace(/>\s+</g, "><")).toStartWith(
    '<html><head><base href="/tv/"><script>window.__RTP2HTTPD_CONFIG__={"appPathPrefix":"/tv","logLevel":3};</script>',
  );
  expect(html).toEndWith("</head>status</html>");
  expect(Object.fromEntries(headers)).toMatchObject({
    "content-type": "text/html; charset=utf-8",
    "content-length": `${body.length}`,
    "cache-control": "no-cache",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
  });
});

test("the policy allows the scripts that stand in the page, and no others", async () => {
  using server = serve();
  const { headers, body } = await server.ask("/status");
  const scripts = [...body.toString().matchAll(/<script>(.*?)<\/script>/gs)].map(([, text]) => text!);
  expect(scripts).toHaveLength(2);
  const hashes = scripts.map((text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`);
  const policy = headers.get("content-security-policy")!.split("; ");
  expect(policy).toContain(`script-src 'self' ${hashes.join(" ")}`);
  expect(policy).toContain("default-src 'none'");
  expect(policy).toContain("frame-ancestors 'self'");
  expect(policy.join()).not.toContain("unsafe");
});

test.each([
  [undefined, "'self'"],
  ["*", "'self'"],
  ["https://panel.example:8123", "'self' https://panel.example:8123"],
  ["http://a; script-src *", "'self'"],
  ["http://[2001:db8::1]", "'self'"],
])("with leave for %p, %s may frame a page", async (corsAllowOrigin, ancestors) => {
  using server = serve({ corsAllowOrigin });
  const { headers } = await server.ask("/status");
  const policy = headers.get("content-security-policy")!.split("; ");
  expect(policy.filter((directive) => directive.startsWith("frame-ancestors"))).toEqual([
    `frame-ancestors ${ancestors}`,
  ]);
});

/** The text of an attribute as a browser reads it. */
function unescaped(text: string): string {
  const characters: Record<string, string> = { lt: "<", gt: ">", quot: '"', "#39": "'", amp: "&" };
  return text.replace(/&([^;]+);/g, (_, entity: string) => characters[entity]!);
}

test("no prefix can leave the places it is put into", async () => {
  const nasty = fc.string({ unit: fc.constantFrom('"', "'", "<", ">", "&", "/", "$", "\\", "</script>", "a", "中") });
  const route = (appPathPrefix: PathPrefix | undefined) =>
    pagesRoute({ ...USUAL, appPathPrefix }, () => Promise.resolve(site));
  await fc.assert(
    fc.asyncProperty(nasty, async (text) => {
      const prefix = parsePathPrefix(`/${text}`);
      using server = new RoutedServer({ routes: [route(prefix)] });
      const html = (await server.ask("/status")).body.toString();
      const base = /<base href="([^"<>]*)">/.exec(html)?.[1];
      expect(base && unescaped(base)).toBe(`${prefix ?? ""}/`);
      const config = /<script>window\.__RTP2HTTPD_CONFIG__=(.*?);<\/script>/.exec(html)![1]!;
      expect(config).not.toMatch(/[<>&]/);
      expect(JSON.parse(config)).toEqual({ appPathPrefix: prefix ?? "", logLevel: 1 });
    }),
    { numRuns: 50 },
  );
});

test("paths are those of the settings", async () => {
  const pages = async (options: Partial<PagesOptions>, paths: string[]) => {
    using server = serve(options);
    return await Promise.all(
      paths.map(async (path) => /status|player|404/.exec((await server.ask(path)).body.toString().slice(-20))?.[0]),
    );
  };
  expect(await pages({}, ["/status", "/player/", "/", "/Status", "/status/x"])).toEqual([
    "status",
    "player",
    "404",
    "404",
    "404",
  ]);
  expect(await pages({ statusPagePath: "/", playerPagePath: "/a/b" }, ["/", "/a/b", "/status"])).toEqual([
    "status",
    "player",
    "404",
  ]);
  expect(
    await pages({ statusPagePath: "/", playerPagePath: "/", appPathPrefix: parsePathPrefix("/tv") }, ["/tv", "/tv/"]),
  ).toEqual(["status", "status"]);
  expect(await pages({ statusPagePath: "/状态" }, ["/状态"])).toEqual(["status"]);
});
