/** Three live charts of the last five minutes. */
import { Chart, type Series } from "./chart.tsx";
import { usePage } from "./context.ts";
import { bandwidthFactor, formatCount, formatRate, formatTick } from "./format.ts";
import type { Column, History } from "./history.ts";

export function Charts({ history, maxClients }: { history: History; maxClients: number | undefined }) {
  const { text, unit } = usePage();
  const factor = bandwidthFactor(unit);
  const perSecond = (count: number) => text("perSecond", { count: formatLoss(count) });
  const loss: Series[] = [
    { name: text("series.lost"), values: history.lost, color: "bad" },
    { name: text("series.errors"), values: history.errors, color: "warn" },
    { name: text("series.dropped"), values: history.dropped, color: "accent" },
  ];
  return (
    <section class="charts" aria-label={text("charts")}>
      <Chart
        title={text("bandwidth")}
        seconds={history.seconds}
        series={[{ name: text("bandwidth"), values: history.bandwidth.map((v) => v && v * factor), color: "accent" }]}
        atLeast={1000 * factor}
        formatValue={(value) => formatRate(value, unit)}
        formatTick={(value) => formatTick(value, unit)}
      />
      <Chart
        title={text("clients")}
        seconds={history.seconds}
        series={[{ name: text("clients"), values: history.clients, color: "accent" }]}
        atLeast={4}
        isCount
        isStepped
        formatValue={(value) => `${formatCount(value)}${maxClients === undefined ? "" : ` / ${maxClients}`}`}
        formatTick={formatCount}
      />
      <Chart
        title={text("loss")}
        seconds={history.seconds}
        series={loss}
        atLeast={4}
        isCount
        formatValue={perSecond}
        formatTick={formatCount}
        sumOf={worstOf(loss)}
      />
    </section>
  );
}

/** A loss below one packet a second is still one. */
function formatLoss(perSecond: number): string {
  return formatCount(perSecond > 0 ? Math.max(perSecond, 1) : 0);
}

/** The figure of the chart: the three counters see the same loss at different places, so that a sum would count it twice. */
function worstOf(series: readonly Series[]): Column {
  const [first, ...others] = series;
  return (first?.values ?? []).map((value, at) => {
    const known = [value, ...others.map(({ values }) => values[at] ?? null)].filter((one) => one !== null);
    return known.length === 0 ? null : Math.max(...known);
  });
}
