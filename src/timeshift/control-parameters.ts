/** Query parameters that steer a seek and are meant for this relay only (m3u.md section 10; rtsp.md section 9.1). */
import { asByteString, type ByteString } from "../wire/text/byte-string.ts";
import { percentDecode } from "../wire/url/percent.ts";
import { parseSeekMode, type SeekMode } from "./seek-mode.ts";
import { isUnfilled } from "./seek-parameter.ts";
import { parseSeekValue, type SeekOffset, type SeekValue } from "./seek-value.ts";
import { isNamed, type Parameter } from "./url-parameters.ts";

/** The limits on decoded values, in bytes. */
const CONTROL_LIMITS = {
  "r2h-seek-name": 127,
  "r2h-seek-offset": 31,
  "r2h-seek-mode": 95,
  "r2h-span": 127,
  "r2h-clock": 511,
  "r2h-now": 31,
} as const;
/** As it comes, percent-encoded or not: it goes into the URL. */
const CATCHUP_ID = "r2h-catchup-id";
const MAX_CATCHUP_ID_BYTES = 1023;
/** About 68 years: more than any archive holds, and little enough for a date to stay one. */
const MAX_OFFSET_S = 2 ** 31 - 1;

const OFFSET = /^([+-]?\d+)(?:,([+-]?\d+))?$/;
const NO_OFFSET: SeekOffset = { beginS: 0, endS: 0 };
/** NPT of RFC 2326 section 3.6. Anything else would let a client write into the request's head. */
const NPT = /^(?:now|\d{1,10}(?:\.\d{0,9})?|\d{1,10}:[0-5]?\d:[0-5]?\d(?:\.\d{0,9})?)$/;

type ControlName = keyof typeof CONTROL_LIMITS;

export const SEEK_CONTROLS: readonly string[] = [...Object.keys(CONTROL_LIMITS), CATCHUP_ID];

interface SeekControls {
  /** Of the seek parameter; empty when none is given. */
  readonly name: string;
  readonly offset: SeekOffset;
  readonly mode: SeekMode;
}

/** What a catch-up link brings for the placeholders of its template (m3u.md section 12.4). */
export interface CarriedWords {
  /** Instants beside a seek parameter that is passed on. */
  readonly span: SeekValue | undefined;
  /** The same times in words whose zone is the player's; undefined for one that it has not filled. */
  readonly clocks: readonly (SeekValue | undefined)[];
  /** When the player has made its URL. */
  readonly now: SeekValue | undefined;
  readonly catchupId: ByteString | undefined;
}

export function readCarriedWords(parameters: readonly Parameter[], warnings: string[]): CarriedWords {
  const id = parameters.find((parameter) => isNamed(parameter, CATCHUP_ID))?.value;
  const clocks = controlValue(parameters, "r2h-clock", warnings);
  return {
    span: filledValue(controlValue(parameters, "r2h-span", warnings)),
    now: filledValue(controlValue(parameters, "r2h-now", warnings)),
    clocks: clocks === "" ? [] : clocks.split(",").map(filledValue),
    catchupId: id === undefined || id.length > MAX_CATCHUP_ID_BYTES || isUnfilled(id) ? undefined : id,
  };
}

function filledValue(text: string): SeekValue | undefined {
  return text === "" || isUnfilled(text) ? undefined : parseSeekValue(text);
}

/** @param warnings gets a line for each parameter that is ignored */
export function readSeekControls(parameters: readonly Parameter[], warnings: string[]): SeekControls {
  return {
    name: controlValue(parameters, "r2h-seek-name", warnings),
    offset: readOffset(controlValue(parameters, "r2h-seek-offset", warnings), warnings),
    mode: readMode(controlValue(parameters, "r2h-seek-mode", warnings), warnings),
  };
}

export function isSeekControl(parameter: Parameter): boolean {
  return SEEK_CONTROLS.some((name) => isNamed(parameter, name));
}

/** Of several the first counts. Empty when there is none, or none that can be used. */
function controlValue(parameters: readonly Parameter[], name: ControlName, warnings: string[]): string {
  const [first, ...copies] = parameters.filter((parameter) => isNamed(parameter, name));
  if (copies.length > 0) warnings.push(`${name} is given more than once: the first counts`);
  const value = percentDecode(first?.value ?? asByteString(""));
  const limit = CONTROL_LIMITS[name];
  if (value !== undefined && value.length <= limit) return value;
  warnings.push(`${name} is ignored: ${value === undefined ? "invalid percent-encoding" : `over ${limit} bytes`}`);
  return "";
}

function readOffset(text: string, warnings: string[]): SeekOffset {
  if (text === "") return NO_OFFSET;
  const match = OFFSET.exec(text);
  const beginS = Number(match?.[1]);
  const endS = Number(match?.[2] ?? match?.[1]);
  if (Math.abs(beginS) <= MAX_OFFSET_S && Math.abs(endS) <= MAX_OFFSET_S) return { beginS, endS };
  warnings.push(`Invalid r2h-seek-offset value: ${text}`);
  return NO_OFFSET;
}

function readMode(text: string, warnings: string[]): SeekMode {
  const mode = parseSeekMode(text);
  if (mode.kind === "malformed") warnings.push(`Invalid r2h-seek-mode value: ${text}`);
  return mode;
}

/** What only RTSP URLs have: `r2h-start` and `r2h-duration`, in lower case (http.md section 11). */
export interface RtspControls {
  /** NPT where playing starts; undefined without a valid one. */
  readonly start: string | undefined;
  /** The client wants to know the duration, not the media. */
  readonly wantsDuration: boolean;
}

export function readRtspControls(parameters: readonly Parameter[], warnings: string[]): RtspControls {
  const decoded = (wanted: string) =>
    percentDecode(parameters.find(({ name }) => name === wanted)?.value ?? asByteString(""));
  const start = decoded("r2h-start");
  const isNpt = start !== undefined && NPT.test(start);
  if (start !== "" && !isNpt) warnings.push(`Invalid r2h-start value: ${start ?? "invalid percent-encoding"}`);
  return { start: isNpt ? start : undefined, wantsDuration: decoded("r2h-duration") === "1" };
}

export function isRtspControl({ name }: Parameter): boolean {
  return name === "r2h-start" || name === "r2h-duration";
}
