/** The command line, read the way GNU getopt_long reads it, over the table of options (config.md section 2). */

import type { Diagnostic } from "../config/diagnostic.ts";
import type { CommandLine } from "../config/load.ts";
import type { Option } from "../config/option.ts";
import { defaultDraft, OPTIONS } from "../config/options.ts";
import { LOG_ERROR, LOG_FATAL } from "../system/log.ts";
import { nearestWord } from "../wire/text/nearest-word.ts";

/** The words that name a command when they come first. */
export const COMMANDS: readonly string[] = ["serve", "demo", "probe", "config", "help", "version"];

/** What to do next. `usage` and `stop` mean exit status 1: words that are not understood, a value that is impossible. */
type Action =
  | { readonly kind: "run" | "help" | "version" | "stop" }
  | { readonly kind: "usage"; readonly diagnostic: string };

interface ParsedArguments {
  /** Complete in every case; whatever stands behind the word that decided the action is not in it. */
  readonly commandLine: CommandLine;
  /** In the order of the command line. */
  readonly diagnostics: readonly Diagnostic[];
  readonly action: Action;
  /** Words that are neither options nor their arguments, where a command takes such. */
  readonly operands: readonly string[];
}

/**
 * Parses the words after the program's and the command's name. Has no effects and never throws.
 * @param takesOperands whether words that are no options mean something
 */
export function parseArguments(argv: readonly string[], takesOperands = false): ParsedArguments {
  const { values, given } = defaultDraft();
  const configFiles: (string | undefined)[] = [];
  const diagnostics: Diagnostic[] = [];
  const operands: string[] = [];
  const done = (action: Action) => ({ commandLine: { values, given, configFiles }, diagnostics, action, operands });
  for (const use of optionUses(argv)) {
    if ("diagnostic" in use) {
      if (use.isStray && takesOperands) {
        operands.push(use.word);
        continue;
      }
      diagnostics.push({ level: LOG_FATAL, message: `Unknown ${use.isStray ? "word" : "option"}! ${use.word}` });
      return done({ kind: "usage", diagnostic: use.diagnostic });
    }
    const { effect } = use.option;
    if (effect.kind === "help" || effect.kind === "version") return done({ kind: effect.kind });
    if (effect.kind !== "set") {
      // The `-C` among these has no argument.
      configFiles.push(use.text);
      continue;
    }
    const parseError = effect.apply({ values, given }, use.text, "flag");
    if (parseError === undefined) continue;
    diagnostics.push({ level: parseError.fatal ? LOG_FATAL : LOG_ERROR, message: parseError.refused });
    if (parseError.fatal) return done({ kind: "stop" });
  }
  return done({ kind: "run" });
}

/** An option with its argument, or a word that is not understood. */
type OptionUse =
  | { readonly option: Option; readonly text: string | undefined }
  /** `isStray`: it is no option, but stands where one is expected. */
  | { readonly word: string; readonly diagnostic: string; readonly isStray?: true };

function* optionUses(argv: readonly string[]): Generator<OptionUse> {
  const words = [...argv];
  let hasEnded = false;
  /** The last option, if it has no argument in a word of its own. */
  let flag: string | undefined;
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    if (word === "" || word === "-") continue;
    if (hasEnded || !word.startsWith("-")) yield strayWord(word, flag);
    else if (word === "--") hasEnded = true;
    else {
      const left = words.length;
      if (word.startsWith("--")) yield longOption(word, words);
      else yield* shortOptions(word, words);
      flag = words.length === left ? word : undefined;
    }
  }
}

/** Somebody wants something by it, and would not see that it was passed over. */
function strayWord(word: string, flag: string | undefined): OptionUse {
  const reason = COMMANDS.includes(word)
    ? "a command comes first, before all options"
    : flag !== undefined
      ? `${flag} takes no value in a word of its own`
      : "options begin with a dash";
  return { word, diagnostic: `unexpected word '${word}': ${reason}`, isStray: true };
}

/** `--name`, `--name=value` or `--name value`; an argument in a word of its own is taken from `following`. */
function longOption(word: string, following: string[]): OptionUse {
  const equals = word.indexOf("=");
  const name = equals < 0 ? word : word.slice(0, equals);
  const attached = equals < 0 ? undefined : word.slice(equals + 1);
  const [option, ...others] = optionsNamed(name.slice(2));
  if (option === undefined) return { word: name, diagnostic: `unrecognized option '${name}'${meantBy(name)}` };
  if (others.length > 0) {
    const possibilities = [option, ...others].map(({ long }) => ` '--${long}'`).join("");
    return { word: name, diagnostic: `option '${name}' is ambiguous; possibilities:${possibilities}` };
  }
  if (option.argument === undefined) {
    if (attached === undefined) return { option, text: undefined };
    return { word: name, diagnostic: `option '--${option.long}' doesn't allow an argument` };
  }
  const text = attached ?? following.shift();
  if (text === undefined)
    return { word: name, diagnostic: `option '--${option.long}' requires an argument${about(option)}` };
  return { option, text };
}

/** What options are called elsewhere. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  port: "listen",
  bind: "listen",
  address: "listen",
  playlist: "external-m3u",
  debug: "verbose",
  "log-level": "verbose",
  loglevel: "verbose",
};

/** @param name with its dashes */
function meantBy(name: string): string {
  const word = name.replace(/^-+/, "");
  const near = Object.hasOwn(OTHER_NAMES, word.toLowerCase())
    ? OTHER_NAMES[word.toLowerCase()]
    : nearestWord(
        word,
        OPTIONS.map(({ long }) => long),
      );
  return near === undefined ? "" : `; did you mean '--${near}'?`;
}

/** What the argument would be. */
function about({ argument, help }: Option): string {
  return `: ${argument}, ${help}`;
}

/** The option of that name, or else all that it abbreviates; options of our own only where no other fits. */
function optionsNamed(name: string): readonly Option[] {
  if (name === "") return [];
  const exact = OPTIONS.find(({ long }) => long === name);
  if (exact !== undefined) return [exact];
  const abbreviated = OPTIONS.filter(({ long }) => long.startsWith(name));
  const compatible = abbreviated.filter(({ own }) => own !== true);
  return compatible.length > 0 ? compatible : abbreviated;
}

/** A cluster of flags, of which the last may have an argument: `-UC`, `-m5`, `-Um 5`. */
function* shortOptions(word: string, following: string[]): Generator<OptionUse> {
  const [name = ""] = word.slice(1).split("=");
  if (name.length > 1 && OPTIONS.some(({ long }) => long === name)) {
    yield { word: `-${name}`, diagnostic: `invalid option '-${name}'; did you mean '--${name}'?` };
    return;
  }
  const letters = [...word.slice(1)];
  for (const [index, letter] of letters.entries()) {
    const option = OPTIONS.find(({ short }) => short === letter);
    if (option === undefined) {
      yield { word: `-${letter}`, diagnostic: `invalid option -- '${letter}'${letterMeantBy(letter, word)}` };
      return;
    }
    if (option.argument === undefined) {
      yield { option, text: undefined };
      continue;
    }
    const text = letters.slice(index + 1).join("") || following.shift();
    if (text === undefined) {
      yield { word: `-${letter}`, diagnostic: `option requires an argument -- '${letter}'${about(option)}` };
    } else yield { option, text };
    return;
  }
}

/** The other case of the letter, or else the long option that the whole `word` resembles. */
function letterMeantBy(letter: string, word: string): string {
  const other = letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
  const option = OPTIONS.find(({ short }) => short === other);
  if (word.length > 2 || !option) return meantBy(word);
  return `; did you mean '-${other}' (--${option.long})?`;
}
