/** What an RTSP session learns of its stream, for the headers of the answer (rtsp.md section 9.4; http.md section 18). */
import type { StreamInfo } from "../../relay/stream.ts";
import type { NptRange } from "../../wire/rtsp/range.ts";

/** Members are absent while unknown. */
export interface RtspStreamInfo extends StreamInfo {
  readonly transport?: "tcp-interleaved" | "udp";
  /** Of PLAY's answer: speed, and the range verbatim. */
  readonly scale?: number;
  readonly range?: string;
  /** Of the description: begin and end of what can be played. */
  readonly duration?: NptRange;
}
