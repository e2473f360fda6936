/** The demonstration channels: clips that repeat for ever, each reached in one of the ways that the relay knows. */

import { type LoopClip, parseLoopClip } from "../wire/mpegts/loop.ts";
import five from "./clips/five.mpegts" with { type: "file" };
import four from "./clips/four.mpegts" with { type: "file" };
import one from "./clips/one.mpegts" with { type: "file" };
import six from "./clips/six.mpegts" with { type: "file" };
import three from "./clips/three.mpegts" with { type: "file" };
import two from "./clips/two.mpegts" with { type: "file" };

export interface DemoChannel {
  number: number;
  name: string;
  /** Path of an MPEG-TS file that lasts `CLIP_TICKS`; inside the executable when that is compiled. */
  clip: string;
}

export interface MulticastChannel extends DemoChannel {
  /** IPv4 multicast group, of the administratively scoped block (RFC 2365). */
  group: string;
  port: number;
}

export interface ProtectedChannel extends MulticastChannel {
  /** Of the group, for parity (FEC). */
  parityPort: number;
}

/** Every clip lasts 16 s, in ticks of the 90 kHz clock; see make-clips.sh. */
const CLIP_TICKS = 16 * 90_000;

const RTP_PORT = 5004;

export const MULTICAST_CHANNELS: readonly MulticastChannel[] = [
  { number: 1, name: "sluice one", group: "239.255.81.1", port: RTP_PORT, clip: one },
  { number: 2, name: "sluice two", group: "239.255.81.2", port: RTP_PORT, clip: two },
  { number: 3, name: "sluice three", group: "239.255.81.3", port: RTP_PORT, clip: three },
];

/** Comes from `RtspSource`. */
export const RTSP_CHANNEL: DemoChannel = { number: 4, name: "sluice four", clip: four };

/** Comes from `HttpSource`. */
export const HTTP_CHANNEL: DemoChannel = { number: 5, name: "sluice five", clip: five };

/** Its line loses packets; parity and an `FccServer` go with it. */
export const PROTECTED_CHANNEL: ProtectedChannel = {
  number: 6,
  name: "sluice six",
  group: "239.255.81.6",
  port: RTP_PORT,
  parityPort: 5006,
  clip: six,
};

/** Rejects with an Error when the clip cannot be read or is not an MPEG-TS clip. */
export async function loadClip({ name, clip }: DemoChannel): Promise<LoopClip> {
  const parsed = parseLoopClip(await Bun.file(clip).bytes(), CLIP_TICKS);
  if (!parsed) throw new Error(`the clip of channel "${name}" is not MPEG-TS with a PCR`);
  return parsed;
}
