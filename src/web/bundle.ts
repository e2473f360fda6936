/** Makes the site from the sources of the pages: bundles, compresses, and writes into each page what it loads. */
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, gzip, constants as zlib } from "node:zlib";
import { isCompressible, mimeType } from "./mime.ts";
import type { Asset, Page, PageName, Site } from "./site.ts";

const WEB = import.meta.dir;
/** Where each page remembers its theme (status.md sections 1 and 16). */
const THEME_KEYS: Readonly<Record<PageName, string>> = {
  status: "rtp2httpd-status-theme",
  player: "rtp2httpd-player-theme",
};
const ICONS = ["icon-192.png", "icon-512.png"];

type NamedAsset = readonly [name: string, asset: Asset];

/**
 * Rejects with an Error that says where a source is wrong.
 * @param brotliQuality 0 to 11: the best takes a second
 */
export async function bundleSite(brotliQuality: number): Promise<Site> {
  const [status, player, icons] = await Promise.all([
    bundlePage("status", brotliQuality),
    bundlePage("player", brotliQuality),
    Promise.all(ICONS.map(icon)),
  ]);
  return {
    pages: { status: status.page, player: player.page },
    assets: new Map([...status.assets, ...player.assets, ...icons]),
  };
}

async function bundlePage(name: PageName, brotliQuality: number): Promise<{ page: Page; assets: NamedAsset[] }> {
  const result = await Bun.build({
    entrypoints: [join(WEB, name, "main.tsx")],
    root: WEB,
    target: "browser",
    // What a page imports with `import()` is loaded when it is needed.
    splitting: true,
    minify: true,
    define: { "process.env.NODE_ENV": '"production"' },
    naming: { entry: "[dir]-[hash].[ext]", chunk: "[name]-[hash].[ext]", asset: "[name]-[hash].[ext]" },
    throw: false,
  });
  if (!result.success) throw new Error(`cannot bundle the ${name} page\n${result.logs.join("\n")}`);
  const files = result.outputs.map((output) => ({ name: output.path.replace("./", ""), output }));
  const script = files.find(({ output }) => output.kind === "entry-point")!;
  const styles = files.filter((file) => file.name.endsWith(".css"));
  const template = await Bun.file(join(WEB, name, "index.html")).text();
  const assets = files.map(async (file): Promise<NamedAsset> => {
    const bytes = Buffer.from(await file.output.arrayBuffer());
    return [file.name, await hashedAsset(file.name, bytes, brotliQuality)];
  });
  return {
    page: completePage(
      template,
      THEME_KEYS[name],
      styles.map((file) => file.name),
      script.name,
    ),
    assets: await Promise.all(assets),
  };
}

/** @param styles, main names of assets */
function completePage(template: string, themeKey: string, styles: readonly string[], main: string): Page {
  const script = themeScript(themeKey);
  const lines = [
    `<script>${script}</script>`,
    ...styles.map((file) => `<link rel="stylesheet" href="./assets/${file}" />`),
    `<script type="module" src="./assets/${main}"></script>`,
  ];
  const html = template.replace(/\s*<!--.*?-->/gs, "").replace("</head>", `  ${lines.join("\n    ")}\n  </head>`);
  return { html, scripts: [script] };
}

/** Shows the theme before the first paint, as `showTheme` of shared/theme.ts does later: a module would come too late. */
function themeScript(key: string): string {
  return (
    `{let t;try{t=localStorage.getItem("${key}")}catch{}` +
    'document.documentElement.dataset.theme=t==="dark"||t!=="light"&&matchMedia("(prefers-color-scheme: dark)").matches?"dark":"light"}'
  );
}

async function hashedAsset(name: string, bytes: Buffer<ArrayBuffer>, brotliQuality: number): Promise<Asset> {
  const type = mimeType(name);
  const identity = new Blob([bytes]);
  if (!isCompressible(type)) return { type, etag: undefined, content: { identity } };
  const params = {
    [zlib.BROTLI_PARAM_QUALITY]: brotliQuality,
    [zlib.BROTLI_PARAM_MODE]: zlib.BROTLI_MODE_TEXT,
    [zlib.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  };
  const [br, gz] = await Promise.all([
    promisify(brotliCompress)(bytes, { params }),
    promisify(gzip)(bytes, { level: zlib.Z_BEST_COMPRESSION }),
  ]);
  return { type, etag: undefined, content: { br: new Blob([br]), gzip: new Blob([gz]), identity } };
}

async function icon(name: string): Promise<NamedAsset> {
  const bytes = await Bun.file(join(WEB, "icons", name)).bytes();
  const etag = `"${new Bun.CryptoHasher("sha256").update(bytes).digest("hex").slice(0, 32)}"`;
  return [name, { type: mimeType(name), etag, content: { identity: new Blob([bytes]) } }];
}
