/** The words of `probe`: its own options and the target, among the options that all commands have. */
import type { ProbeRequest } from "../probe/probe.ts";

const DEFAULT_SECONDS = 10;
const MAX_SECONDS = 3600;
const USAGE = "the command is 'probe URL|CHANNEL [--seconds N] [--json] [OPTION]...'";

interface ProbeWords {
  readonly seconds: number;
  readonly json: boolean;
  /** For `parseArguments`, which finds the target among them. */
  readonly others: readonly string[];
}

/** Returns what is wrong with them as a text. */
export function takeProbeOptions(words: readonly string[]): ProbeWords | string {
  const others: string[] = [];
  let seconds = DEFAULT_SECONDS;
  let json = false;
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    const [name, attached] = word.startsWith("--seconds=") ? ["--seconds", word.slice("--seconds=".length)] : [word];
    if (name === "--json") json = true;
    else if (name === "--seconds") {
      const text = attached ?? words[++at] ?? "";
      seconds = /^\d{1,4}$/.test(text) ? Number(text) : 0;
      if (seconds < 1 || seconds > MAX_SECONDS) return `--seconds: '${text}' is not a number from 1 to ${MAX_SECONDS}`;
    } else others.push(word);
  }
  return { seconds, json, others };
}

/** Returns what is wrong with them as a text. */
export function probeRequest({ seconds, json }: ProbeWords, operands: readonly string[]): ProbeRequest | string {
  const [target, ...more] = operands;
  if (target === undefined || target === "") return `nothing to probe: ${USAGE}`;
  if (more.length > 0) return `'${more[0]}' is one word too many: ${USAGE}; a name with blanks needs quotes`;
  return { target, seconds, json };
}
