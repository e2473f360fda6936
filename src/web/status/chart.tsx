/** One chart: a figure that says what is now, or what was where the pointer is, and the lines beneath. */
import { useEffect, useRef, useState } from "preact/hooks";
import UPlot from "uplot";
import { usePage } from "./context.ts";
import { formatTime, UNKNOWN } from "./format.ts";
import { type Column, HISTORY_MS } from "./history.ts";

const HEIGHT_PX = 132;
const AXIS_WIDTH_PX = 72;
const AXIS_HEIGHT_PX = 22;
const TICK_SPACE_PX = 34;
/** Half of `14:05` must fit to the right of the last tick, which may stand at the edge. */
const RIGHT_PADDING_PX = 20;
/** Of what is counted there are no halves. */
const WHOLE_STEPS = [1, 2, 5]
  .flatMap((step) => [1, 10, 100, 1000, 10_000].map((power) => step * power))
  .sort((a, b) => a - b);
const FONT_PX = 11;
/** A narrow chart has no room for each minute. */
const TIME_STEPS_SECONDS = [60, 120, 300];

export interface Series {
  readonly name: string;
  readonly values: Column;
  /** Which colour of the style: `--chart-accent`. */
  readonly color: "accent" | "warn" | "bad";
}

interface ChartProps {
  readonly title: string;
  readonly seconds: readonly number[];
  readonly series: readonly Series[];
  /** The value axis reaches up to here even when nothing does. */
  readonly atLeast: number;
  /** Only whole numbers stand at the axis. */
  readonly isCount?: boolean;
  /** The value stands until the next one. */
  readonly isStepped?: boolean;
  formatValue(value: number): string;
  formatTick(value: number): string;
  /** What the figure tells; else the first series. */
  readonly sumOf?: Column;
}

export function Chart(props: ChartProps) {
  const { title, seconds, series, formatValue, sumOf } = props;
  const { text } = usePage();
  const [pointed, setPointed] = useState<number | undefined>();
  const place = usePlot(props, setPointed);
  const told = sumOf ?? series[0]?.values ?? [];
  const shown = (value: number | null | undefined) => (value == null ? UNKNOWN : formatValue(value));
  const now = shown(told.at(-1));
  const most = shown(told.length === 0 ? undefined : Math.max(...told.map((value) => value ?? 0)));
  return (
    <figure class="card chart">
      <figcaption>
        <span class="chart-title">{title}</span>
        <span class="chart-now num">{pointed === undefined ? now : shown(told[pointed])}</span>
        <span class="chart-time num">
          {pointed !== undefined && formatTime(Math.round((seconds[pointed] ?? 0) * 1000))}
        </span>
      </figcaption>
      <div ref={place} class="plot" role="img" aria-label={text("chartLabel", { title, now, most })} />
      {series.length > 1 && (
        <ul class="legend">
          {series.map(({ name, color }) => (
            <li key={name} class={`legend-${color}`}>
              {name}
            </li>
          ))}
        </ul>
      )}
    </figure>
  );
}

/** Keeps a plot in the element: made again when the look or the language changes, else only filled. */
function usePlot(props: ChartProps, point: (at: number | undefined) => void) {
  const { theme, unit, locale } = usePage();
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot>(undefined);
  const look = useDocumentTheme();
  const data = (): UPlot.AlignedData => [[...props.seconds], ...props.series.map(({ values }) => values)];

  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const made = new UPlot(optionsOf(props, element, point), data(), element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT_PX }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [theme, unit, locale, look]);

  const lastSecond = props.seconds.at(-1);
  useEffect(() => plot.current?.setData(data()), [lastSecond]);
  return place;
}

/** The theme in force, which the system may change while the choice is `auto`: canvases do not follow styles by themselves. */
function useDocumentTheme(): string | undefined {
  const [look, setLook] = useState(document.documentElement.dataset["theme"]);
  useEffect(() => {
    const observer = new MutationObserver(() => setLook(document.documentElement.dataset["theme"]));
    observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    return () => observer.disconnect();
  }, []);
  return look;
}

function optionsOf(props: ChartProps, element: HTMLElement, point: (at: number | undefined) => void): UPlot.Options {
  const style = getComputedStyle(element);
  const color = (name: string) => style.getPropertyValue(`--chart-${name}`).trim();
  const axis = {
    stroke: color("text"),
    font: `${FONT_PX}px ${style.fontFamily}`,
    ticks: { show: false },
    grid: { stroke: color("grid"), width: 1 },
  };
  const paths = props.isStepped ? UPlot.paths.stepped?.({ align: 1 }) : undefined;
  return {
    width: element.clientWidth,
    height: HEIGHT_PX,
    padding: [8, RIGHT_PADDING_PX, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    hooks: { setCursor: [({ cursor }) => point(cursor.idx ?? undefined)] },
    scales: {
      x: { range: (_plot, _first, last) => [last - HISTORY_MS / 1000, last] },
      y: { range: (_plot, _lowest, highest) => [0, Math.max(highest * 1.15, props.atLeast)] },
    },
    axes: [
      {
        ...axis,
        size: AXIS_HEIGHT_PX,
        grid: { show: false },
        incrs: TIME_STEPS_SECONDS,
        values: (_plot, ticks) => ticks.map(minuteOf),
      },
      {
        ...axis,
        size: AXIS_WIDTH_PX,
        space: TICK_SPACE_PX,
        values: (_plot, ticks) => ticks.map(props.formatTick),
        ...(props.isCount && { incrs: WHOLE_STEPS }),
      },
    ],
    series: [
      {},
      ...props.series.map(({ color: name }) => ({
        stroke: color(name),
        width: 2,
        points: { show: false },
        ...(props.series.length === 1 && { fill: color(`${name}-fill`) }),
        ...(paths !== undefined && { paths }),
      })),
    ],
  };
}

/** `14:05`: seconds are noise on an axis of five minutes. */
function minuteOf(seconds: number): string {
  return formatTime(seconds * 1000).slice(0, 5);
}
