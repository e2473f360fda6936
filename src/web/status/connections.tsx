/** Who is watching, and how each is doing. */
import { useRef, useState } from "preact/hooks";
import { badgeKind, CLIENT_STATE } from "../../wire/status/client-state.ts";
import type { ReadClient } from "../../wire/status/event.ts";
import { APP_PATH_PREFIX } from "../shared/page-config.ts";
import { type PageContext, usePage } from "./context.ts";
import { type Column, DataTable } from "./data-table.tsx";
import {
  formatBandwidth,
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  percentOf,
  UNKNOWN,
} from "./format.ts";
import { ScreenIcon } from "./icons.tsx";
import { Bar, Section } from "./section.tsx";
import { disconnectClient } from "./status-api.ts";
import type { ClientList, ClientRow } from "./status-model.ts";

export function Connections({ list }: { list: ClientList }) {
  const page = usePage();
  const { text } = page;
  const [isGoneShown, setGoneShown] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  const rows = isGoneShown ? [...list.connected, ...list.gone] : list.connected;
  const tools = list.gone.length > 0 && (
    <label class="check">
      <input
        type="checkbox"
        checked={isGoneShown}
        onChange={({ currentTarget }) => setGoneShown(currentTarget.checked)}
      />
      {text("showGone", { count: list.gone.length })}
    </label>
  );
  return (
    <Section id="clients" title={text("connections")} count={list.connected.length} tools={tools} headingRef={heading}>
      {rows.length === 0 ? (
        <NobodyWatches />
      ) : (
        <DataTable
          name={text("connections")}
          columns={columnsOf(page)}
          rows={rows}
          keyOf={({ client, isGone }) => `${isGone ? "gone" : "here"} ${client.clientId}`}
          classOf={({ isGone }) => (isGone ? "gone" : "")}
          heir={heading}
        />
      )}
    </Section>
  );
}

function NobodyWatches() {
  const { text } = usePage();
  const playlist = `${location.origin}${APP_PATH_PREFIX}/playlist.m3u`;
  return (
    <div class="empty">
      <ScreenIcon />
      <p class="empty-title">{text("nobodyWatches")}</p>
      <p>
        {text("openInPlayer")} <a href={playlist}>{playlist}</a>
      </p>
    </div>
  );
}

function columnsOf({ text, unit }: PageContext): Column<ClientRow>[] {
  return [
    { id: "client", title: text("client"), cell: ({ client }) => <ClientName client={client} /> },
    { id: "service", title: text("service"), speaksForItself: true, cell: ({ client }) => <Service client={client} /> },
    { id: "state", title: text("state"), speaksForItself: true, cell: (row) => <State row={row} /> },
    { id: "duration", title: text("duration"), isNumber: true, cell: (row) => formatDuration(row.client.durationMs) },
    {
      id: "bandwidth",
      title: text("bandwidth"),
      isNumber: true,
      cell: ({ client, isGone }) => (isGone ? UNKNOWN : formatBandwidth(client.currentBandwidth, unit)),
    },
    { id: "sent", title: text("sent"), isNumber: true, cell: ({ client }) => formatBytes(client.bytesSent) },
    { id: "queue", title: text("queue"), cell: ({ client }) => <QueueStats client={client} /> },
    { id: "dropped", title: text("dropped"), isNumber: true, cell: ({ client }) => <Dropped client={client} /> },
    {
      id: "actions",
      title: text("actions"),
      isTitleHidden: true,
      cell: ({ client, isGone }) => (isGone ? null : <Disconnect client={client} />),
    },
  ];
}

function ClientName({ client }: { client: ReadClient }) {
  const { text } = usePage();
  return (
    <>
      <span class="name">{client.clientAddr ?? client.clientId}</span>
      <span class="sub" title={client.userAgent}>
        {text("pid", { pid: client.workerPid ?? UNKNOWN })}
        {client.userAgent ? ` · ${client.userAgent}` : ""}
      </span>
    </>
  );
}

function Service({ client }: { client: ReadClient }) {
  const { text } = usePage();
  return (
    <>
      <span class="url" title={client.serviceUrl}>
        {client.serviceUrl ?? UNKNOWN}
      </span>
      <span class="sub">{client.upstream === undefined ? "" : text.kind(client.upstream)}</span>
    </>
  );
}

function State({ row: { client, isGone } }: { row: ClientRow }) {
  const { text } = usePage();
  const code = isGone ? CLIENT_STATE.disconnected : client.state;
  return (
    <>
      <span class={`badge badge-${badgeKind(code)}`}>{text.clientState(code)}</span>
      {client.slow === 1 && !isGone && <span class="badge badge-slow">{text("slow")}</span>}
    </>
  );
}

function QueueStats({ client }: { client: ReadClient }) {
  const { text } = usePage();
  const { queueBytes, queueLimitBytes, queueBytesHighwater } = client;
  const percent = percentOf(queueBytes, queueLimitBytes);
  const peak = percentOf(queueBytesHighwater, queueLimitBytes);
  return (
    <>
      <Bar percent={percent} peak={peak} tone={client.slow === 1 ? "warn" : "calm"} />
      <span class="sub">
        {text("queueUsage", { used: formatBytes(queueBytes), limit: formatBytes(queueLimitBytes) })}
      </span>
      <span class="sub">
        {text("queuePeak", { peak: formatBytes(queueBytesHighwater), percent: formatPercent(peak) })}
      </span>
    </>
  );
}

function Dropped({ client }: { client: ReadClient }) {
  const { text } = usePage();
  const { droppedBytes, droppedPackets, backpressureEvents = 0 } = client;
  return (
    <>
      <span class={(droppedBytes ?? 0) > 0 ? "alarm" : ""}>{formatBytes(droppedBytes)}</span>
      {(droppedPackets ?? 0) > 0 && (
        <span class="sub">{text("droppedPackets", { count: formatCount(droppedPackets) })}</span>
      )}
      {backpressureEvents > 0 && (
        <span class="sub">{text("backpressure", { count: formatCount(backpressureEvents) })}</span>
      )}
    </>
  );
}

function Disconnect({ client }: { client: ReadClient }) {
  const { text, isConnected, report } = usePage();
  const disconnect = async () => report(await disconnectClient(client.clientId), text("done.disconnect"));
  return (
    <button
      type="button"
      class="button small"
      disabled={!isConnected}
      aria-label={text("disconnectClient", { client: client.clientAddr ?? client.clientId })}
      onClick={disconnect}
    >
      {text("disconnect")}
    </button>
  );
}
