/** What the command line reaches outside itself: where it speaks and what it reads. */

import { type ReadFile, readTextFile } from "../config/read-file.ts";
import { writeUnbuffered } from "../system/log.ts";

/** The diagnostic log is on standard output (config.md section 13). */
export interface CliIo {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly readFile: ReadFile;
  /** Whether standard output is a terminal. Default: found out by the log. */
  readonly terminal?: boolean;
}

export const PROCESS_IO: CliIo = {
  stdout: (text) => writeUnbuffered(1, text),
  stderr: (text) => writeUnbuffered(2, text),
  readFile: readTextFile,
};
