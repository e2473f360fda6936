/** The query parameters of the relay itself (http.md sections 7, 10 and 11). */

/** They are meant for the relay, and no upstream may see them. The seek parameter's name varies. */
export const CONSUMED_PARAMETERS: readonly string[] = [
  "r2h-token",
  "r2h-ifname",
  "r2h-ifname-fcc",
  "r2h-seek-name",
  "r2h-seek-offset",
  "r2h-seek-mode",
];
