/** The site as it is bundled from the sources of the pages: complete, small, and always the same. */
import { beforeAll, describe, expect, test } from "bun:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { bundleSite } from "../../src/web/bundle.ts";
import type { PageName, Site } from "../../src/web/site.ts";

const JS_MAX_GZIP_BYTES = 60_000;
const BUNDLE_MS = 20_000;

let site: Site;
beforeAll(async () => {
  site = await bundleSite(1);
}, BUNDLE_MS);

/** Names of the assets that a page loads at once. */
function loadedBy(page: PageName): string[] {
  const names = new Set(
    [...site.pages[page].html.matchAll(/"\.\/assets\/([^"]+\.(?:js|css))"/g)].map(([, name]) => name!),
  );
  return [...names];
}

/** A script and all that it imports before it runs. */
async function withImports(name: string, found = new Set<string>()): Promise<Set<string>> {
  if (found.has(name)) return found;
  found.add(name);
  const code = await site.assets.get(name)!.content.identity.text();
  for (const [, imported] of code.matchAll(/(?:from|import)\s*"\.\/([^"]+\.js)"/g)) await withImports(imported!, found);
  return found;
}

describe.each(["status", "player"] as const)("the %s page", (page) => {
  test("loads a style and a script of its own, by names that change with the content", () => {
    const names = loadedBy(page);
    expect(names.map((name) => name.replace(/-[a-z0-9]{6,}\./, "-HASH.")).toSorted()).toEqual([
      `${page}-HASH.css`,
      `${page}-HASH.js`,
    ]);
    for (const name of names) expect(site.assets.get(name)?.etag).toBeUndefined();
  });

  test("shows the theme before it shows anything else", () => {
    const { html, scripts } = site.pages[page];
    expect(scripts).toHaveLength(1);
    expect(scripts[0]).toContain(`"rtp2httpd-${page}-theme"`);
    expect(html.indexOf(`<script>${scripts[0]}</script>`)).toBeLessThan(html.indexOf('rel="stylesheet"'));
    expect(html).not.toContain("<!--");
    expect(html).toMatch(/^<!doctype html>\n<html[^>]*>\n {2}<head>\n/);
  });

  test("begins with little JavaScript", async () => {
    const main = loadedBy(page).find((name) => name.endsWith(".js"))!;
    const sizes = [...(await withImports(main))].map((name) => site.assets.get(name)!.content.gzip!.size);
    const bytes = sizes.reduce((sum, size) => sum + size, 0);
    expect(bytes).toBeGreaterThan(1000);
    expect(bytes).toBeLessThanOrEqual(JS_MAX_GZIP_BYTES);
  });
});

test("every coding of an asset is the same asset", async () => {
  for (const { type, content } of site.assets.values()) {
    const identity = Buffer.from(await content.identity.bytes());
    if (type === "image/png") expect(Object.keys(content)).toEqual(["identity"]);
    else {
      expect(gunzipSync(await content.gzip!.bytes()).equals(identity)).toBe(true);
      expect(brotliDecompressSync(await content.br!.bytes()).equals(identity)).toBe(true);
    }
  }
});

test("the icons have fixed names, and the size that they say", async () => {
  for (const pixels of [192, 512]) {
    const { etag, content } = site.assets.get(`icon-${pixels}.png`)!;
    expect(etag).toMatch(/^"[0-9a-f]{32}"$/);
    const header = Buffer.from(await content.identity.slice(0, 24).bytes());
    expect([header.readUInt32BE(16), header.readUInt32BE(20)]).toEqual([pixels, pixels]);
  }
});

test(
  "the same sources give the same names",
  async () => {
    expect([...(await bundleSite(1)).assets.keys()]).toEqual([...site.assets.keys()]);
  },
  BUNDLE_MS,
);
