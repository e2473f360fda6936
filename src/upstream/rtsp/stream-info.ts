/** What the answers of a server tell about the stream, and how clients are told (rtsp.md sections 5 and 9.4; http.md section 18). */
import { type HeaderField, headerValue } from "../../wire/http/header-fields.ts";
import { parseScale } from "../../wire/rtsp/headers.ts";
import type { RtspResponse } from "../../wire/rtsp/message.ts";
import { type NptRange, relayableRange } from "../../wire/rtsp/range.ts";
import { parseSdp, type SessionDescription } from "../../wire/rtsp/sdp.ts";
import { aggregateUrls, type ControlBases, trackUrls } from "../../wire/rtsp/url.ts";
import type { PayloadKind } from "../rtp/depacketizer.ts";

const FRACTION_DIGITS = 6;
/** From here on `toFixed` writes an exponent. */
const TOO_LARGE = 1e21;

/** Members are absent while unknown. */
interface RtspStreamInfo {
  readonly payload?: PayloadKind;
  readonly transport?: "tcp-interleaved" | "udp";
  /** Of PLAY's answer: speed, and the range verbatim. */
  readonly scale?: number;
  readonly range?: string;
  /** Of the description: begin and end of what can be played. */
  readonly duration?: NptRange;
}

/** Known of one server; another one is asked anew. */
export class SessionInfo {
  /** For SETUP, in the order in which to try them. */
  trackUrls: readonly string[] = [];
  /** For PLAY, likewise. */
  aggregateUrls: readonly string[] = [];
  transport: RtspStreamInfo["transport"];
  #description: SessionDescription | undefined;
  #scale: number | undefined;
  #range: string | undefined;

  describe({ headers, body }: RtspResponse, requestUrl: string): void {
    const description = parseSdp(body);
    this.#description = description;
    const contentBase = headerValue(headers, "content-base") || headerValue(headers, "content-location");
    this.#useUrls({ requestUrl, contentBase, session: description.sessionControl }, description.control);
  }

  /** The server describes nothing, but may have something to play. */
  undescribed(requestUrl: string): void {
    this.#useUrls({ requestUrl, contentBase: undefined, session: undefined }, undefined);
  }

  #useUrls(bases: ControlBases, control: string | undefined): void {
    this.trackUrls = trackUrls(bases, control);
    this.aggregateUrls = aggregateUrls(bases);
  }

  play({ headers }: RtspResponse): void {
    this.#scale = parseScale(headerValue(headers, "scale") ?? "");
    this.#range = relayableRange(headerValue(headers, "range") ?? "");
  }

  /** Seconds at which what can be played ends; undefined when the server does not say. */
  get endS(): number | undefined {
    return this.#description?.range?.endS;
  }

  /** @param payload of the media that came; until then the description's word counts */
  metadata(payload: PayloadKind | undefined): HeaderField[] {
    const hint = this.#description?.isRtp ? "mp2t-rtp" : undefined;
    const kind = payload ?? hint;
    return rtspMetadata({
      ...(kind && { payload: kind }),
      ...(this.transport && { transport: this.transport }),
      ...(this.#scale !== undefined && { scale: this.#scale }),
      ...(this.#range !== undefined && { range: this.#range }),
      ...(this.#description?.range && { duration: this.#description.range }),
    });
  }
}

/** The headers of an RTSP stream, and of HEAD for one, in the order of the specification. */
function rtspMetadata({ payload, transport, scale, range, duration }: RtspStreamInfo): HeaderField[] {
  return [
    ["R2H-Upstream-Protocol", "rtsp"],
    ...textHeader("R2H-Upstream-Transport", transport),
    ...textHeader("R2H-Upstream-Payload", payload),
    ...textHeader("R2H-Playback-Scale", decimal(scale)),
    ...textHeader("R2H-Playback-Range", range),
    ...textHeader("R2H-Media-Duration", decimal(duration && duration.endS - duration.startS)),
  ];
}

function textHeader(name: string, value: string | undefined): HeaderField[] {
  return value === undefined ? [] : [[name, value]];
}

/** Plain decimal with at most six digits behind the point; undefined for a number that cannot be written so. */
function decimal(value: number | undefined): string | undefined {
  if (value === undefined || !(Math.abs(value) < TOO_LARGE)) return undefined;
  const text = value.toFixed(FRACTION_DIGITS).replace(/\.?0+$/, "");
  return text === "-0" ? "0" : text;
}
