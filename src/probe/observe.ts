/** Takes the stream of a plan for a while, with every packet looked at. */
import type { Consumer } from "../relay/consumer.ts";
import type { Hub } from "../relay/hub.ts";
import type { StreamInfo } from "../relay/upstream.ts";
import type { HealthLimits } from "../status/health.ts";
import { WorkerTotals } from "../status/totals.ts";
import { WatchedUpstream } from "../status/upstreams.ts";
import type { PlannedUpstream } from "../upstream/planner.ts";
import { headerValue } from "../wire/http/header-fields.ts";
import type { UpstreamReport } from "../wire/status/event.ts";

/** What has been seen. */
export interface Observation {
  readonly upstream: UpstreamReport;
  /** From the beginning; undefined: none came. */
  readonly firstMediaMs: number | undefined;
  /** How long media was looked at, in s. */
  readonly seconds: number;
  /** Of an HTTP server, unless it is 200. */
  readonly status: number | undefined;
  readonly location: string | undefined;
  /** The first bytes of the media. */
  readonly head: Uint8Array;
  /** The upstream is over. */
  readonly hasEnded: boolean;
  readonly cause: Error | undefined;
}

/** How exactly the time of arrival is known. */
const READ_EVERY_MS = 2;
/** Whoever has sent nothing by then does not: each protocol gives up sooner by itself. */
const FIRST_MEDIA_MS = 20_000;
const HEAD_BYTES = 64;
const LIMITS: HealthLimits = { pids: 256, programmes: 64, streams: 32 };
const OK = 200;

class Watcher implements Consumer {
  info: StreamInfo | undefined;
  head = new Uint8Array(0);
  hasEnded = false;
  cause: Error | undefined;

  opened(info: StreamInfo): void {
    this.info = info;
  }

  write(bytes: Uint8Array, offset: number, length: number): number {
    if (this.head.length < HEAD_BYTES) {
      const more = bytes.subarray(offset, offset + Math.min(length, HEAD_BYTES - this.head.length));
      this.head = Buffer.concat([this.head, more]);
    }
    return length;
  }

  end(cause: Error | undefined): void {
    this.hasEnded = true;
    this.cause = cause;
  }
}

/** @param seconds from the first media on; SIGINT ends it sooner */
export async function observe(hub: Hub, plan: PlannedUpstream, seconds: number): Promise<Observation> {
  let isInterrupted = false;
  const interrupt = () => {
    isInterrupted = true;
  };
  process.once("SIGINT", interrupt);
  const watcher = new Watcher();
  const startedAt = performance.now();
  const subscription = hub.join(plan, watcher);
  const { source } = subscription;
  const upstream = new WatchedUpstream(0, 0, source, new WorkerTotals(), startedAt);
  upstream.examine(true);
  let firstMediaAt: number | undefined;
  const isOver = (now: number) => {
    if (watcher.hasEnded || isInterrupted) return true;
    return firstMediaAt === undefined ? now - startedAt >= FIRST_MEDIA_MS : now - firstMediaAt >= seconds * 1000;
  };
  for (let now = startedAt; !isOver(now); now = performance.now()) {
    await Bun.sleep(READ_EVERY_MS);
    subscription.resume();
    if (firstMediaAt !== undefined || source.receivedBytes === 0) continue;
    firstMediaAt = performance.now();
    upstream.watch(firstMediaAt);
  }
  process.off("SIGINT", interrupt);
  const endedAt = performance.now();
  upstream.measure(endedAt);
  const report = upstream.report(1, endedAt, LIMITS);
  subscription.close();
  const { status = OK, headers = [] } = watcher.info?.response ?? {};
  return {
    upstream: report,
    firstMediaMs: firstMediaAt === undefined ? undefined : Math.round(firstMediaAt - startedAt),
    seconds: firstMediaAt === undefined ? 0 : Math.round((endedAt - firstMediaAt) / 100) / 10,
    status: status === OK ? undefined : status,
    location: headerValue(headers, "location"),
    head: watcher.head,
    hasEnded: watcher.hasEnded,
    cause: watcher.cause,
  };
}
