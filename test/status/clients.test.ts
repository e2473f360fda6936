import { beforeEach, describe, expect, test } from "bun:test";
import type { ByteInspector, QueueStats, SourceStats } from "../../src/relay/stats.ts";
import type { ArrivalCounts, RtpCounts, UpstreamAbout, UpstreamDetails } from "../../src/relay/upstream.ts";
import {
  type ClientHandle,
  type ClientIdentity,
  ClientRegistry,
  type WatchedClient,
} from "../../src/status/clients.ts";
import { HealthMeter } from "../../src/status/health.ts";
import { SendCounts, WorkerTotals } from "../../src/status/totals.ts";
import { CLIENT_STATE } from "../../src/wire/status/client-state.ts";

class FakeHandle implements ClientHandle {
  sentBytes = 0;
  aborts = 0;

  abort(): void {
    this.aborts++;
  }
}

class FakeSource implements SourceStats {
  readonly about = ABOUT;
  readonly rtp: RtpCounts;
  arrival: ArrivalCounts | undefined;
  details: UpstreamDetails | undefined;
  receivedBytes = 0;
  heardAt = Number.NEGATIVE_INFINITY;
  inspector: ByteInspector | undefined;

  constructor(rtp: RtpCounts = RTP) {
    this.rtp = rtp;
  }

  inspect(inspector: ByteInspector | undefined): void {
    this.inspector = inspector;
  }
}

const QUEUE: QueueStats = {
  queuedBytes: 1537,
  limitBytes: 4_718_592.5,
  peakBytes: 3073,
  droppedPackets: 2,
  droppedBytes: 2632,
  backpressureEvents: 3,
  isSlow: true,
};
const ABOUT: UpstreamAbout = {
  kind: "rtsp-udp",
  url: "rtsp://a/b",
  interfaceName: "eth1",
  receiver: "batched",
};
const RTP: RtpCounts = { lost: 1, reordered: 2, duplicates: 3, late: 4, repaired: 20, unrepairable: 1, refused: 0 };
const NO_HEALTH = new HealthMeter().report({ rtp: undefined, arrival: undefined });
const IDENTITY: ClientIdentity = { address: "1.2.3.4:5", serviceUrl: "/x", userAgent: "VLC", kind: "rtsp-tcp" };

let registry: ClientRegistry;
let changes: number;

beforeEach(() => {
  registry = new ClientRegistry(7);
  changes = 0;
  registry.onChanged = () => changes++;
});

function enter(identity: Partial<ClientIdentity> = {}): { client: WatchedClient; handle: FakeHandle } {
  const handle = new FakeHandle();
  return { client: registry.enter(handle, { ...IDENTITY, ...identity }, CLIENT_STATE.connecting), handle };
}

describe("a client", () => {
  test("is there from its entry until it leaves, with an id of its own", () => {
    const { client } = enter();
    enter({ address: "localhost" });
    expect(registry.report(0).clients.map(({ clientId }) => clientId)).toEqual([
      "1.2.3.4:5-worker7-seq0",
      "localhost-worker7-seq1",
    ]);
    registry.leave(client);
    registry.leave(client);
    expect(registry.report(0).clients).toHaveLength(1);
  });

  test("shows what it can before media comes", () => {
    registry.enter(new FakeHandle(), { ...IDENTITY, kind: "carrier pigeon" }, CLIENT_STATE.httpConnecting);
    const now = performance.now();
    const [report] = registry.report(now).clients;
    expect(report).toMatchObject({ state: CLIENT_STATE.httpConnecting, upstream: "carrier pigeon", receiver: "" });
    expect(report).toMatchObject({ upstreamId: "", queueBytes: 0, queueLimitBytes: 0, slow: 0, bytesSent: 0 });
    expect(registry.report(now).upstreams).toEqual([]);
  });

  test("shows its queue in whole slots, and what was counted", () => {
    const { client, handle } = enter();
    client.fed(QUEUE, new FakeSource());
    client.state = CLIENT_STATE.rtspPlaying;
    handle.sentBytes = 99;
    expect(registry.report(performance.now()).clients[0]).toMatchObject({
      state: 20,
      bytesSent: 99,
      queueBytes: 3072,
      queueLimitBytes: 4_718_592,
      queueBytesHighwater: 4608,
      droppedBytes: 2632,
      droppedPackets: 2,
      backpressureEvents: 3,
      slow: 1,
      upstream: "rtsp-udp",
      receiver: "batched",
      upstreamId: "worker7-upstream0",
    });
  });

  test("is disconnected by its id", () => {
    const { client, handle } = enter();
    expect(registry.disconnect("1.2.3.4:5-worker7-seq1")).toBe(false);
    expect(registry.disconnect(client.id)).toBe(true);
    expect(handle.aborts).toBe(1);
  });
});

