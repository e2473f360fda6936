/** What a probe has found, as text for people: no colours, each line made safe for a terminal. */
import { shown } from "../system/shown.ts";
import type { HealthReport, UpstreamReport } from "../wire/status/event.ts";
import type { ProbeResult } from "./result.ts";

const LABEL_WIDTH = 15;
const CELL_WIDTH = 12;
const MAX_PIDS_SHOWN = 64;
const NULL_PID = 0x1fff;

type Stream = HealthReport["programmes"][number]["streams"][number];

export function reportText(result: ProbeResult): string {
  const { plays, reason, findings, upstream, seconds, firstMediaMs } = result;
  const { health } = upstream;
  const lines = [
    `${upstream.url}`,
    row("Result", plays ? `plays` : `does not play: ${reason}`),
    ...findings.map((finding, i) => row(i === 0 ? "Findings" : "", finding)),
    row(
      "Carried by",
      `${upstream.kind} (${upstream.receiver})${upstream.interface ? ` on ${upstream.interface}` : ""}`,
    ),
  ];
  if (firstMediaMs >= 0) {
    lines.push(row("Seen", `${seconds} s, the first media after ${firstMediaMs} ms; ${megabits(rateOf(health))}`));
  }
  if (upstream.fcc.state !== "") lines.push(row("FCC", fccText(upstream.fcc)));
  lines.push(...networkLines(upstream));
  if (health.tsPackets > 0) lines.push(...streamLines(upstream), ...programmeLines(health), ...pidLines(health));
  return `${lines.map((line) => shown(line.trimEnd())).join("\n")}\n`;
}

function row(label: string, text: string): string {
  return `  ${label.padEnd(LABEL_WIDTH)}${text}`;
}

function fccText({ state, server, dialect, firstUnicastMs, gapPackets }: UpstreamReport["fcc"]): string {
  const first = firstUnicastMs < 0 ? "no unicast" : `unicast after ${firstUnicastMs} ms`;
  return `${dialect} server ${server}: ${state}, ${first}${gapPackets < 0 ? "" : `, ${gapPackets} packets missing between`}`;
}

function networkLines(upstream: UpstreamReport): string[] {
  const { rtpLost, rtpReordered, rtpDuplicates, rtpRepaired, health } = upstream;
  if (upstream.kind === "http") return [];
  const { rtpLate, rtpSenderChanges, rtpJitterMs, kernelDrops } = health;
  const rtp =
    `lost ${rtpLost}, late ${rtpLate}, duplicate ${rtpDuplicates - rtpLate}, reordered ${rtpReordered}, ` +
    `repaired ${rtpRepaired}, sender changes ${rtpSenderChanges}, jitter ${rtpJitterMs} ms`;
  return [row("RTP", rtp), row("Dropped here", `${kernelDrops} datagrams`)];
}

function streamLines({ health, tsContinuityErrors }: UpstreamReport): string[] {
  const { tsPackets, nullPackets, scrambledPackets, syncLosses, transportErrors } = health;
  const { patErrors, pmtErrors, pcrErrors, pcrJumps, pcrJitterMs, ptsErrors } = health;
  const share = (part: number) => `${((part / tsPackets) * 100).toFixed(1)} %`;
  return [
    row("TS packets", `${tsPackets}, null ${share(nullPackets)}, scrambled ${share(scrambledPackets)}`),
    row("Errors", `continuity ${tsContinuityErrors}, sync ${syncLosses}, marked ${transportErrors}`),
    row("Late", `PAT ${patErrors}, PMT ${pmtErrors}, PCR ${pcrErrors}, PTS ${ptsErrors}`),
    row("Clock", `jumps ${pcrJumps}, jitter ${pcrJitterMs} ms`),
  ];
}

function programmeLines({ programmes }: HealthReport): string[] {
  return programmes.flatMap(({ number, pmtPid, name, provider, streams }) => [
    row(`Programme ${number}`, `${name || "without a name"}${provider ? ` (${provider})` : ""}, PMT PID ${pmtPid}`),
    ...streams.map((stream) =>
      row("", `PID ${String(stream.pid).padEnd(6)}${stream.kind.padEnd(10)}${streamText(stream)}`),
    ),
  ]);
}

function streamText(stream: Stream): string {
  const { type, codec, language, width, height, frameRate, interlaced, sampleRate, channels } = stream;
  return [
    codec || `type 0x${type.toString(16).padStart(2, "0")}`,
    width > 0 && `${width}x${height}`,
    frameRate > 0 && `${frameRate} fps`,
    width > 0 && (interlaced === 1 ? "interlaced" : "progressive"),
    sampleRate > 0 && `${sampleRate} Hz`,
    channels > 0 && `${channels} ${channels === 1 ? "channel" : "channels"}`,
    language,
  ]
    .filter(Boolean)
    .join(", ");
}

function pidLines({ pids }: HealthReport): string[] {
  const cells = (...texts: readonly string[]) => texts.map((text) => text.padStart(CELL_WIDTH)).join("");
  const rows = pids.slice(0, MAX_PIDS_SHOWN).map(({ pid, packets, bandwidth, continuityErrors, scrambled }) => {
    const name = pid < 0 ? "others" : pid === NULL_PID ? "null" : String(pid);
    return row(`  ${name}`, cells(String(packets), megabits(bandwidth), String(continuityErrors), String(scrambled)));
  });
  const more = pids.length - rows.length;
  const title = row("PID", cells("packets", "rate", "continuity", "scrambled"));
  return [title, ...rows, ...(more > 0 ? [row("", `and ${more} more`)] : [])];
}

/** By the stream's own time: files come faster. */
function rateOf({ pids }: HealthReport): number {
  return pids.reduce((sum, { bandwidth }) => sum + bandwidth, 0);
}

function megabits(bytesPerSecond: number): string {
  return `${((bytesPerSecond * 8) / 1_000_000).toFixed(2)} Mb/s`;
}
