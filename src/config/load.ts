/** The settings from all their sources: the command line, then config files, then defaults (config.md sections 1, 2, 8). */

import { LOG_ERROR, LOG_FATAL, LOG_WARN, type LogLevel } from "../system/log.ts";
import { changedSettings } from "./change.ts";
import { type Merge, mergeConfigFile } from "./config-file.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { isTcpAddress } from "./listen.ts";
import { DEFAULT_CONFIG_PATHS, defaultDraft, OPTIONS } from "./options.ts";
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

/** A file cannot be read, or cannot be meant: nobody may go on as if it said nothing, which opens everything. */
interface RefusedSettings {
  readonly kind: "refused";
  /** The last one says why. */
  readonly diagnostics: readonly Diagnostic[];
}

/** What a reload comes to. Whatever it is, nothing has changed until somebody uses the settings. */
export type Reload =
  | LoadedSettings
  | RefusedSettings
  /** There is no file to read again. */
  | { readonly kind: "no-file" };

/** Reads the config file again, with the same command line; changes nothing by itself. */
export type ReloadSettings = (before: Settings) => Reload;

/** Loads the settings for the start. Has no effects but those of `readFile`. */
export function loadSettings(commandLine: CommandLine, readFile: ReadFile): LoadedSettings | RefusedSettings {
  const merge = startMerge(commandLine, readFile);
  const { configFiles } = commandLine;
  let path: string | undefined;
  for (const file of configFiles.length > 0 ? configFiles : [defaultFile(readFile)]) {
    path = file;
    if (file === undefined) {
      if (configFiles.length === 0) merge.diagnostics.push({ level: LOG_WARN, message: "No config file found" });
      continue;
    }
    const problem = mergeFile(merge, file, readFile);
    if (problem === undefined) continue;
    const what = problem.isUnreadable ? "Cannot open" : "Cannot use";
    return refused(merge, LOG_FATAL, `${what} config file ${file}: ${problem.reason}`, file);
  }
  return finish(merge, path);
}

/**
 * Loads the settings again: those of the command line, and what the file at `path` says now.
 * @param before the settings in force; access becomes wider than theirs only when the file says so (config.md section 8)
 */
export function reloadSettings(
  commandLine: CommandLine,
  path: string | undefined,
  readFile: ReadFile,
  before: Settings,
): Reload {
  if (path === undefined) return { kind: "no-file" };
  const merge = startMerge(commandLine, readFile);
  const reason = mergeFile(merge, path, readFile)?.reason ?? lostText(before, commandLine, merge);
  if (reason === undefined) return finish(merge, path);
  return refused(merge, LOG_ERROR, `Failed to parse config file during reload: ${path} (${reason})`, path);
}

/** The first that is there, whether it can be read or not. */
function defaultFile(readFile: ReadFile): string | undefined {
  return DEFAULT_CONFIG_PATHS.find((path) => {
    const reading = readFile(path);
    return "text" in reading || (reading.code !== "ENOENT" && reading.code !== "ENOTDIR");
  });
}

interface FileProblem {
  readonly isUnreadable: boolean;
  readonly reason: string;
}

function mergeFile(merge: Merge, file: string, readFile: ReadFile): FileProblem | undefined {
  const reading = readFile(file);
  if (!("text" in reading)) return { isUnreadable: true, reason: reading.reason };
  const reason = mergeConfigFile(merge, file, reading.text);
  return reason === undefined ? undefined : { isUnreadable: false, reason };
}

/** What a half-written file has lost looks the same as what somebody has taken out. */
function lostText(before: Settings, { given }: CommandLine, merge: Merge): string | undefined {
  const { draft, hasSections, services } = merge;
  const saidMore = before.given.size > given.size || before.services !== "";
  if (!hasSections && saidMore) return "it has no section any more";
  const changed = changedSettings(before, { ...draft.values, services, given: draft.given });
  const lost = OPTIONS.find(
    ({ guards, effect }) =>
      guards && effect.kind === "set" && changed.has(effect.setting) && !draft.given.has(effect.setting),
  );
  if (lost?.effect.kind !== "set") return undefined;
  const [key] = lost.keys;
  if (key === undefined) return `it says no [${lost.section}] any more; to mean all addresses, say so there`;
  const meant = `${key} = ${lost.effect.show(defaultDraft().values) ?? ""}`.trimEnd();
  return `it says no ${key} any more; to mean wider access, say "${meant}"`;
}

function refused(merge: Merge, level: LogLevel, message: string, file: string): RefusedSettings {
  return { kind: "refused", diagnostics: [...merge.diagnostics, { level, message, file }] };
}

function startMerge({ values, given }: CommandLine, readFile: ReadFile): Merge {
  return {
    draft: { values: { ...values }, given: new Set(given) },
    locked: given,
    services: "",
    hasSections: false,
    diagnostics: [],
    servicePort: (name) => readServicePort(name, readFile),
  };
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
