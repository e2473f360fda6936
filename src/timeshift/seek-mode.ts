/** `r2h-seek-mode`: whether a recent begin becomes a `Range` header of RTSP instead of a parameter (m3u.md section 13.2). */
import type { SeekOffset, SeekValue } from "./seek-value.ts";
import { formatTime, instantMs, MS_PER_SECOND } from "./times.ts";
import { parseZone } from "./zones.ts";

const DEFAULT_WINDOW_S = 3600;
const MAX_WINDOW_S = 86_400;
const MAX_CONTENT_BYTES = 63;

interface RangeMode {
  /** Minutes east of UTC, for times without a zone of their own; undefined means the client's. */
  readonly zoneMin: number | undefined;
  /** How far back, in seconds, a begin may lie to be asked for by `Range`. */
  readonly windowS: number;
}

export type SeekMode =
  | { readonly kind: "passthrough" }
  | ({ readonly kind: "range" } & RangeMode)
  /** Counts as passthrough, but somebody should know. */
  | { readonly kind: "malformed" };

const RANGE = /^range(?:\((?<content>[^()]*)\))?$/i;
/** A zone, a window in seconds, or both with a slash between them; either side of it may be empty. */
const CONTENT = /^(?:(?<zone>UTC[^/]*)(?:\/|$)|\/)?(?<window>\d+)?$/;

export function parseSeekMode(text: string): SeekMode {
  if (text === "" || text.toLowerCase() === "passthrough") return { kind: "passthrough" };
  const range = RANGE.exec(text);
  const content = range?.groups?.["content"] ?? "";
  const parts = CONTENT.exec(content)?.groups;
  if (!range || !parts || content.length > MAX_CONTENT_BYTES) return { kind: "malformed" };
  const { zone, window = DEFAULT_WINDOW_S } = parts;
  const zoneMin = zone === undefined ? undefined : parseZone(zone);
  const windowS = Number(window);
  if (zone !== undefined && zoneMin === undefined) return { kind: "malformed" };
  return windowS < 1 || windowS > MAX_WINDOW_S ? { kind: "malformed" } : { kind: "range", zoneMin, windowS };
}

/** The value of `Range` that starts at the begin of a seek and runs into live; undefined when that is out of the window. */
export function clockRange(
  value: SeekValue,
  mode: RangeMode,
  offset: SeekOffset,
  viewer: { readonly nowMs: number; readonly zoneMin: number },
): string | undefined {
  if (!value.begin) return undefined;
  const beginMs = instantMs(value.begin, mode.zoneMin ?? viewer.zoneMin) + offset.beginS * MS_PER_SECOND;
  const agoMs = viewer.nowMs - beginMs;
  if (agoMs < 0 || agoMs >= mode.windowS * MS_PER_SECOND) return undefined;
  const text = formatTime({ layout: "basic", wallMs: beginMs, zoneMin: 0, suffix: "Z", hasFraction: false });
  return `clock=${text}-`;
}
