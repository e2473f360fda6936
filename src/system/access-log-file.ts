/** The access log's file: opened at the first line, each line one write unless its reader is slow (config.md section 14). */
import { closeSync, constants, openSync } from "node:fs";
import type { ByteString } from "../wire/text/byte-string.ts";
import { errorReason } from "./errno.ts";
import { LineOutput } from "./line-output.ts";
import type { Log } from "./log.ts";

const { O_WRONLY, O_APPEND, O_CREAT, O_NONBLOCK, O_NOCTTY } = constants;
/** A pipe that nobody reads must not stop the relay. */
const OPEN_FLAGS = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY;
const MODE = 0o644;

type State =
  | { readonly name: "closed" }
  /** The path could not be opened, and the log says so already. */
  | { readonly name: "failed"; readonly path: string }
  | {
      readonly name: "open";
      readonly path: string;
      readonly fd: number;
      readonly output: LineOutput;
      writeFailed: boolean;
    };

/** Trouble with the file never disturbs the client: it costs the line, and is told to the diagnostic log once. */
export class AccessLogFile {
  readonly #log: Log;
  #state: State = { name: "closed" };

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * Appends a line. A path other than the last one closes that file.
   * @param line with its newline
   */
  write(path: string, line: ByteString): void {
    const file = this.#opened(path);
    if (!file) return;
    try {
      file.output.write(Buffer.from(line, "latin1"));
    } catch (error) {
      if (!file.writeFailed) this.#log.error(`Failed to write access log ${path}: ${errorReason(error)}`);
      file.writeFailed = true;
    }
  }

  /** Closes the file; the next line opens its path anew, which is how logrotate works. */
  reopen(): void {
    if (this.#state.name !== "open") return;
    this.#state.output.close();
    closeSync(this.#state.fd);
    this.#state = { name: "closed" };
  }

  #opened(path: string) {
    if (this.#state.name === "open" && this.#state.path !== path) this.reopen();
    if (this.#state.name === "open") return this.#state;
    try {
      const fd = openSync(path, OPEN_FLAGS, MODE);
      const output = new LineOutput(fd, (lines) => {
        this.#log.warn(`${lines} lines of access log ${path} were lost: nobody read it`);
        return undefined;
      });
      this.#state = { name: "open", path, fd, output, writeFailed: false };
      return this.#state;
    } catch (error) {
      const known = this.#state.name === "failed" && this.#state.path === path;
      if (!known) this.#log.error(`Failed to open access log ${path}: ${errorReason(error)}`);
      this.#state = { name: "failed", path };
      return undefined;
    }
  }
}
