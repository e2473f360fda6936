/** The query of a published catch-up link, which brings a player's times back to the server (m3u.md section 12.4). */
import { asByteString, type ByteString } from "../wire/text/byte-string.ts";
import { isSeekControl, readSeekControls } from "./control-parameters.ts";
import { type ClockWords, findPlaceholders, hasLongLetters, type Placeholder } from "./placeholders.ts";
import { findSeekParameter, type SeekParameter } from "./seek-parameter.ts";
import { isNamed, type Parameter, splitUrl } from "./url-parameters.ts";

const DEFAULT_NAME = "playseek";
/** Two plain instants, which every player fills. */
const INSTANTS = "\x24{start}-\x24{end}";
/** A player writes the present once, however often it then asks: an archive may count from it. */
const NOW = "\x24{timestamp}";

const DATE_PARTS = ["year", "mon", "day", "hour", "min", "sec"];
const END_KEYWORDS: ReadonlyMap<string, string> = new Map([
  ["utc", "utcend"],
  ["start", "end"],
]);
const KEYWORD_WORD = /^(\$?)\{(utc|start|utcend|end):/;

/** What the server must know of a template to fill it. */
interface Wanted {
  /** At which times it needs to know. */
  readonly times: boolean;
  /** When the player has made its URL. */
  readonly now: boolean;
  readonly clocks: ReadonlyMap<ClockWords, string>;
  readonly catchupId: boolean;
}

/**
 * The URL's own seek parameter as it stands, for that is passed on as it comes; and for the placeholders elsewhere two instants,
 * with which the server fills them.
 * @param url of the catch-up source
 * @returns undefined when the URL holds no placeholder that depends on a seek
 */
export function carrierQuery(url: ByteString): ByteString | undefined {
  if (!url.includes("{")) return undefined;
  const { path, parameters } = splitUrl(url);
  const seek = ownSeek(parameters);
  const carriesItself = seek?.value !== undefined && findPlaceholders(seek.value).some(dependsOnSeek);
  const others = parameters.filter((parameter) => !seek || !isNamed(parameter, seek.name)).map(({ text }) => text);
  const wanted = wantedBy([path, ...others].join("&"));
  const query: string[] = [];
  if (carriesItself) query.push(`${seek.name}=${seek.value}`);
  if (wanted.times) query.push(`${carriesItself ? "r2h-span" : (seek?.name ?? DEFAULT_NAME)}=${INSTANTS}`);
  if (wanted.clocks.size > 0) query.push(`r2h-clock=${[...wanted.clocks.values()].join(",")}`);
  if (wanted.now && query.length > 0) query.push(`r2h-now=${NOW}`);
  if (wanted.catchupId) query.push("r2h-catchup-id={catchup-id}");
  return query.length === 0 ? undefined : asByteString(query.join("&"));
}

/** Of the template without its seek parameter, in the order in which the link asks for them. */
export function clockWordsOf(template: string): readonly ClockWords[] {
  return [...clocksOf(findPlaceholders(template)).keys()];
}

/** The server looks for this name and no other when it gets the link back. */
function ownSeek(parameters: readonly Parameter[]): SeekParameter | undefined {
  const name = parameters.some(isSeekControl) ? readSeekControls(parameters, []).name : "";
  return findSeekParameter(parameters, name);
}

function wantedBy(template: string): Wanted {
  const words = findPlaceholders(template);
  return {
    times: words.some(dependsOnSeek),
    now: words.some(({ needs }) => needs.includes("now")),
    clocks: clocksOf(words),
    catchupId: words.some(({ text }) => text.endsWith("{catchup-id}")),
  };
}

function dependsOnSeek({ needs }: Placeholder): boolean {
  return needs.includes("begin") || needs.includes("end");
}

/**
 * What tells the zone in which a player writes its dates: begin and end in words of the same kind. Players that know no others
 * tell both times by it.
 */
function clocksOf(words: readonly Placeholder[]): ReadonlyMap<ClockWords, string> {
  const clocks = new Map<ClockWords, string>();
  const first = (clock: ClockWords) => words.find((word) => word.clock === clock && word.point !== "now")?.text;
  const isMarked = words.some(({ text, point }) => point !== undefined && /^\$?\{\(/.test(text));
  if (isMarked) clocks.set("marked", markedClock(first("marked")));
  const keyword = keywordClock(first("keyword") ?? "");
  if (keyword) clocks.set("keyword", keyword);
  const letters = first("letters");
  if (letters !== undefined) clocks.set("letters", lettersClock(letters));
  if (first("parts") !== undefined) clocks.set("parts", `${parts("start")}-${parts("end")}`);
  return clocks;
}

/** @param word undefined where none depends on a zone */
function markedClock(word: string | undefined): string {
  const sign = word?.startsWith("{") ? "" : "$";
  const format = word === undefined ? "timestamp" : wholeDate(word, sign === "$");
  return `${sign}{(b)${format}}-${sign}{(e)${format}}`;
}

function keywordClock(word: string): string | undefined {
  const [, sign = "", keyword = ""] = KEYWORD_WORD.exec(word) ?? [];
  const [begin, end] = [...END_KEYWORDS].find((pair) => pair.includes(keyword)) ?? [];
  const format = wholeDate(word, sign === "$");
  return begin && `${sign}{${begin}:${format}}-${sign}{${end}:${format}}`;
}

function wholeDate(word: string, hasSign: boolean): string {
  return hasLongLetters(word, hasSign) ? "yyyyMMddHHmmss" : "YmdHMS";
}

function lettersClock(word: string): string {
  return word.startsWith("$") ? "\x24{yyyy}\x24{MM}\x24{dd}\x24{HH}\x24{mm}\x24{ss}" : "{Y}{m}{d}{H}{M}{S}";
}

function parts(point: string): string {
  return DATE_PARTS.map((part) => `\x24{${point}-${part}}`).join("");
}
