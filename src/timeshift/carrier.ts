/** The query of a published catch-up link, which brings a player's times back to the server (m3u.md section 12.4). */
import { asByteString, type ByteString } from "../wire/text/byte-string.ts";
import { isSeekControl, readSeekControls } from "./control-parameters.ts";
import { findPlaceholders, type Placeholder, type Point } from "./placeholders.ts";
import { findSeekParameter } from "./seek-parameter.ts";
import { type Parameter, splitUrl } from "./url-parameters.ts";

const DEFAULT_NAME = "playseek";
/** Every player fills these. */
const ANY_BEGIN = "\x24{utc}";
const ANY_END = "\x24{utcend}";

/** The channels of a playlist have the same few values, which are worth remembering. */
const MAX_REMEMBERED = 64;

interface Fragments {
  begin: string | undefined;
  end: string | undefined;
}

interface ReadValue {
  readonly placeholders: readonly Placeholder[];
  readonly fragments: Fragments;
}

const remembered = new Map<string, ReadValue>();

/**
 * `name=begin-end` or `name=begin`, made of placeholders that the player fills; the server then fills the rest of the URL.
 * @param url of the catch-up source
 * @returns undefined when the URL holds no placeholder that depends on a seek
 */
export function carrierQuery(url: ByteString): ByteString | undefined {
  if (!url.includes("{")) return undefined;
  const { path, parameters } = splitUrl(url);
  const values = parameters.flatMap(({ value }) => (value?.includes("{") ? readValue(value) : []));
  const inPath = path.includes("{") ? findPlaceholders(path) : [];
  const all = [...inPath, ...values.flatMap(({ placeholders }) => placeholders)];
  const needsEnd = all.some(({ needs }) => needs.includes("end"));
  if (!needsEnd && !all.some(({ needs }) => needs.includes("begin"))) return undefined;

  const found: Fragments = { begin: undefined, end: undefined };
  for (const { fragments } of values) {
    found.begin ??= fragments.begin;
    found.end ??= fragments.end;
  }
  const begin = found.begin ?? (joined(inPath, "begin") || ANY_BEGIN);
  const end = found.end ?? (joined(inPath, "end") || ANY_END);
  return asByteString(`${carrierName(parameters)}=${begin}${needsEnd ? `-${end}` : ""}`);
}

/** The server looks for this name and no other when it gets the link back. */
function carrierName(parameters: readonly Parameter[]): string {
  const name = parameters.some(isSeekControl) ? readSeekControls(parameters, []).name : "";
  return findSeekParameter(parameters, name)?.name ?? DEFAULT_NAME;
}

function readValue(value: string): ReadValue {
  const known = remembered.get(value);
  if (known) return known;
  const placeholders = findPlaceholders(value);
  const read = { placeholders, fragments: fragmentsOf(value, placeholders) };
  if (remembered.size < MAX_REMEMBERED) remembered.set(value, read);
  return read;
}

/** What of a value stands for the begin and what for the end. */
function fragmentsOf(value: string, placeholders: readonly Placeholder[]): Fragments {
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
