/** What Content-Type an asset has, by the extension of its name (http.md section 21). */

const TYPES = new Map(
  Object.entries({
    html: "text/html; charset=utf-8",
    css: "text/css; charset=utf-8",
    js: "application/javascript; charset=utf-8",
    json: "application/json",
    png: "image/png",
    jpg: "image/jpeg",
    jpeg: "image/jpeg",
    gif: "image/gif",
    svg: "image/svg+xml",
    ico: "image/x-icon",
    webp: "image/webp",
    woff: "font/woff",
    woff2: "font/woff2",
    ttf: "font/ttf",
    eot: "application/vnd.ms-fontobject",
    wasm: "application/wasm",
  }),
);

export function mimeType(name: string): string {
  return TYPES.get(/\.([^.]+)$/.exec(name)?.[1] ?? "") ?? "application/octet-stream";
}

/** Whether less is sent when the content is compressed: pictures and web fonts are compressed already. */
export function isCompressible(type: string): boolean {
  return /^text\/|^application\/(javascript|json|wasm)|svg/.test(type);
}
