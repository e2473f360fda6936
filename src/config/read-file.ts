/** Reading a small text file, such as the config file, in a way that tests can replace. */

import { closeSync, openSync, readSync } from "node:fs";
import { errorCode, errorReason } from "../system/errno.ts";

/** Beyond this it is no config file, but a film or /dev/zero. */
const FILE_MAX_BYTES = 16 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;

interface ReadFailure {
  /** Stable: that of the system, such as `ENOENT`, or `too-large`. */
  readonly code: string;
  /** For people: `no such file or directory`. */
  readonly reason: string;
}

type FileReading = { readonly text: string } | ReadFailure;

export type ReadFile = (path: string) => FileReading;

/** Reads a file of UTF-8 text, which need not be a regular one. Bytes that are no UTF-8 become U+FFFD. Never throws. */
export function readTextFile(path: string): FileReading {
  try {
    return readDescriptor(openSync(path, "r"));
  } catch (error) {
    return { code: errorCode(error) ?? "unknown", reason: errorReason(error) };
  }
}

function readDescriptor(descriptor: number): FileReading {
  try {
    const decoder = new TextDecoder();
    const chunk = new Uint8Array(CHUNK_BYTES);
    let text = "";
    for (let total = 0; total <= FILE_MAX_BYTES; ) {
      const count = readSync(descriptor, chunk);
      if (count === 0) return { text: text + decoder.decode() };
      text += decoder.decode(chunk.subarray(0, count), { stream: true });
      total += count;
    }
    return { code: "too-large", reason: `larger than ${FILE_MAX_BYTES} bytes` };
  } finally {
    closeSync(descriptor);
  }
}
