/** URLs of the relay as the demo prints them. */

import type { Settings } from "../config/settings.ts";
import { percentEncodeText } from "../wire/url/percent.ts";

/**
 * A URL that this machine can open, with all that is needed to be let in.
 * @param listening undefined while only Unix sockets are listened on: then it is a path
 * @param path below the app prefix, begins with `/`, may have a query
 */
export function ownUrl(
  listening: { readonly address: string; readonly port: number } | undefined,
  { appPathPrefix, r2hToken }: Pick<Settings, "appPathPrefix" | "r2hToken">,
  path: string,
): string {
  const mark = path.includes("?") ? "&" : "?";
  const token = r2hToken === undefined ? "" : `${mark}r2h-token=${percentEncodeText(r2hToken)}`;
  return `${listening ? origin(listening) : ""}${appPathPrefix ?? ""}${path}${token}`;
}

function origin({ address, port }: { readonly address: string; readonly port: number }): string {
  const isWildcard = address === "0.0.0.0" || address === "::";
  const host = isWildcard ? "localhost" : address.includes(":") ? `[${address}]` : address;
  return `http://${host}:${port}`;
}
