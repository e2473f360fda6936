/** Puts the finished site into an executable: a plugin of the bundler that replaces load-site.ts by a table of embedded files. */
import type { Site } from "./site.ts";

const NAMESPACE = "site";

/** Of `bundleSite`; making the site within the plugin would block the bundler. */
export const BEST_BROTLI_QUALITY = 11;

export async function embeddedSite(site: Site): Promise<Bun.BunPlugin> {
  const files = new Map<string, Uint8Array>();
  const table = await tableOf(site, files);
  return {
    name: "embedded site",
    setup(build) {
      build.onLoad({ filter: /\/src\/web\/load-site\.ts$/ }, () => ({ loader: "ts", contents: table }));
      build.onResolve({ filter: new RegExp(`^${NAMESPACE}:`) }, ({ path }) => ({
        path: path.slice(NAMESPACE.length + 1),
        namespace: NAMESPACE,
      }));
      build.onLoad({ filter: /./, namespace: NAMESPACE }, ({ path }) => ({
        loader: "file",
        contents: files.get(path)!,
      }));
    },
  };
}

/** The source of a module with `loadSite`. Collects what it imports in `files`. */
async function tableOf({ pages, assets }: Site, files: Map<string, Uint8Array>): Promise<string> {
  const imports: string[] = [];
  const entries: string[] = [];
  for (const [name, { type, etag, content }] of [...assets].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const blobs: string[] = [];
    for (const [coding, blob] of Object.entries(content)) {
      const file = `${name}.${coding}`;
      files.set(file, await blob.bytes());
      imports.push(
        `import file${imports.length} from ${JSON.stringify(`${NAMESPACE}:${file}`)} with { type: "file" };`,
      );
      blobs.push(`${coding}: Bun.file(file${imports.length - 1})`);
    }
    entries.push(
      `[${JSON.stringify(name)}, { ...${JSON.stringify({ type, etag })}, content: { ${blobs.join(", ")} } }]`,
    );
  }
  return `${imports.join("\n")}
    export async function loadSite() {
      return { pages: ${JSON.stringify(pages)}, assets: new Map([${entries.join(",\n")}]) };
    }`;
}
