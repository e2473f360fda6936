/** Why the kernel refused something, in words: `address already in use`. */

/** The reason in an error of `node:fs` or a SystemCallError; the message of any other error. */
export function errorReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // node:fs counts errno downwards, libc upwards.
  const number = "errno" in error && typeof error.errno === "number" ? Math.abs(error.errno) : 0;
  return number === 0 ? error.message : errnoMessage(number);
}

/** What `errno`, whatever its sign, means. Loads `node:util` now, because a program without trouble saves a megabyte by never doing so. */
export function errnoMessage(errno: number): string {
  return process.getBuiltinModule("node:util").getSystemErrorMessage(-Math.abs(errno));
}

/** `ENOENT` and the like of an error of `node:fs`; undefined when it has none. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
