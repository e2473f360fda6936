/** Events as a busy server sends them, for the page's tests and pictures. */
import type { Event } from "./status-server.ts";

export function clientOf(seq: number, changed: Event = {}): Event {
  return {
    clientId: `192.168.1.${20 + seq}:5${seq}210-worker0-seq${seq}`,
    workerPid: 4711,
    durationMs: 3_723_000 - seq * 61_000,
    clientAddr: `192.168.1.${20 + seq}:5${seq}210`,
    serviceUrl: `239.10.0.${seq}:5004`,
    state: 6,
    bytesSent: 3_912_345_678 - seq * 111_000_000,
    currentBandwidth: 1_050_000 + seq * 1000,
    queueBytes: 13_824,
    queueLimitBytes: 294_912,
    queueBytesHighwater: 61_440,
    droppedBytes: 0,
    slow: 0,
    droppedPackets: 0,
    backpressureEvents: 0,
    upstream: "multicast",
    receiver: "batched",
    upstreamId: `multicast ${seq}`,
    userAgent: "VLC/3.0.21 LibVLC/3.0.21",
    ...changed,
  };
}

export function upstreamOf(seq: number, changed: Event = {}): Event {
  return {
    id: `multicast ${seq}`,
    workerId: 0,
    kind: "multicast",
    url: `239.10.0.${seq}:5004`,
    interface: "eth0",
    receiver: "batched",
    clients: 1,
    bandwidth: 1_050_000 + seq * 1000,
    totalBytes: 3_912_345_678,
    rtpLost: 0,
    rtpReordered: 0,
    rtpDuplicates: 0,
    rtpRepaired: 0,
    rtpUnrepaired: 0,
    tsContinuityErrors: 0,
    lastDataMs: 12,
    ...changed,
  };
}

export function workerOf(id: number, changed: Event = {}): Event {
  const pool = { free: 940, expansions: 0, exhaustions: 0, shrinks: 0 };
  return {
    id,
    pid: 4711 + id,
    activeClients: 2,
    totalBandwidth: 2_100_000,
    totalBytes: 7_800_000_000,
    send: { total: 812_345, completions: 0, copied: 0, eagain: 12, enobufs: 0, batch: 3102 },
    pool: { total: 1024, used: 84, max: 16_384, utilization: 8.2, ...pool },
    controlPool: { total: 256, used: 4, max: 4096, utilization: 1.6, ...pool },
    ...changed,
  };
}

export function logOf(level: number, message: string, timestamp = 1_795_533_000_000): Event {
  const levelName = ["FATAL", "ERROR", "WARN", "INFO", "DEBUG"][level];
  return { timestamp, level, levelName, message: `${message}\n` };
}

/** Nobody watches, unless `changed` says who does. */
export function statusOf(changed: Event = {}): Event {
  const clients = Array.isArray(changed["clients"]) ? changed["clients"] : [];
  return {
    serverStartTime: 1_795_433_000_000,
    uptimeMs: 93_784_000,
    currentLogLevel: 3,
    version: "0.1.0",
    maxClients: 20,
    clients: [],
    totalClients: clients.length,
    totalBytesSent: 1_234_567_890,
    totalBandwidth: 0,
    workers: [workerOf(0)],
    upstreams: [],
    totals: {
      clients: 31,
      bytesSent: 1_234_567_890,
      droppedPackets: 0,
      droppedBytes: 0,
      backpressureEvents: 2,
      upstreams: 12,
      bytesReceived: 987_654_321,
      rtpLost: 0,
      rtpReordered: 3,
      rtpDuplicates: 0,
      rtpRepaired: 0,
      rtpUnrepaired: 0,
      tsContinuityErrors: 0,
    },
    logsMode: "full",
    logs: [],
    ...changed,
  };
}
