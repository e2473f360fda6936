/** How it stands: one sentence, then the four figures of the whole service. */

import { usePage } from "./context.ts";
import { formatBandwidth, formatBytes, formatCount } from "./format.ts";
import { CheckIcon, QuietIcon, WarningIcon } from "./icons.tsx";
import { Pair } from "./section.tsx";
import type { StatusModel, Verdict } from "./status-model.ts";

const TONES: Readonly<Record<Verdict | "misdirected", "calm" | "quiet" | "warn" | "bad">> = {
  misdirected: "bad",
  unknown: "quiet",
  stale: "warn",
  upstreams: "bad",
  clients: "warn",
  idle: "quiet",
  fine: "calm",
};

const ICONS = { calm: CheckIcon, quiet: QuietIcon, warn: WarningIcon, bad: WarningIcon };

/** Where to look when the sentence is about somebody. */
const PLACES = { upstreams: "showUpstreams", clients: "showClients" } as const;

export function Summary({ model }: { model: StatusModel }) {
  const { text, unit } = usePage();
  const { event, clients } = model;
  return (
    <section class="summary card" aria-label={text("summary")}>
      <VerdictLine model={model} />
      <dl class="figures num">
        <Pair name={text("activeClients")} value={event === undefined ? "–" : formatCount(clients.connected.length)} />
        <Pair name={text("totalBandwidth")} value={formatBandwidth(event?.totalBandwidth, unit)} />
        <Pair name={text("totalTraffic")} value={formatBytes(event?.totalBytesSent)} />
        <Pair name={text("maxClients")} value={formatCount(event?.maxClients)} />
      </dl>
    </section>
  );
}

function VerdictLine({ model }: { model: StatusModel }) {
  const { text, isConnected, isMisdirected } = usePage();
  const verdict = isMisdirected ? "misdirected" : model.verdict(isConnected);
  const tone = TONES[verdict];
  const ToneIcon = ICONS[tone];
  const count = verdict === "clients" ? model.slowClients : model.upstreamsInTrouble;
  const place = verdict === "upstreams" || verdict === "clients" ? verdict : undefined;
  return (
    <div class={`verdict tone-${tone}`}>
      <ToneIcon />
      <p role="status">{text(`verdict.${verdict}`, { count, host: location.hostname })}</p>
      {place !== undefined && (
        <button type="button" class="link" onClick={() => showSection(place)}>
          {text(PLACES[place])}
        </button>
      )}
    </div>
  );
}

/** Its heading takes the focus too, so that the keyboard goes on from there. The page has a base: `#id` would leave it. */
function showSection(id: string): void {
  const heading = document.getElementById(id)?.querySelector("h2");
  heading?.scrollIntoView({ block: "start" });
  heading?.focus({ preventScroll: true });
}