test("an upstream is shown once, with all who share it, until the last of them leaves", () => {
  const source = new FakeSource();
  source.receivedBytes = 500;
  const clients = [enter().client, enter().client];
  for (const client of clients) client.fed(QUEUE, source);
  source.heardAt = 1000;
  const reports = registry.report(1025).upstreams;
  expect(reports).toEqual([
    {
      id: "worker7-upstream0",
      workerId: 7,
      kind: "rtsp-udp",
      url: "rtsp://a/b",
      interface: "eth1",
      receiver: "batched",
      clients: 2,
      bandwidth: 0,
      totalBytes: 500,
      rtpLost: 1,
      rtpReordered: 2,
      rtpDuplicates: 7,
      rtpRepaired: 20,
      rtpUnrepaired: 1,
      tsContinuityErrors: 0,
      lastDataMs: 25,
      fcc: { state: "", server: "", dialect: "", firstUnicastMs: -1, burstBytes: 0, gapPackets: -1 },
      health: { ...NO_HEALTH, rtpLate: 4 },
    },
  ]);
  source.details = { fccState: "unicast-active", fccServer: "10.0.0.1:8027", fccDialect: "huawei", fccBurstBytes: 9 };
  expect(registry.report(1025).upstreams[0]?.fcc).toEqual({
    state: "unicast-active",
    server: "10.0.0.1:8027",
    dialect: "huawei",
    firstUnicastMs: -1,
    burstBytes: 9,
    gapPackets: -1,
  });
  for (const client of clients) registry.leave(client);
  expect(registry.report(0).upstreams).toEqual([]);
});

describe("while nobody watches", () => {
  test("nobody is told of changes, and nothing is inspected", () => {
    const source = new FakeSource();
    const { client } = enter();
    client.fed(QUEUE, source);
    client.state = CLIENT_STATE.rtspPlaying;
    expect([changes, source.inspector]).toEqual([0, undefined]);
    registry.watch(true, 0);
    expect(source.inspector).toBeDefined();
    registry.watch(false, 0);
    registry.leave(client);
    expect([changes, source.inspector]).toEqual([0, undefined]);
  });

  test("every packet is looked at all the same, if that is wanted", () => {
    const source = new FakeSource();
    registry.examinesAlways = true;
    enter().client.fed(QUEUE, source);
    const { inspector } = source;
    expect(inspector).toBeDefined();
    registry.watch(true, 0);
    registry.watch(false, 0);
    expect(source.inspector).toBe(inspector);
    registry.examinesAlways = false;
    expect(source.inspector).toBeUndefined();
    registry.examinesAlways = true;
    expect(source.inspector).toBe(inspector);
  });

  test("what is sent does not make the next rate", () => {
    const { client, handle } = enter();
    const source = new FakeSource();
    client.fed(QUEUE, source);
    handle.sentBytes = source.receivedBytes = 1_000_000;
    const now = performance.now() + 10_000;
    registry.watch(true, now);
    registry.measure(now);
    expect(registry.report(now).clients[0]?.currentBandwidth).toBe(0);
    handle.sentBytes += 500;
    source.receivedBytes += 1000;
    registry.measure(now + 500);
    expect(registry.report(now).clients[0]?.currentBandwidth).toBe(1000);
    expect(registry.report(now).upstreams[0]?.bandwidth).toBe(2000);
    // A report between two measurements shows the rate of the last one.
    registry.measure(now + 510);
    expect(registry.report(now).clients[0]?.currentBandwidth).toBe(1000);
  });
});

