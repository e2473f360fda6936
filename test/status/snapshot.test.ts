import { expect, test } from "bun:test";
import { HealthMeter } from "../../src/status/health.ts";
import { LogRing } from "../../src/status/log-ring.ts";
import { type ServiceSnapshot, serviceStatus, type WorkerReport } from "../../src/status/snapshot.ts";
import { WorkerTotals } from "../../src/status/totals.ts";
import {
  type ClientReport,
  emitLogNews,
  emitServiceStatus,
  type LogEntry,
  NO_POOL,
  parseStatusEvent,
  type UpstreamReport,
} from "../../src/wire/status/event.ts";

const CLIENT: ClientReport = {
  clientId: "1.2.3.4:5-worker0-seq0",
  durationMs: 1000,
  clientAddr: "1.2.3.4:5",
  serviceUrl: "/rtp/239.1.1.1:5000",
  state: 6,
  bytesSent: 12,
  currentBandwidth: 10,
  queueBytes: 1536,
  queueLimitBytes: 4_718_592,
  queueBytesHighwater: 3072,
  droppedBytes: 1316,
  slow: 0,
  droppedPackets: 1,
  backpressureEvents: 0,
  upstream: "multicast",
  receiver: "batched",
  upstreamId: "worker0-upstream0",
  userAgent: "VLC",
};
const UPSTREAM: UpstreamReport = {
  id: "worker0-upstream0",
  workerId: 0,
  kind: "multicast",
  url: "rtp://239.1.1.1:5000",
  interface: "eth1",
  receiver: "batched",
  clients: 1,
  bandwidth: 11,
  totalBytes: 13,
  rtpLost: 0,
  rtpReordered: 0,
  rtpDuplicates: 0,
  rtpRepaired: 0,
  rtpUnrepaired: 0,
  tsContinuityErrors: 0,
  lastDataMs: -1,
  fcc: { state: "", server: "", dialect: "", firstUnicastMs: -1, burstBytes: 0, gapPackets: -1 },
  health: new HealthMeter().report({ rtp: undefined, arrival: undefined }),
};
const REPORT: WorkerReport = {
  clients: [CLIENT],
  upstreams: [UPSTREAM],
  send: { total: 7, completions: 0, copied: 0, eagain: 1, enobufs: 0, batch: 2 },
  pool: { ...NO_POOL, total: 10, free: 5, used: 5, max: 10, utilization: 50 },
};
const NO_TOTALS = new WorkerTotals().all;
const SERVICE: ServiceSnapshot = {
  serverStartTime: 1_782_389_412_123,
  uptimeMs: 5000.4,
  currentLogLevel: 3,
  version: "1.2.3",
  maxClients: 5,
  totals: { ...NO_TOTALS, bytesSent: 99, clients: 4 },
  workers: [
    { id: 0, pid: 100, totals: { ...NO_TOTALS, bytesSent: 60 }, report: REPORT, ageMs: 20.4 },
    { id: 1, pid: 0, totals: { ...NO_TOTALS, bytesSent: 39 }, report: undefined, ageMs: 0 },
  ],
};

function payload(service: Partial<ServiceSnapshot> = {}, ring = new LogRing()): string {
  return emitServiceStatus(serviceStatus({ ...SERVICE, ...service })) + emitLogNews(ring.read(0));
}

test("has the members of the specification in its order, and those of ours behind", () => {
  const value = JSON.parse(payload());
  expect(Object.keys(value)).toEqual(
    (
      "serverStartTime uptimeMs currentLogLevel version maxClients clients totalClients totalBytesSent totalBandwidth " +
      "workers upstreams totals logsMode logs"
    ).split(" "),
  );
  expect(Object.keys(value.clients[0])).toEqual(
    (
      "clientId workerPid durationMs clientAddr serviceUrl state bytesSent currentBandwidth queueBytes queueLimitBytes " +
      "queueBytesHighwater droppedBytes slow droppedPackets backpressureEvents upstream receiver upstreamId userAgent"
    ).split(" "),
  );
  expect(value.clients[0]).toEqual({ ...CLIENT, workerPid: 100, durationMs: 1020 });
  expect(value.upstreams).toEqual([UPSTREAM]);
  expect(value).toMatchObject({ uptimeMs: 5000, totalClients: 1, totalBytesSent: 99, totalBandwidth: 10 });
  const pool = "total free used max expansions exhaustions shrinks utilization".split(" ");
  for (const worker of value.workers) {
    expect(Object.keys(worker)).toEqual(
      "id pid activeClients totalBandwidth totalBytes send pool controlPool".split(" "),
    );
    expect(Object.keys(worker.send)).toEqual("total completions copied eagain enobufs batch".split(" "));
    expect(Object.keys(worker.pool)).toEqual(pool);
    expect(Object.keys(worker.controlPool)).toEqual(pool);
    for (const part of [worker.send, worker.pool, worker.controlPool]) {
      expect(Object.values(part).filter((member) => typeof member !== "number")).toEqual([]);
    }
  }
  expect(value.totals).toEqual({ ...NO_TOTALS, bytesSent: 99, clients: 4 });
  expect(value.workers[0]).toMatchObject({ id: 0, pid: 100, activeClients: 1, totalBandwidth: 10, totalBytes: 60 });
  expect(value.workers[1]).toMatchObject({ id: 1, pid: 0, activeClients: 0, totalBandwidth: 0, totalBytes: 39 });
});

test("is one line without blanks, in which nothing can end a script", () => {
  const ring = new LogRing();
  const message = "[Worker 0] </script>&\u2028\n";
  ring.append({ level: 3, time: 1, text: message });
  const userAgent = '<b>&"\\';
  const text = payload(
    { workers: [{ ...SERVICE.workers[0]!, report: { ...REPORT, clients: [{ ...CLIENT, userAgent }] } }] },
    ring,
  );
  expect(text).not.toMatch(/[<>&\n]/);
  expect(text).toContain('"\\u003cb\\u003e\\u0026\\"\\\\"');
  expect(text.replace(/"(?:[^"\\]|\\.)*"/g, "")).not.toMatch(/\s/);
  const value = JSON.parse(text);
  expect(value.clients[0].userAgent).toBe(userAgent);
  const entry: LogEntry = { timestamp: 1, level: 3, levelName: "INFO", message };
  expect(value).toMatchObject({ logsMode: "full", logs: [entry] });
});

test("the page reads what the server writes, member by member", () => {
  const ring = new LogRing();
  ring.append({ level: 2, time: 5, text: "line\n" });
  const text = payload({}, ring);
  expect(JSON.stringify(parseStatusEvent(text))).toBe(JSON.stringify(JSON.parse(text)));
});
