/** How a browser is asked whether it decodes the codecs that television uses. */
import type { Codec } from "../../wire/mpegts/codec.ts";

/** Says whether the browser's MediaSource plays a MIME type with codecs. */
export type IsTypeSupported = (mimeType: string) => boolean;

/** Undefined: nothing that fills a MediaSource from MPEG-TS writes this codec, whatever the browser says. */
const MIME_TYPES: Readonly<Record<Codec, string | undefined>> = {
  "MPEG-1": undefined,
  "MPEG-2": undefined,
  "MPEG-4": undefined,
  "H.264": 'video/mp4; codecs="avc1.640028"',
  "H.265": 'video/mp4; codecs="hvc1.1.6.L123.B0"',
  AVS: undefined,
  AV1: 'video/mp4; codecs="av01.0.08M.08"',
  AAC: 'audio/mp4; codecs="mp4a.40.2"',
  "AAC LATM": 'audio/mp4; codecs="mp4a.40.2"',
  "AC-3": 'audio/mp4; codecs="ac-3"',
  "E-AC-3": 'audio/mp4; codecs="ec-3"',
  "AC-4": undefined,
  DTS: undefined,
  MP2: undefined,
  MP3: "audio/mpeg",
  Opus: 'audio/mp4; codecs="opus"',
};

export function isPlayable(codec: Codec, isTypeSupported: IsTypeSupported): boolean {
  const mimeType = MIME_TYPES[codec];
  return mimeType !== undefined && isTypeSupported(mimeType);
}
