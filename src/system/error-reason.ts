/** Why the kernel refused something, in words: `address already in use`. */
import { getSystemErrorMessage } from "node:util";

/** The reason in an error of `node:fs` or a SystemCallError; the message of any other error. */
export function errorReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // node:fs counts errno downwards, libc upwards.
  const number = "errno" in error && typeof error.errno === "number" ? Math.abs(error.errno) : 0;
  return number === 0 ? error.message : getSystemErrorMessage(-number);
}

/** `ENOENT` and the like of an error of `node:fs`; undefined when it has none. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
