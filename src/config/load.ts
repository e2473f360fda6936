/** The settings from all their sources: the command line, then config files, then defaults (config.md sections 1, 2, 8). */

import { LOG_ERROR, LOG_WARN } from "../system/log.ts";
import { type Merge, mergeConfigFile } from "./config-file.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { isTcpAddress } from "./listen.ts";
import { DEFAULT_CONFIG_PATHS } from "./options.ts";
import type { ReadFile } from "./read-file.ts";
import { readServicePort } from "./service-port.ts";
import type { SettingName, Settings, SettingValues } from "./settings.ts";

/** What the command line says; stays the same through all reloads. */
export interface CommandLine {
  /** Complete: what no option sets has its default. */
  readonly values: Readonly<SettingValues>;
  /** What an option gave a valid value: no file can change it. */
  readonly given: ReadonlySet<SettingName>;
  /** The files of `-c` in their order; `undefined` stands for a `-C`. */
  readonly configFiles: readonly (string | undefined)[];
}

export interface LoadedSettings {
  readonly kind: "loaded";
  readonly settings: Settings;
  /** In the order of the files and their lines. */
  readonly diagnostics: readonly Diagnostic[];
  /** The file that a reload reads; `undefined` when there is none. */
  readonly path: string | undefined;
}

/** What a reload comes to. Whatever it is, nothing has changed until somebody uses the settings. */
export type Reload =
  | LoadedSettings
  | { readonly kind: "unreadable"; readonly path: string; readonly diagnostics: readonly Diagnostic[] }
  /** There is no file to read again. */
  | { readonly kind: "no-file" };

/**
 * Loads the settings for the start. A file that cannot be read is reported and replaced by the first readable
 * default file, unless another `-c` can be read or there is a `-C`. Has no effects but those of `readFile`.
 */
export function loadSettings(commandLine: CommandLine, readFile: ReadFile): LoadedSettings {
  const merge = startMerge(commandLine, readFile);
  let path: string | undefined;
  let wantsDefault = true;
  for (const file of commandLine.configFiles) {
    if (file === undefined) {
      path = undefined;
      wantsDefault = false;
      continue;
    }
    const reading = readFile(file);
    if ("text" in reading) {
      mergeConfigFile(merge, file, reading.text);
      path = file;
      wantsDefault = false;
    } else {
      merge.diagnostics.push({ level: LOG_ERROR, message: `Cannot open config file ${file}: ${reading.reason}`, file });
    }
  }
  if (wantsDefault) path = mergeDefaultFile(merge, readFile);
  return finish(merge, path);
}

/** Loads the settings again: those of the command line, and what the file at `path` says now. */
export function reloadSettings(commandLine: CommandLine, path: string | undefined, readFile: ReadFile): Reload {
  if (path === undefined) return { kind: "no-file" };
  const reading = readFile(path);
  if (!("text" in reading)) {
    const message = `Failed to parse config file during reload: ${path} (${reading.reason})`;
    return { kind: "unreadable", path, diagnostics: [{ level: LOG_ERROR, message, file: path }] };
  }
  const merge = startMerge(commandLine, readFile);
  mergeConfigFile(merge, path, reading.text);
  return finish(merge, path);
}

function startMerge({ values, given }: CommandLine, readFile: ReadFile): Merge {
  return {
    draft: { values: { ...values }, given: new Set(given) },
    locked: given,
    services: "",
    diagnostics: [],
    servicePort: (name) => readServicePort(name, readFile),
  };
}

/** Returns the path of the file that was found. */
function mergeDefaultFile(merge: Merge, readFile: ReadFile): string | undefined {
  for (const path of DEFAULT_CONFIG_PATHS) {
    const reading = readFile(path);
    if ("text" in reading) {
      mergeConfigFile(merge, path, reading.text);
      return path;
    }
    if (reading.code === "ENOENT") continue;
    merge.diagnostics.push({
      level: LOG_WARN,
      message: `Cannot open config file ${path}: ${reading.reason}`,
      file: path,
    });
  }
  merge.diagnostics.push({ level: LOG_WARN, message: "No config file found" });
  return undefined;
}

function finish({ draft, services, diagnostics }: Merge, path: string | undefined): LoadedSettings {
  const { values, given } = draft;
  if (values.zerocopyOnSend && !values.listen.every(isTcpAddress)) {
    values.zerocopyOnSend = false;
    const message = "Zero-copy send disabled because Unix socket listener is configured";
    diagnostics.push({ level: LOG_WARN, message, ...(path !== undefined && { file: path }) });
  }
  return { kind: "loaded", settings: { ...values, services, given }, diagnostics, path };
}
