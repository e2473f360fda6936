import { expect, test } from "bun:test";
import type { ByteInspector, SourceStats } from "../../src/relay/stats.ts";
import { HealthMeter } from "../../src/status/health.ts";
import { MUX_VIDEO_PID, muxPackets } from "../fakes/ts-mux.ts";
import { TS_PACKET_BYTES } from "../fakes/ts-packets.ts";

class FakeSource implements SourceStats {
  readonly about = { kind: "multicast", url: "rtp://x", interfaceName: undefined, receiver: "batched" };
  readonly receivedBytes = 0;
  readonly heardAt = 0;
  readonly rtp = { lost: 0, reordered: 0, duplicates: 0, late: 3 };
  readonly arrival = { kernelDrops: 7, senderChanges: 1, jitterMs: 1.26 };
  readonly details = undefined;
  inspector: ByteInspector | undefined;

  inspect(inspector: ByteInspector | undefined): void {
    this.inspector = inspector;
  }

  /** Packets as they come a millisecond apart. */
  feed(packets: readonly Uint8Array[]): void {
    const bytes = Buffer.concat(packets);
    this.inspector?.look(bytes, 0, bytes.length, 0);
  }
}

test("tells what costs nothing, though nobody has looked", () => {
  const report = new HealthMeter().report(new FakeSource());
  expect(report).toMatchObject({ tsPackets: 0, rtpLate: 3, rtpSenderChanges: 1, rtpJitterMs: 1.3, kernelDrops: 7 });
  expect(report).toMatchObject({ programmes: [], pids: [] });
});

test("measures the rate of each PID by the stream's own time", () => {
  const source = new FakeSource();
  const meter = new HealthMeter();
  const packets = muxPackets({ ms: 3001, nullEvery: 10 });
  meter.turn(true, source);
  source.feed(packets.slice(0, 2001));
  meter.measure();
  const rates = () =>
    new Map(meter.report(source).pids.map(({ pid, bandwidth }) => [pid, bandwidth / TS_PACKET_BYTES]));
  // Every 100 ms, every 10 ms, and the rest of one a millisecond, of which there is one more than 2 s take.
  expect(rates().get(0)).toBe(10);
  expect(rates().get(0x1fff)).toBe(100);
  expect(rates().get(MUX_VIDEO_PID)).toBe(881);
  source.feed(packets.slice(2001));
  meter.measure();
  expect(rates().get(0)).toBe(10);
});

test("keeps its counts while nobody looks, and goes on without an error", () => {
  const source = new FakeSource();
  const meter = new HealthMeter();
  const packets = muxPackets({ ms: 3000 });
  meter.turn(true, source);
  source.feed(packets.slice(0, 1000));
  meter.turn(false, source);
  expect(source.inspector).toBeUndefined();
  source.feed(packets.slice(1000, 2000));
  meter.turn(true, source);
  source.inspector?.missed();
  source.feed(packets.slice(2000));
  const { tsPackets, pcrJumps, pcrErrors, patErrors } = meter.report(source);
  expect({ tsPackets, pcrJumps, pcrErrors, patErrors }).toEqual({
    tsPackets: 2000,
    pcrJumps: 0,
    pcrErrors: 0,
    patErrors: 0,
  });
  expect(meter.continuityErrors).toBe(0);
});

test("tells no more than there is room for", () => {
  const source = new FakeSource();
  const meter = new HealthMeter();
  meter.turn(true, source);
  source.feed(muxPackets({ ms: 500, nullEvery: 10 }));
  const report = meter.report(source, { pids: 2, programmes: 0, streams: 0 });
  expect([report.pids.length, report.programmes.length]).toEqual([2, 0]);
});
