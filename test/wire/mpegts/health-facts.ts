/** All that an analysis has found, to be compared. */
import type { TransportHealth } from "../../../src/wire/mpegts/health.ts";

export function healthFacts(health: TransportHealth) {
  const { packets, nullPackets, transportErrors, scrambled, continuityErrors, syncLosses } = health;
  const { pcrErrors, pcrJumps, pcrJitterMs, ptsErrors, programmes } = health;
  return {
    ...{ packets, nullPackets, transportErrors, scrambled, continuityErrors, syncLosses },
    ...{ pcrErrors, pcrJumps, pcrJitterMs, ptsErrors },
    patErrors: programmes.patErrors,
    pmtErrors: programmes.pmtErrors,
    pids: health.pids.map((entry) => [entry.pid, entry.packets, entry.continuityErrors, entry.scrambled]),
    programmes: programmes.all.map(({ number, pmtPid, streams = [] }) => ({
      number,
      pmtPid,
      ...programmes.serviceOf(number),
      streams: streams.map(({ pid, kind, codec, language, video, audio, frameRate }) => ({
        ...{ pid, kind, codec, language, video, audio, frameRate },
      })),
    })),
  };
}
