import { expect, test } from "bun:test";
import { allocate } from "../../../src/system/memory.ts";
import { ArrivalMeter } from "../../../src/upstream/rtp/arrival-meter.ts";
import { emitRtpHeader } from "../../../src/wire/rtp/packet.ts";

const memory = allocate(64);
const PACKET_BYTES = 20;

class CountingSink {
  datagrams = 0;

  datagram(): void {
    this.datagrams++;
  }
}

/** A packet with this time stamp, in ms of 90 kHz, that is read at `now`. */
function arrive(meter: ArrivalMeter, sink: CountingSink, stampMs: number, now: number, ssrc = 1): void {
  emitRtpHeader(memory.bytes, 0, { payloadType: 33, sequence: 1, timestamp: (stampMs * 90) | 0, ssrc });
  meter.before(sink, now).datagram(memory, 0, PACKET_BYTES);
}

test("reckons as RFC 3550, and hands every datagram on", () => {
  const meter = new ArrivalMeter();
  const sink = new CountingSink();
  const arrivals = [0, 10, 27, 30, 40, 82, 60];
  let expected = 0;
  for (const [i, now] of arrivals.entries()) {
    arrive(meter, sink, i * 10, now);
    if (i > 0) expected += (Math.abs(now - arrivals[i - 1]! - 10) - expected) / 16;
  }
  expect(meter.jitterMs).toBeCloseTo(expected, 9);
  memory.bytes.fill(0x47, 0, PACKET_BYTES);
  meter.before(sink, 100).datagram(memory, 0, PACKET_BYTES);
  expect([sink.datagrams, meter.jitterMs]).toEqual([arrivals.length + 1, expect.closeTo(expected, 9)]);
});

test("another sender, another clock and the wrap of the time stamp are no jitter", () => {
  const meter = new ArrivalMeter();
  const sink = new CountingSink();
  const wrapMs = 2 ** 32 / 90;
  arrive(meter, sink, 0, 0);
  arrive(meter, sink, 700_000, 10, 2);
  arrive(meter, sink, 100_000, 20, 2);
  arrive(meter, sink, wrapMs - 10, 30, 3);
  arrive(meter, sink, wrapMs + 10, 50, 3);
  expect(meter.jitterMs).toBeCloseTo(0, 2);
});
