/** What a config file says, merged into the settings; what the command line says stays (config.md sections 1, 5 to 7). */

import { cutUtf8, LOG_DEBUG, LOG_ERROR, LOG_WARN } from "../system/log.ts";
import { type ConfigLine, configLines, hasSection } from "../wire/text/config-file.ts";
import { nearestWord } from "../wire/text/nearest-word.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { readBindLine } from "./listen.ts";
import { OPTIONS } from "./options.ts";
import type { ListenAddress, SettingName, SettingsDraft } from "./settings.ts";

/** Messages repeat the line they are about, which may be long. */
const MESSAGE_MAX_BYTES = 320;
/** What the first playlist line of `[services]` begins with. */
const PLAYLIST_START = /^#EXT(?:M3U|INF)|^[^=;]*,#genre#/i;
const PLAYLIST_LINE = /^(?:#|[a-z][a-z0-9+.-]*:\/\/|[^=;]*,(?:#genre#|[a-z][a-z0-9+.-]*:\/\/))/i;

const OPTION_BY_KEY = new Map(OPTIONS.flatMap((option) => option.keys.map((key) => [key, option] as const)));

/** Settings into which files are merged one after the other. */
export interface Merge {
  readonly draft: SettingsDraft;
  /** What the command line sets, and no file can. */
  readonly locked: ReadonlySet<SettingName>;
  /** The inline playlist so far, each line with its end. */
  services: string;
  /** Whether any file has a section. */
  hasSections: boolean;
  readonly diagnostics: Diagnostic[];
  /** Finds the port of a service name. */
  readonly servicePort: (name: string) => number | undefined;
}

/**
 * Merges the file `file` with the content `text`: bad lines become diagnostics and are skipped. Never throws.
 * @returns why it cannot be meant as a config file (config.md section 4); then nobody may use the draft
 */
export function mergeConfigFile(merge: Merge, file: string, text: string): string | undefined {
  const isSectioned = hasSection(text);
  merge.hasSections ||= isSectioned;
  return contentProblem(text, isSectioned) ?? new FileMerge(merge, file).run(text);
}

function contentProblem(text: string, isSectioned: boolean): string | undefined {
  if (text.trim() === "") return "it is empty";
  if (text.includes("\0")) return "it has NUL bytes, like UTF-16 text and binary files; save it as UTF-8 text";
  if (isSectioned || configLines(text).next().done) return undefined;
  return "none of [global], [bind] and [services] is in it";
}

/** What listeners are called elsewhere. */
const LISTENER_KEY = /^(listen|bind|port|address|listen-?(address|port))$/i;

function meantBy(key: string): string {
  if (LISTENER_KEY.test(key)) return '; addresses to listen on are lines of [bind], such as "* 5140"';
  const near = nearestWord(key, [...OPTION_BY_KEY.keys()]);
  return near === undefined ? "" : `; did you mean ${near}?`;
}

type Problem = Pick<Diagnostic, "level" | "message">;

class FileMerge {
  readonly #merge: Merge;
  readonly #file: string;
  /** The listeners of this file: they add up, and replace those of earlier files. */
  readonly #listen: ListenAddress[] = [];
  #hasBadListener = false;
  #saidThatBindIsLocked = false;

  constructor(merge: Merge, file: string) {
    this.#merge = merge;
    this.#file = file;
  }

  run(text: string): string | undefined {
    for (const line of configLines(text)) {
      const problem = this.#take(line);
      if (problem === undefined) continue;
      const message = shorten(problem.message);
      this.#merge.diagnostics.push({ level: problem.level, message, file: this.#file, line: line.line });
    }
    if (this.#listen.length === 0) {
      // The default would be all addresses, which is more than any line asks for.
      return this.#hasBadListener ? "no line of [bind] in it can be used" : undefined;
    }
    this.#merge.draft.values.listen = this.#listen;
    this.#merge.draft.given.add("listen");
    return undefined;
  }

  #take(line: ConfigLine): Problem | undefined {
    switch (line.kind) {
      case "parameter":
        return this.#takeParameter(line.key, line.value);
      case "listener":
        return this.#takeListener(line.text);
      case "service":
        return this.#takeService(line.text);
      case "unterminated-section":
        return error(`Unterminated section: ${line.text}`);
      case "unknown-section":
        return error(`Invalid section name: ${line.text}`);
      case "unrecognised":
        return error(`Unrecognised config line: ${line.text}`);
    }
  }

  #takeParameter(key: string, value: string): Problem | undefined {
    const option = OPTION_BY_KEY.get(key.toLowerCase());
    if (option?.effect.kind !== "set") return error(`Unknown config parameter: ${key}${meantBy(key)}`);
    if (this.#merge.locked.has(option.effect.setting)) {
      return option.yieldsSilently ? undefined : locked(`value "${option.keys[0]}"`);
    }
    const parseError = option.effect.apply(this.#merge.draft, value, "file");
    return parseError && error(parseError.refused);
  }

  #takeListener(text: string): Problem | undefined {
    if (this.#merge.locked.has("listen")) {
      if (this.#saidThatBindIsLocked) return undefined;
      this.#saidThatBindIsLocked = true;
      return locked('section "[bind]"');
    }
    const reading = readBindLine(text, this.#merge.servicePort);
    if (!("value" in reading)) {
      this.#hasBadListener = true;
      return error(reading.refused);
    }
    this.#listen.push(reading.value);
    return undefined;
  }

  /** The playlist begins at its header and goes on through all sections and files. */
  #takeService(text: string): Problem | undefined {
    const isCollecting = this.#merge.services !== "" || PLAYLIST_START.test(text);
    if (isCollecting && PLAYLIST_LINE.test(text)) this.#merge.services += `${text}\n`;
    else if (!/^[#;]/.test(text)) {
      return { level: LOG_DEBUG, message: `Ignoring unparsable line in [services]: '${text}'` };
    }
    return undefined;
  }
}

function error(message: string): Problem {
  return { level: LOG_ERROR, message };
}

function locked(what: string): Problem {
  return { level: LOG_WARN, message: `Config file ${what} ignored (already set on command line)` };
}

function shorten(message: string): string {
  const cut = cutUtf8(message, MESSAGE_MAX_BYTES);
  return cut === message ? message : `${cut}…`;
}