test("while somebody watches, each change is told", () => {
  registry.watch(true, 0);
  const { client } = enter();
  expect(changes).toBe(1);
  client.state = CLIENT_STATE.rtspConnecting;
  client.state = CLIENT_STATE.rtspConnecting;
  expect(changes).toBe(2);
  const source = new FakeSource();
  client.fed(QUEUE, source);
  expect(changes).toBe(3);
  expect(source.inspector).toBeDefined();
  registry.leave(client);
  expect(changes).toBe(4);
});

describe("totals", () => {
  test("of bytes grow with each write, the worker's own and nobody else's", () => {
    const memory = new Float64Array(WorkerTotals.size(3));
    for (const worker of [0, 1, 2]) new WorkerTotals(memory, worker).add("bytesSent", 10 * worker);
    const counts = new SendCounts(new WorkerTotals(memory, 1));
    counts.sent(100, 100);
    counts.sent(70_000, 40_000);
    expect([0, 1, 2].map((worker) => new WorkerTotals(memory, worker).all.bytesSent)).toEqual([0, 40_110, 20]);
    expect(WorkerTotals.sum(memory)).toMatchObject({ bytesSent: 40_130, clients: 0 });
    expect(counts).toMatchObject({ total: 2, eagain: 1, batch: 1 });
  });

  test("keep what clients and upstreams have counted, each once, whether seen or gone", () => {
    const rtp = { ...RTP };
    const arrival = { kernelDrops: 5, senderChanges: 0, jitterMs: 0 };
    const source = new FakeSource(rtp);
    source.arrival = arrival;
    const queue = { ...QUEUE };
    const [one, two] = [enter().client, enter().client];
    one.fed(queue, source);
    two.fed({ ...QUEUE, droppedPackets: 0, droppedBytes: 0 }, source);
    source.receivedBytes = 500;
    expect(registry.totals.all).toMatchObject({ clients: 2, upstreams: 1, bytesReceived: 0, droppedPackets: 0 });
    registry.report(0);
    registry.report(0);
    const counted = {
      bytesReceived: 500,
      rtpLost: 1,
      rtpReordered: 2,
      rtpDuplicates: 7,
      rtpRepaired: 20,
      rtpUnrepaired: 1,
      tsContinuityErrors: 0,
      kernelDrops: 5,
    };
    expect(registry.totals.all).toMatchObject({
      droppedPackets: 2,
      droppedBytes: 2632,
      backpressureEvents: 6,
      ...counted,
    });
    queue.droppedPackets = 5;
    rtp.lost = 9;
    registry.leave(one);
    registry.leave(one);
    registry.leave(two);
    expect(registry.totals.all).toMatchObject({
      clients: 2,
      upstreams: 1,
      droppedPackets: 5,
      bytesReceived: 500,
      rtpLost: 9,
    });
  });

  test("keep what was counted before a client's media came from elsewhere, or a counter began anew", () => {
    const { client } = enter();
    const rtp = { lost: 5, reordered: 0, duplicates: 0, late: 0 };
    client.fed(QUEUE, new FakeSource(rtp));
    client.fed(QUEUE, new FakeSource(rtp));
    expect(registry.totals.all).toMatchObject({ upstreams: 2, droppedPackets: 2, rtpLost: 5 });
    registry.report(0);
    rtp.lost = 1;
    registry.leave(client);
    expect(registry.totals.all).toMatchObject({ droppedPackets: 4, rtpLost: 11 });
  });
});
