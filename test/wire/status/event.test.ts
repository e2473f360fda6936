import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  emitLogNews,
  emitServiceStatus,
  LEVEL_NAMES,
  type LogNews,
  parseStatusEvent,
  type ServiceStatus,
} from "../../../src/wire/status/event.ts";

const text = fc.string({ unit: "grapheme" });
const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const pool = fc.record({
  total: count,
  free: count,
  used: count,
  max: count,
  expansions: count,
  exhaustions: count,
  shrinks: count,
  utilization: fc.double({ min: 0, max: 100, noNaN: true }).map((percent) => percent + 0),
});
const send = fc.record({
  total: count,
  completions: count,
  copied: count,
  eagain: count,
  enobufs: count,
  batch: count,
});
const client = fc.record({
  clientId: text,
  workerPid: count,
  durationMs: count,
  clientAddr: text,
  serviceUrl: text,
  state: count,
  bytesSent: count,
  currentBandwidth: count,
  queueBytes: count,
  queueLimitBytes: count,
  queueBytesHighwater: count,
  droppedBytes: count,
  slow: fc.constantFrom(0, 1),
  droppedPackets: count,
  backpressureEvents: count,
  upstream: text,
  receiver: text,
  upstreamId: text,
  userAgent: text,
});
const upstream = fc.record({
  id: text,
  workerId: count,
  kind: text,
  url: text,
  interface: text,
  receiver: text,
  clients: count,
  bandwidth: count,
  totalBytes: count,
  rtpLost: count,
  rtpReordered: count,
  rtpDuplicates: count,
  rtpRepaired: count,
  rtpUnrepaired: count,
  tsContinuityErrors: count,
  lastDataMs: fc.integer({ min: -1 }),
  fcc: fc.record({
    state: text,
    server: text,
    dialect: text,
    firstUnicastMs: fc.integer({ min: -1 }),
    burstBytes: count,
    gapPackets: fc.integer({ min: -1 }),
  }),
  health: fc.record({
    ...{ tsPackets: count, nullPackets: count, scrambledPackets: count, transportErrors: count, syncLosses: count },
    ...{ patErrors: count, pmtErrors: count, pcrErrors: count, pcrJumps: count, pcrJitterMs: count, ptsErrors: count },
    ...{ rtpLate: count, rtpSenderChanges: count, rtpJitterMs: count, kernelDrops: count },
    programmes: fc.array(
      fc.record({
        ...{ number: count, pmtPid: count, name: text, provider: text },
        streams: fc.array(
          fc.record({
            ...{ pid: count, type: count, kind: text, codec: text, language: text, width: count, height: count },
            ...{ frameRate: count, interlaced: fc.constantFrom(0, 1), sampleRate: count, channels: count },
          }),
          { maxLength: 2 },
        ),
      }),
      { maxLength: 2 },
    ),
    pids: fc.array(
      fc.record({
        ...{ pid: fc.integer({ min: -1 }), packets: count, bandwidth: count, continuityErrors: count },
        scrambled: count,
      }),
      { maxLength: 2 },
    ),
  }),
});
const worker = fc.record({
  id: count,
  pid: count,
  activeClients: count,
  totalBandwidth: count,
  totalBytes: count,
  send,
  pool,
  controlPool: pool,
});
const service: fc.Arbitrary<ServiceStatus> = fc.record({
  serverStartTime: count,
  uptimeMs: count,
  currentLogLevel: count,
  version: text,
  maxClients: count,
  clients: fc.array(client, { maxLength: 3 }),
  totalClients: count,
  totalBytesSent: count,
  totalBandwidth: count,
  workers: fc.array(worker, { maxLength: 3 }),
  upstreams: fc.array(upstream, { maxLength: 3 }),
  totals: fc.record({
    clients: count,
    bytesSent: count,
    droppedPackets: count,
    droppedBytes: count,
    backpressureEvents: count,
    upstreams: count,
    bytesReceived: count,
    rtpLost: count,
    rtpReordered: count,
    rtpDuplicates: count,
    rtpRepaired: count,
    rtpUnrepaired: count,
    tsContinuityErrors: count,
    kernelDrops: count,
  }),
});
const news: fc.Arbitrary<LogNews> = fc.record({
  logsMode: fc.constantFrom("full", "incremental", "none"),
  logs: fc.array(
    fc.record({ timestamp: count, level: count, levelName: fc.constantFrom(...LEVEL_NAMES), message: text }),
  ),
});

test("an event is read as it was written, is one line, and can end no script", () => {
  fc.assert(
    fc.property(service, news, (status, logs) => {
      const event = emitServiceStatus(status) + emitLogNews(logs);
      expect(event).not.toMatch(/[<>&\n\r]/);
      expect(parseStatusEvent(event)).toEqual({ ...status, ...logs });
    }),
  );
});

describe("what another server has written", () => {
  test("may lack every member", () => {
    expect(parseStatusEvent("{}")).toMatchObject({ clients: [], workers: [], logs: [], logsMode: "none" });
    expect(parseStatusEvent("{}")?.upstreams).toBeUndefined();
    expect(parseStatusEvent('{"workers":[{}],"clients":[{}],"upstreams":[{}]}')).toMatchObject({
      clients: [],
      upstreams: [],
      workers: [{ id: undefined, send: { total: undefined }, pool: { max: undefined } }],
    });
  });

  test("may have members of other types, which are not read", () => {
    const event = parseStatusEvent(
      '{"version":1,"uptimeMs":"2","clients":{},"logs":[3,{"message":4}],"logsMode":"all"}',
    );
    expect(event).toMatchObject({ version: undefined, uptimeMs: undefined, clients: [], logsMode: "none" });
    expect(event?.logs).toEqual([{ timestamp: undefined, level: undefined, levelName: undefined, message: undefined }]);
  });

  test("is nothing when it is no object", () => {
    expect(["", "[]", "null", "{", "3"].map(parseStatusEvent)).toEqual(Array(5).fill(undefined));
  });

  test("never throws", () => {
    fc.assert(fc.property(fc.json(), (json) => void parseStatusEvent(json)));
    fc.assert(
      fc.property(service, fc.nat(), (status, at) => void parseStatusEvent(emitServiceStatus(status).slice(0, at))),
    );
    const members = ["clients", "workers", "upstreams", "logs", "version", "logsMode", "uptimeMs"];
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...members), fc.jsonValue()), (event) => {
        expect(parseStatusEvent(JSON.stringify(event))).toBeDefined();
      }),
    );
  });
});
