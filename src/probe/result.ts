/** What a probe has found: whether it plays, why not, and what else is wrong, in sentences (health.md section 7). */
import type { UpstreamReport } from "../wire/status/event.ts";
import type { Observation } from "./observe.ts";

export interface ProbeResult {
  readonly plays: boolean;
  /** Why it does not play; empty when it does. */
  readonly reason: string;
  /** What else somebody should know, the gravest first. */
  readonly findings: readonly string[];
  /** For how long media was looked at. */
  readonly seconds: number;
  /** −1: none came. */
  readonly firstMediaMs: number;
  readonly upstream: UpstreamReport;
}

const PLAYLIST = /^(?:\ufeff|\xef\xbb\xbf)?\s*#EXT/;
const PAGE = /^\s*<(!doctype|html|\?xml)/i;
/** Less than this is nothing that anybody sees. */
const LARGE_JITTER_MS = 50;

export function resultOf(seen: Observation): ProbeResult {
  const reason = reasonOf(seen);
  const { upstream, seconds, firstMediaMs = -1 } = seen;
  return { plays: reason === "", reason, findings: findingsOf(seen), seconds, firstMediaMs, upstream };
}

function reasonOf({ upstream, status, cause, hasEnded, head }: Observation): string {
  const { health, totalBytes } = upstream;
  if (status !== undefined && (status < 200 || status > 299)) return `the server answers with status ${status}`;
  if (totalBytes === 0) {
    return cause?.message ?? (hasEnded ? "the server ends the stream before any media" : "no media came");
  }
  if (health.tsPackets === 0) return `what comes is no MPEG-TS: ${described(head)}`;
  if (health.programmes.length === 0) {
    return "the stream has no programme table (PAT), without which no player finds anything in it";
  }
  const media = health.programmes.flatMap(({ streams }) => streams).filter(isMedia);
  if (media.length === 0) return "no programme has a picture or sound, or none has its table (PMT)";
  const packetsOf = new Map(health.pids.map((entry) => [entry.pid, entry]));
  const came = media.flatMap(({ pid }) => packetsOf.get(pid) ?? []);
  if (came.length === 0) return "there are tables, but no packet of the pictures and sounds that they name";
  const isScrambled = came.every(({ packets, scrambled }) => scrambled === packets);
  return isScrambled ? "picture and sound are scrambled: a set-top box with a card is needed for them" : "";
}

function isMedia({ kind }: { readonly kind: string }): boolean {
  return kind === "video" || kind === "audio";
}

function described(head: Uint8Array): string {
  const text = Buffer.from(head).toString("latin1");
  if (PLAYLIST.test(text)) return "it is a playlist (HLS), of which the player opens the parts";
  if (PAGE.test(text)) return "it is a page of text";
  return `it begins with ${Buffer.from(head.subarray(0, 8)).toString("hex")}`;
}

function findingsOf({ upstream, hasEnded, cause }: Observation): string[] {
  const { health, rtpLost, rtpUnrepaired, rtpRepaired, rtpReordered, tsContinuityErrors } = upstream;
  const findings: string[] = [];
  const find = (isSo: boolean, sentence: string) => isSo && findings.push(sentence);
  const onTheWay = Math.max(0, rtpLost - health.kernelDrops);
  find(upstream.totalBytes > 0 && hasEnded, `the stream ended${cause ? `: ${cause.message}` : ""}`);
  find(
    health.kernelDrops > 0,
    `${count(health.kernelDrops, "datagram")} dropped here, because the receive buffer was full: raise net.core.rmem_max, or -B`,
  );
  find(
    onTheWay > 0,
    `${count(onTheWay, "RTP packet")} lost before this machine: look at the network, cables and Wi-Fi on the way`,
  );
  find(rtpUnrepaired > 0, `parity (FEC) could not give back ${rtpUnrepaired} of the lost packets`);
  find(rtpRepaired > 0, `parity (FEC) gave back ${count(rtpRepaired, "lost packet")}`);
  find(rtpReordered > 0, `${count(rtpReordered, "RTP packet")} put back in order`);
  find(health.rtpSenderChanges > 0, `the sender changed ${count(health.rtpSenderChanges, "time")}`);
  find(
    tsContinuityErrors > 0 && rtpLost === 0,
    `packets are missing in ${count(tsContinuityErrors, "place")}: what is sent has holes, or datagrams without numbers (UDP) were lost`,
  );
  find(tsContinuityErrors > 0 && rtpLost > 0, `packets are missing in ${count(tsContinuityErrors, "place")}`);
  find(health.syncLosses > 0, `the stream lost its synchronisation ${count(health.syncLosses, "time")}`);
  find(
    health.transportErrors > 0,
    `${count(health.transportErrors, "packet")} marked as damaged where the stream was received`,
  );
  find(
    health.pcrJumps > 0,
    `the clock (PCR) jumped ${count(health.pcrJumps, "time")}: players stop or lose lip sync there`,
  );
  find(health.pcrErrors > 0, `${count(health.pcrErrors, "clock reference")} (PCR) late`);
  find(
    health.patErrors + health.pmtErrors > 0,
    `tables late: ${health.patErrors} PAT, ${health.pmtErrors} PMT; changing to this channel takes longer`,
  );
  find(health.ptsErrors > 0, `${count(health.ptsErrors, "time stamp")} (PTS) late`);
  find(health.rtpJitterMs > LARGE_JITTER_MS, `packets come unevenly: jitter ${health.rtpJitterMs} ms`);
  return findings;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
