/** Clips are imported as files (`with { type: "file" }`); the import is the path that `Bun.file` opens. */
declare module "*.mpegts" {
  const path: string;
  // biome-ignore lint/style/noDefaultExport: Bun gives the path of an imported file as its default export.
  export default path;
}
