/** What the answers of a server tell about the stream, until another server is asked (rtsp.md sections 5.3 and 5.5). */

import { headerValue } from "../../wire/http/request.ts";
import { parseScale, publicMethods } from "../../wire/rtsp/headers.ts";
import type { RtspResponse } from "../../wire/rtsp/message.ts";
import { relayableRange } from "../../wire/rtsp/range.ts";
import { parseSdp, type SessionDescription } from "../../wire/rtsp/sdp.ts";
import { resolveControl } from "../../wire/rtsp/url.ts";
import type { PayloadKind } from "../rtp/depacketizer.ts";
import type { RtspStreamInfo } from "./stream-info.ts";

export class SessionInfo {
  /** That the server knows; undefined when it does not say. */
  methods: readonly string[] | undefined;
  /** For SETUP. */
  controlUrl = "";
  transport: RtspStreamInfo["transport"];
  #description: SessionDescription | undefined;
  #scale: number | undefined;
  #range: string | undefined;

  options({ headers }: RtspResponse): void {
    this.methods = publicMethods(headers);
  }

  describe({ headers, body }: RtspResponse, requestUrl: string): void {
    const description = parseSdp(body);
    this.#description = description;
    this.controlUrl = resolveControl(requestUrl, headerValue(headers, "content-base"), description.control);
  }

  play({ headers }: RtspResponse): void {
    this.#scale = parseScale(headerValue(headers, "scale") ?? "");
    this.#range = relayableRange(headerValue(headers, "range") ?? "");
  }

  /** @param payload of the media that came; until then the description's word counts */
  info(payload: PayloadKind | undefined): RtspStreamInfo {
    const hint = this.#description?.isRtp ? "mp2t-rtp" : undefined;
    const kind = payload ?? hint;
    return {
      protocol: "rtsp",
      ...(kind && { payload: kind }),
      ...(this.transport && { transport: this.transport }),
      ...(this.#scale !== undefined && { scale: this.#scale }),
      ...(this.#range !== undefined && { range: this.#range }),
      ...(this.#description?.range && { duration: this.#description.range }),
    };
  }
}
