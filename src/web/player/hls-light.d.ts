/** The light build has the types of the whole. */
declare module "hls.js/light" {
  // biome-ignore lint/style/noDefaultExport: it is the package's.
  export { default } from "hls.js";
}
