/** What a worker tells of itself while somebody watches, in the members of the status payload (status.md section 3). */
import type { ClientState } from "./client-state.ts";

/** All numbers are whole. */
export interface ClientReport {
  readonly clientId: string;
  readonly durationMs: number;
  readonly clientAddr: string;
  readonly serviceUrl: string;
  readonly state: ClientState;
  readonly bytesSent: number;
  readonly currentBandwidth: number;
  readonly queueBytes: number;
  readonly queueLimitBytes: number;
  readonly queueBytesHighwater: number;
  readonly droppedBytes: number;
  readonly slow: 0 | 1;
  readonly droppedPackets: number;
  readonly backpressureEvents: number;
  readonly upstream: string;
  readonly receiver: string;
  /** `id` of an upstream; empty while there is none. */
  readonly upstreamId: string;
  readonly userAgent: string;
}

export interface UpstreamReport {
  readonly id: string;
  readonly workerId: number;
  readonly kind: string;
  readonly url: string;
  /** Empty when the routing table decides. */
  readonly interface: string;
  readonly receiver: string;
  /** How many share it. */
  readonly clients: number;
  /** Bytes per second. */
  readonly bandwidth: number;
  readonly totalBytes: number;
  readonly rtpLost: number;
  readonly rtpReordered: number;
  /** Packets that were there already, or came when their turn was over. */
  readonly rtpDuplicates: number;
  /** Counted only while somebody watches. */
  readonly tsContinuityErrors: number;
  /** Since data came last; −1 before the first. */
  readonly lastDataMs: number;
}

export interface SendReport {
  readonly total: number;
  readonly completions: number;
  readonly copied: number;
  readonly eagain: number;
  readonly enobufs: number;
  readonly batch: number;
}

/** In buffers of 1536 bytes. */
export interface PoolReport {
  readonly total: number;
  readonly free: number;
  readonly used: number;
  readonly max: number;
  readonly expansions: number;
  readonly exhaustions: number;
  readonly shrinks: number;
  /** Percent of `total`, one decimal. */
  readonly utilization: number;
}

export interface WorkerReport {
  readonly clients: readonly ClientReport[];
  readonly upstreams: readonly UpstreamReport[];
  readonly send: SendReport;
  readonly pool: PoolReport;
}
