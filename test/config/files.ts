/** Settings loaded from a command line and from files that exist only in a test. */

import { parseArguments } from "../../src/cli/arguments.ts";
import type { CommandLine } from "../../src/config/load.ts";
import { type LoadedSettings, loadSettings } from "../../src/config/load.ts";
import type { ReadFile } from "../../src/config/read-file.ts";

export type Files = Readonly<Record<string, string>>;

/** Reads from `files`; whatever is not in it does not exist. */
export function readerOf(files: Files): ReadFile {
  return (path) => {
    const text = files[path];
    return text === undefined ? { code: "ENOENT", reason: "no such file or directory" } : { text };
  };
}

export function commandLineOf(argv: readonly string[]): CommandLine {
  return parseArguments(argv).commandLine;
}

/** @throws when the start would be refused */
export function load(argv: readonly string[], files: Files): LoadedSettings {
  const loaded = loadSettings(commandLineOf(argv), readerOf(files));
  if (loaded.kind === "loaded") return loaded;
  throw new Error(loaded.diagnostics.at(-1)?.message);
}

/** Loads one file, with `argv` on the command line. */
export function loadText(text: string, ...argv: string[]): LoadedSettings {
  return load([...argv, "-c", "test.conf"], { "test.conf": text });
}
