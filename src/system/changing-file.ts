/** A small text file that others may change at any time: read again when it has changed. */
import { readFileSync, statSync } from "node:fs";

export class ChangingFile {
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #onChange: () => void;
  /** Of what was read: inode, size and times. */
  #version: string | undefined;
  #text: string | undefined;

  /** @param maxBytes of a larger file the rest is not read */
  constructor(path: string, maxBytes: number, onChange: () => void = () => {}) {
    this.#path = path;
    this.#maxBytes = maxBytes;
    this.#onChange = onChange;
  }

  /** In lower case, each byte a character; undefined when there is none that can be read. */
  get text(): string | undefined {
    const version = versionOf(this.#path);
    if (version === this.#version) return this.#text;
    if (this.#version !== undefined) this.#onChange();
    this.#text = version === "" ? undefined : read(this.#path, this.#maxBytes);
    // What cannot be read now, for want of a descriptor perhaps, is tried again the next time.
    this.#version = version === "" || this.#text !== undefined ? version : undefined;
    return this.#text;
  }
}

/** "" when there is no such file. */
function versionOf(path: string): string {
  try {
    const stats = statSync(path);
    // Reading a pipe would wait for its writer.
    return stats.isFile() ? [stats.dev, stats.ino, stats.size, stats.mtimeMs, stats.ctimeMs].join(" ") : "";
  } catch {
    return "";
  }
}

function read(path: string, maxBytes: number): string | undefined {
  try {
    return readFileSync(path).subarray(0, maxBytes).toString("latin1").toLowerCase();
  } catch {
    return undefined;
  }
}
