/** Reading a small text file, such as the config file, in a way that tests can replace. */

import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { errorCode, errorReason } from "../system/errno.ts";

/** Beyond this it is no config file, but a film or /dev/zero. */
const FILE_MAX_BYTES = 16 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
/** Opening a pipe without a writer must not make us wait, nor a terminal become ours. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

interface ReadFailure {
  /** Stable: that of the system, such as `ENOENT`, or `not-a-file`, `too-large`, `changing`. */
  readonly code: string;
  /** For people: `no such file or directory`. */
  readonly reason: string;
}

type FileReading = { readonly text: string } | ReadFailure;

export type ReadFile = (path: string) => FileReading;

/** Reads a regular file of UTF-8 text. Bytes that are no UTF-8 become U+FFFD. Never throws. */
export function readTextFile(path: string): FileReading {
  try {
    return readDescriptor(openSync(path, OPEN_FLAGS));
  } catch (error) {
    return { code: errorCode(error) ?? "unknown", reason: errorReason(error) };
  }
}

function readDescriptor(descriptor: number): FileReading {
  try {
    const before = fstatSync(descriptor);
    if (!before.isFile()) {
      const code = before.isDirectory() ? "EISDIR" : "not-a-file";
      return { code, reason: before.isDirectory() ? "it is a directory" : "it is a pipe or a device, not a file" };
    }
    const decoder = new TextDecoder();
    const chunk = new Uint8Array(CHUNK_BYTES);
    let text = "";
    for (let total = 0; total <= FILE_MAX_BYTES; ) {
      const count = readSync(descriptor, chunk);
      if (count === 0) {
        const after = fstatSync(descriptor);
        const isSame = after.size === before.size && after.mtimeMs === before.mtimeMs;
        if (!isSame) return { code: "changing", reason: "somebody is just writing it" };
        return { text: text + decoder.decode() };
      }
      text += decoder.decode(chunk.subarray(0, count), { stream: true });
      total += count;
    }
    return { code: "too-large", reason: `larger than ${FILE_MAX_BYTES} bytes` };
  } finally {
    closeSync(descriptor);
  }
}
