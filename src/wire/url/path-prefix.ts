/** The path below which everything is served (`app-path-prefix`, http.md section 5). */
import { asByteString, type ByteString, type UnicodeText, utf8Encode } from "../text/byte-string.ts";

declare const isPrefix: unique symbol;

/** `/a/b`: begins with a slash, does not end in one, and is more than that. */
export type PathPrefix = UnicodeText & { readonly [isPrefix]: true };

/** Undefined for a text without anything but slashes, which means none. */
export function parsePathPrefix(text: string): PathPrefix | undefined {
  const path = normalisedPath(text);
  return path === "/" ? undefined : (path as PathPrefix);
}

/** The way it stands in requests and links; empty without one. */
export function prefixBytes(prefix: PathPrefix | undefined): ByteString {
  return utf8Encode(prefix ?? "");
}

/** One slash in front and none at the end, `/` for the root (config.md section 5.2). */
export function normalisedPath(text: string): string {
  return `/${text.replace(/^\/+|\/+$/g, "")}`;
}

/**
 * The path within the prefix, which begins with `/`; undefined outside of it.
 * @param path raw and without query, compared byte for byte
 * @param prefix as `prefixBytes` makes it
 */
export function withoutPrefix(path: ByteString, prefix: ByteString): ByteString | undefined {
  if (path === prefix) return asByteString("/");
  return path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : undefined;
}

/** One trailing slash of a path means nothing (http.md section 9). */
export function withoutTrailingSlash(path: ByteString): ByteString {
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}
