/** The query of a published catch-up link, which brings a player's times back to the server (m3u.md section 12.4). */
import { readSeekControls } from "./control-parameters.ts";
import { findPlaceholders, type Placeholder, type Point } from "./placeholders.ts";
import { findSeekParameter } from "./seek-parameter.ts";
import { type Parameter, splitUrl } from "./url-parameters.ts";

const DEFAULT_NAME = "playseek";
/** Every player fills these. */
const ANY_BEGIN = "\x24{utc}";
const ANY_END = "\x24{utcend}";

interface Fragments {
  begin: string | undefined;
  end: string | undefined;
}

/**
 * `name=begin-end` or `name=begin`, made of placeholders that the player fills; the server then fills the rest of the URL.
 * @param url of the catch-up source
 * @returns undefined when the URL holds no placeholder that depends on a seek
 */
export function carrierQuery(url: string): string | undefined {
  const { path, parameters } = splitUrl(url);
  const values = parameters.filter(({ value }) => value !== undefined);
  const inPath = findPlaceholders(path);
  const all = [...inPath, ...values.flatMap(({ value }) => findPlaceholders(value!))];
  const needsEnd = all.some(({ needs }) => needs.includes("end"));
  if (!needsEnd && !all.some(({ needs }) => needs.includes("begin"))) return undefined;

  const found: Fragments = { begin: undefined, end: undefined };
  for (const { value } of values) {
    const { begin, end } = fragmentsOf(value!);
    found.begin ??= begin;
    found.end ??= end;
  }
  const begin = found.begin ?? (joined(inPath, "begin") || ANY_BEGIN);
  const end = found.end ?? (joined(inPath, "end") || ANY_END);
  return `${carrierName(parameters)}=${begin}${needsEnd ? `-${end}` : ""}`;
}

/** The server looks for this name and no other when it gets the link back. */
function carrierName(parameters: readonly Parameter[]): string {
  return findSeekParameter(parameters, readSeekControls(parameters, []).name)?.name ?? DEFAULT_NAME;
}

/** What of a value stands for the begin and what for the end. */
function fragmentsOf(value: string): Fragments {
  const placeholders = findPlaceholders(value);
  const writes = (point: Point) => placeholders.some((placeholder) => placeholder.point === point);
  const onlyWrites = (point: Point) => placeholders.every((placeholder) => placeholder.point === point);
  if (writes("begin") && writes("end")) return splitRange(value, placeholders);
  return {
    begin: writes("begin") && onlyWrites("begin") ? value : undefined,
    end: writes("end") && onlyWrites("end") ? value : undefined,
  };
}

/** Splits at the first `-` that has a begin but no end to its left. Those inside of placeholders belong to formats. */
function splitRange(value: string, placeholders: readonly Placeholder[]): Fragments {
  const firstEnd = placeholders.findIndex(({ point }) => point === "end");
  const firstBegin = placeholders.findIndex(({ point }) => point === "begin");
  for (let i = firstBegin; i < firstEnd; i++) {
    const { index, text } = placeholders[i]!;
    const at = value.indexOf("-", index + text.length);
    if (at >= 0 && at < placeholders[i + 1]!.index) return { begin: value.slice(0, at), end: value.slice(at + 1) };
  }
  return { begin: undefined, end: undefined };
}

function joined(placeholders: readonly Placeholder[], point: Point): string {
  return placeholders
    .filter((placeholder) => placeholder.point === point)
    .map(({ text }) => text)
    .join("");
}
