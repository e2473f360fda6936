/** What the URL of an RTSP or HTTP upstream says about time, and the rest of it (m3u.md section 10). */
import { asByteString, type ByteString } from "../wire/text/byte-string.ts";
import { percentDecode } from "../wire/url/percent.ts";
import {
  type CarriedWords,
  isRtspControl,
  isSeekControl,
  type RtspControls,
  readCarriedWords,
  readRtspControls,
  readSeekControls,
} from "./control-parameters.ts";
import type { SeekMode } from "./seek-mode.ts";
import { findSeekParameter } from "./seek-parameter.ts";
import { parseSeekValue, type SeekOffset, type SeekValue } from "./seek-value.ts";
import { isNamed, joinUrl, type Parameter, splitUrl } from "./url-parameters.ts";

/** How the upstream is told: in the Range of its PLAY, beside other controls, or in the query of its URL. */
export type SeekWay = "range" | "query";

export interface Seek {
  /** Of the seek parameter, spelled as the upstream shall see it. */
  readonly name: string;
  readonly value: SeekValue;
}

export interface SeekRequest extends RtspControls {
  readonly way: SeekWay;
  /** The URL without seek and control parameters; placeholders still stand in it. */
  readonly url: ByteString;
  /** Undefined when nothing is sought. */
  readonly seek: Seek | undefined;
  readonly carried: CarriedWords;
  readonly offset: SeekOffset;
  readonly mode: SeekMode;
  /** The service's own URL has the seek parameter, so that the upstream expects it even beside placeholders. */
  readonly isConfigured: boolean;
  /** A line of the log for each parameter that was ignored; they quote the client, percent-decoded. */
  readonly warnings: readonly string[];
}

const NO_RTSP_CONTROLS: RtspControls = { start: undefined, wantsDuration: false };

/**
 * Takes the seek apart from the URL. `r2h-token` and `r2h-ifname` are left in it.
 * @param url a path or an absolute URL, without `$label`; a service's with the request's query merged in
 * @param serviceUrl as the playlist has it; undefined for a URL that came whole from a client
 * @returns undefined for an RTSP URL whose seek value cannot be decoded: 404, for a service 500. An HTTP URL keeps the parameter.
 */
export function readSeekRequest(url: ByteString, way: SeekWay, serviceUrl?: ByteString): SeekRequest | undefined {
  const { path, parameters } = splitUrl(url);
  const warnings: string[] = [];
  const { name, offset, mode } = readSeekControls(parameters, warnings);
  const rtsp = way === "range" ? readRtspControls(parameters, warnings) : NO_RTSP_CONTROLS;
  const found = findSeekParameter(parameters, name);
  const text = percentDecode(found?.value ?? asByteString(""));
  if (text === undefined && way === "range") return undefined;
  if (text === undefined) warnings.push(`${found?.name} is passed on untouched: invalid percent-encoding`);

  const isConsumed = (parameter: Parameter) =>
    isSeekControl(parameter) ||
    (way === "range" && isRtspControl(parameter)) ||
    (text !== undefined && found !== undefined && isNamed(parameter, found.name));
  return {
    ...rtsp,
    way,
    url: joinUrl({ path, parameters: parameters.filter((parameter) => !isConsumed(parameter)) }),
    seek: found && text ? { name: found.name, value: parseSeekValue(text) } : undefined,
    carried: readCarriedWords(parameters, warnings),
    offset,
    mode,
    isConfigured: found !== undefined && hasParameter(serviceUrl, found.name),
    warnings,
  };
}

function hasParameter(url: ByteString | undefined, name: string): boolean {
  return url !== undefined && splitUrl(url).parameters.some((parameter) => isNamed(parameter, name));
}
