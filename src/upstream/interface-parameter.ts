/** `r2h-ifname=` and `r2h-ifname-fcc=`: another interface for one request (http.md section 10). */
import { MAX_INTERFACE_NAME } from "../system/interfaces.ts";
import type { Log } from "../system/log.ts";
import type { ByteString } from "../wire/text/byte-string.ts";
import { queryParameter } from "../wire/url/query.ts";

/** Undefined when the query names none, or one that cannot exist. */
export function requestedInterface(
  query: ByteString,
  log: Log,
  parameter: "r2h-ifname" | "r2h-ifname-fcc" = "r2h-ifname",
): string | undefined {
  const name = queryParameter(query, parameter);
  if (!name) return undefined;
  if (Buffer.byteLength(name) <= MAX_INTERFACE_NAME) return name;
  log.warn(`${parameter} is longer than ${MAX_INTERFACE_NAME} bytes and is ignored`);
  return undefined;
}
