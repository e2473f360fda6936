/** Parameters of a raw query or of a form body (http.md section 2). */
import type { ByteString } from "../text/byte-string.ts";
import { percentDecode } from "./percent.ts";

/**
 * The decoded value of the first parameter `name`, compared without regard to case. Undefined when there is none, when
 * it has no `=`, or when its value holds an invalid escape. A `+` stays a plus.
 * @param query without `?`
 */
export function queryParameter(query: ByteString, name: string): ByteString | undefined {
  const wanted = `${name.toLowerCase()}=`;
  for (const parameter of query.split("&")) {
    if (parameter.slice(0, wanted.length).toLowerCase() === wanted)
      return percentDecode(parameter.slice(wanted.length));
  }
  return undefined;
}
