/** The last five minutes for the charts, one sample a second, kept in the page alone. */
import type { ReadStatusEvent } from "../../wire/status/event.ts";
import { growth, type Totals } from "./counters.ts";

export const HISTORY_MS = 300_000;

/** Events come once a second and after every change; a sample is taken from the first one after this time. */
const SAMPLE_MS = 900;

/** A longer pause between samples is shown as a gap, not as a straight line. */
const GAP_MS = 5000;

/** `null` stands where the line breaks. */
export type Column = (number | null)[];

export class History {
  /** Unix seconds, ascending; the other columns are as long. */
  readonly seconds: number[] = [];
  /** Bytes per second. */
  readonly bandwidth: Column = [];
  readonly clients: Column = [];
  /** Packets per second: lost on the way from upstreams, TS continuity errors, and dropped on the way to clients. */
  readonly lost: Column = [];
  readonly errors: Column = [];
  readonly dropped: Column = [];
  #sampled: { readonly atMs: number; readonly counters: Counters } | undefined;

  /** @returns whether a sample was taken */
  apply(event: ReadStatusEvent, nowMs: number): boolean {
    const last = this.#sampled;
    const elapsedMs = last === undefined ? SAMPLE_MS : nowMs - last.atMs;
    if (elapsedMs < 0) this.#forget();
    else if (elapsedMs < SAMPLE_MS) return false;
    const counters = countersOf(event);
    if (elapsedMs > GAP_MS && last !== undefined) this.#push(last.atMs + 1, [null, null, null, null, null]);
    const perSecond = (of: keyof Counters) =>
      (growth(last?.counters[of], counters[of]) / Math.max(elapsedMs, SAMPLE_MS)) * 1000;
    const { totalBandwidth, clients } = event;
    const values = [
      totalBandwidth ?? null,
      clients.length,
      perSecond("lost"),
      perSecond("errors"),
      perSecond("dropped"),
    ];
    this.#push(nowMs, values);
    this.#trim(nowMs);
    this.#sampled = { atMs: nowMs, counters };
    return true;
  }

  #columns(): Column[] {
    return [this.bandwidth, this.clients, this.lost, this.errors, this.dropped];
  }

  #push(atMs: number, values: readonly (number | null)[]): void {
    this.seconds.push(atMs / 1000);
    this.#columns().forEach((column, at) => {
      column.push(values[at] ?? null);
    });
  }

  #trim(nowMs: number): void {
    const kept = this.seconds.findIndex((second) => second * 1000 >= nowMs - HISTORY_MS);
    for (const column of [this.seconds, ...this.#columns()]) column.splice(0, kept);
  }

  /** The clock of the machine was set back: older samples would stand in the future. */
  #forget(): void {
    for (const column of [this.seconds, ...this.#columns()]) column.length = 0;
  }
}

interface Counters {
  readonly lost: Totals;
  readonly errors: Totals;
  readonly dropped: Totals;
}

function countersOf({ clients, upstreams = [] }: ReadStatusEvent): Counters {
  return {
    lost: new Map(upstreams.map(({ id, rtpLost }) => [id, rtpLost ?? 0])),
    errors: new Map(upstreams.map(({ id, tsContinuityErrors }) => [id, tsContinuityErrors ?? 0])),
    dropped: new Map(clients.map(({ clientId, droppedPackets }) => [clientId, droppedPackets ?? 0])),
  };
}
