/** The demonstration channels: three clips that repeat for ever, each on a multicast group of its own. */

import one from "./clips/one.mpegts" with { type: "file" };
import three from "./clips/three.mpegts" with { type: "file" };
import two from "./clips/two.mpegts" with { type: "file" };

export interface DemoChannel {
  number: number;
  name: string;
  /** IPv4 multicast group, of the administratively scoped block (RFC 2365). */
  group: string;
  port: number;
  /** Path of an MPEG-TS file that lasts `CLIP_TICKS`; inside the executable when that is compiled. */
  clip: string;
}

/** Every clip lasts 16 s, in ticks of the 90 kHz clock; see make-clips.sh. */
export const CLIP_TICKS = 16 * 90_000;

const RTP_PORT = 5004;

export const DEMO_CHANNELS: readonly DemoChannel[] = [
  { number: 1, name: "sluice one", group: "239.255.81.1", port: RTP_PORT, clip: one },
  { number: 2, name: "sluice two", group: "239.255.81.2", port: RTP_PORT, clip: two },
  { number: 3, name: "sluice three", group: "239.255.81.3", port: RTP_PORT, clip: three },
];
