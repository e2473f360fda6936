/** The path below which everything is served (`app-path-prefix`, http.md section 5). */
import { asByteString, type ByteString } from "../text/byte-string.ts";

/**
 * The path within the prefix, which begins with `/`; undefined outside of it.
 * @param path raw and without query, compared byte for byte
 * @param prefix empty, or begins with `/` and does not end in one
 */
export function withoutPrefix(path: ByteString, prefix: ByteString): ByteString | undefined {
  if (path === prefix) return asByteString("/");
  return path.startsWith(`${prefix}/`) ? path.slice(prefix.length) : undefined;
}

/** One trailing slash of a path means nothing (http.md section 9). */
export function withoutTrailingSlash(path: ByteString): ByteString {
  return path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
}
