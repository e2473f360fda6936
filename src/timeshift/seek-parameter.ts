/** The parameter that carries the times of a seek: `playseek`, `tvdr` or the one that a URL names (m3u.md section 10). */
import type { ByteString } from "../wire/text/byte-string.ts";
import { isNamed, type Parameter } from "./url-parameters.ts";

const KNOWN_NAMES: readonly string[] = ["playseek", "tvdr"];

export interface SeekParameter {
  /** Spelled as the upstream shall see it. */
  readonly name: string;
  /** Still percent-encoded; undefined when the URL does not hold the parameter, empty when nothing is sought. */
  readonly value: ByteString | undefined;
}

/** @param name from `r2h-seek-name`; empty to look for the known names */
export function findSeekParameter(parameters: readonly Parameter[], name: string): SeekParameter | undefined {
  const candidates = name === "" ? KNOWN_NAMES : [name];
  for (const candidate of candidates) {
    const values = parameters.filter((parameter) => parameter.value !== undefined && isNamed(parameter, candidate));
    const chosen = values.find(({ value = "" }) => !isUnfilled(value)) ?? values[0];
    if (chosen) return { name: name || values[0]!.name, value: chosen.value };
  }
  return name === "" ? undefined : { name, value: undefined };
}

/** Whether a value is still the placeholder that a player should have filled. */
export function isUnfilled(value: string): boolean {
  return /[{}]/.test(value);
}
