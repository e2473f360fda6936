/** A fake RTSP server whose answers and frames arrive damaged, in the same way for the same seed. */

import { below, mutated, randomPieces } from "./mutation.ts";
import { seededRandom } from "./random.ts";
import { RtspServer, type RtspServerOptions } from "./rtsp-server.ts";

/** Some must get through, or nothing behind it would ever be damaged. */
const DAMAGED_ANSWERS = 0.3;
const DAMAGED_FRAMES = 0.05;
/** Of all answers: those that never come, or the connection ends instead. */
const MISSING_ANSWERS = 0.03;
const INSTEAD = ["silence", "eof", "reset"] as const;
const DOLLAR = 0x24;

/** Opens one on a free port. Close it with `close()` or `using`. */
export function openDamagingRtspServer(
  seed: number,
  options: Pick<RtspServerOptions, "transport"> = {},
): Promise<RtspServer> {
  const random = seededRandom(seed);
  return RtspServer.open({
    ...options,
    react: (usual) => (random() < MISSING_ANSWERS ? INSTEAD[below(INSTEAD.length, random)]! : usual),
    cut: (bytes) => {
      const isDamaged = random() < (bytes[0] === DOLLAR ? DAMAGED_FRAMES : DAMAGED_ANSWERS);
      return isDamaged ? randomPieces(mutated(bytes, random), random) : [bytes];
    },
  });
}
