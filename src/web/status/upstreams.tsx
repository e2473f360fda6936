/** Where the television comes from: quiet while it flows, in plain words when it does not. */
import { useRef } from "preact/hooks";
import type { ReadUpstream } from "../../wire/status/event.ts";
import { type PageContext, usePage } from "./context.ts";
import { type Column, DataTable } from "./data-table.tsx";
import { formatBandwidth, formatBytes, formatCount, formatDuration, UNKNOWN } from "./format.ts";
import { CheckIcon, WarningIcon } from "./icons.tsx";
import { Section } from "./section.tsx";
import { isTrouble, SILENCE_MS, type UpstreamRow } from "./upstream-health.ts";

export function Upstreams({ rows, isReported }: { rows: readonly UpstreamRow[]; isReported: boolean }) {
  const page = usePage();
  const { text } = page;
  const heading = useRef<HTMLHeadingElement>(null);
  return (
    <Section
      id="upstreams"
      title={text("upstreams")}
      count={isReported ? rows.length : undefined}
      hint={text("upstreamsHint")}
      headingRef={heading}
    >
      {rows.length === 0 ? (
        <p class="empty">{text(isReported ? "noUpstreams" : "upstreamsUnknown")}</p>
      ) : (
        <DataTable
          name={text("upstreams")}
          columns={columnsOf(page)}
          rows={rows}
          keyOf={({ upstream }) => upstream.id}
          classOf={({ health }) => (isTrouble(health) ? "trouble" : "")}
          heir={heading}
        />
      )}
    </Section>
  );
}

function columnsOf({ text, unit }: PageContext): Column<UpstreamRow>[] {
  const count = (id: string, title: string, of: (upstream: ReadUpstream) => number | undefined, isAlarm = false) => ({
    id,
    title,
    isNumber: true,
    cell: ({ upstream }: UpstreamRow) => <Count value={of(upstream)} isAlarm={isAlarm} />,
  });
  return [
    { id: "upstream", title: text("upstream"), cell: ({ upstream }) => <UpstreamName upstream={upstream} /> },
    { id: "condition", title: text("condition"), speaksForItself: true, cell: (row) => <Condition row={row} /> },
    count("watchers", text("clients"), ({ clients }) => clients),
    {
      id: "bandwidth",
      title: text("bandwidth"),
      isNumber: true,
      cell: ({ upstream }) => formatBandwidth(upstream.bandwidth, unit),
    },
    { id: "received", title: text("received"), isNumber: true, cell: (row) => formatBytes(row.upstream.totalBytes) },
    count("lost", text("lost"), ({ rtpLost }) => rtpLost, true),
    count("repaired", text("repaired"), ({ rtpRepaired }) => rtpRepaired),
    count("errors", text("continuityErrors"), ({ tsContinuityErrors }) => tsContinuityErrors, true),
    count("reordered", text("reordered"), ({ rtpReordered }) => rtpReordered),
    count("duplicates", text("duplicates"), ({ rtpDuplicates }) => rtpDuplicates),
    { id: "last", title: text("lastData"), isNumber: true, cell: (row) => <LastData upstream={row.upstream} /> },
  ];
}

/** Zero is the good news: it steps back. */
function Count({ value, isAlarm }: { value: number | undefined; isAlarm: boolean }) {
  const className = value === undefined || value === 0 ? "faint" : isAlarm ? "alarm" : "";
  return <span class={className}>{formatCount(value)}</span>;
}

function UpstreamName({ upstream }: { upstream: ReadUpstream }) {
  const { text } = usePage();
  const { url, kind, receiver, workerId } = upstream;
  const worker = workerId === undefined ? undefined : text("workerId", { id: workerId });
  const details = [kind === undefined ? undefined : text.kind(kind), upstream.interface, worker, receiver];
  return (
    <>
      <span class="url" title={url}>
        {url ?? upstream.id}
      </span>
      <span class="sub">{details.filter(Boolean).join(" · ")}</span>
    </>
  );
}

function Condition({ row }: { row: UpstreamRow }) {
  const { text } = usePage();
  const { health, upstream } = row;
  const tone = isTrouble(health) ? "bad" : health === "steady" ? "calm" : "quiet";
  const time = formatDuration(upstream.lastDataMs);
  return (
    <div class={`condition tone-${tone}`}>
      {isTrouble(health) ? <WarningIcon /> : <CheckIcon />}
      <span>
        <strong>{text(`health.${health}`, { time })}</strong>
        {whyLines(row).map((why) => (
          <span key={why.key} class="sub">
            {text(why.key, { count: formatCount(why.count) })}
          </span>
        ))}
      </span>
    </div>
  );
}

function whyLines({ health, lostRecently, errorsRecently }: UpstreamRow) {
  if (health !== "losing") return [{ key: `why.${health}` as const, count: 0 }];
  const lines = [
    { key: "why.lost" as const, count: lostRecently },
    { key: "why.errors" as const, count: errorsRecently },
  ];
  return lines.filter(({ count }) => count > 0);
}

/** Television comes many times a second: only a pause is worth a figure. */
function LastData({ upstream: { lastDataMs } }: { upstream: ReadUpstream }) {
  const { text } = usePage();
  if (lastDataMs === undefined) return <>{UNKNOWN}</>;
  if (lastDataMs < 0) return <>{text("never")}</>;
  return <>{lastDataMs < SILENCE_MS ? text("now") : text("ago", { time: formatDuration(lastDataMs) })}</>;
}
