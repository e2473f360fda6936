import { expect, test } from "bun:test";
import fc from "fast-check";
import { TransportHealth } from "../../../src/wire/mpegts/health.ts";
import { TS_PACKET_BYTES } from "../../../src/wire/mpegts/packet.ts";

interface PacketOptions {
  readonly pid?: number;
  /** adaptation_field_control: 1 payload, 2 adaptation field, 3 both */
  readonly control?: number;
  readonly discontinuity?: boolean;
  readonly transportError?: boolean;
}

function packet(counter: number, options: PacketOptions = {}): Uint8Array {
  const { pid = 0x100, control = 1, discontinuity = false, transportError = false } = options;
  // Payload without a byte that looks like the start of a packet.
  const bytes = new Uint8Array(TS_PACKET_BYTES).fill(0x55);
  bytes.set([0x47, (transportError ? 0x80 : 0) | (pid >> 8), pid & 0xff, (control << 4) | (counter & 15)]);
  if (control & 2) bytes.set([1, discontinuity ? 0x80 : 0], 4);
  return bytes;
}

/** Three packets show where they begin; these do not count. */
const PROOF = [1, 2, 3].map((counter) => packet(counter, { pid: 0x1fff }));

function errorsOf(packets: readonly Uint8Array[]): number {
  const continuity = new TransportHealth();
  const bytes = Buffer.concat([...packets, ...PROOF]);
  continuity.look(bytes, 0, bytes.length, 0);
  return continuity.continuityErrors;
}

/** The end of a packet, and the three that make it sure where they begin. */
const SEARCH_BYTES = 4 * TS_PACKET_BYTES;

const counters = (...numbers: number[]) => numbers.map((number) => packet(number));

test.each([
  ["counts up and around", counters(14, 15, 0, 1), 0],
  ["one packet lost", counters(1, 3, 4), 1],
  ["two losses", counters(1, 3, 4, 9), 2],
  ["a packet comes twice", counters(1, 2, 2, 3), 0],
  ["a packet comes three times", counters(1, 2, 2, 2, 3), 1],
  ["no payload, no counting", [packet(1), packet(1, { control: 2 }), packet(2)], 0],
  ["counts without a payload", [packet(1), packet(2, { control: 2 })], 1],
  ["the break is announced", [packet(1), packet(9, { control: 3, discontinuity: true }), packet(10)], 0],
  ["each PID counts for itself", [packet(1), packet(9, { pid: 7 }), packet(2), packet(10, { pid: 7 })], 0],
  ["null packets do not count", [packet(1, { pid: 0x1fff }), packet(9, { pid: 0x1fff })], 0],
  ["packets with errors are not believed", [packet(1), packet(9, { transportError: true }), packet(2)], 0],
])("%s", (_, packets, errors) => {
  expect(errorsOf(packets)).toBe(errors);
});

test("finds the same errors however the stream is cut, also when it is entered in the middle of a packet", () => {
  const losses = fc.array(fc.integer({ min: 1, max: 15 }), { minLength: 5, maxLength: 30 });
  fc.assert(
    fc.property(losses, fc.array(fc.integer({ min: 1, max: 700 })), fc.nat(187), (steps, cuts, skipped) => {
      let counter = 3;
      const next = (step: number) => {
        counter += step;
        return counter;
      };
      // The first packets are without a loss, so that it is known which ones are seen.
      const packets = [...counters(0, 1, 2, 3), ...steps.map((step) => packet(next(step)))];
      const bytes = Buffer.concat(packets);
      const continuity = new TransportHealth();
      let at = skipped;
      // Only a first piece of some size shows where packets begin.
      const lengths = [SEARCH_BYTES, ...cuts];
      for (const length of [...lengths, bytes.length]) {
        const taken = Math.min(length, bytes.length - at);
        continuity.look(bytes, at, taken, 0);
        at += taken;
      }
      expect(continuity.continuityErrors).toBe(steps.filter((step) => step !== 1).length);
    }),
  );
});

test("what was missed is no error, and what is no transport stream has none", () => {
  const continuity = new TransportHealth();
  for (const number of [1, 9]) {
    const bytes = Buffer.concat([packet(number), ...PROOF]);
    continuity.look(bytes, 0, bytes.length, 0);
    continuity.missed();
  }
  expect(continuity.continuityErrors).toBe(0);
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 600 })), (pieces) => {
      const text = new TransportHealth();
      for (const piece of pieces)
        text.look(
          piece.map((byte) => (byte === 0x47 ? 0 : byte)),
          0,
          piece.length,
          0,
        );
      expect(text.continuityErrors).toBe(0);
      const random = new TransportHealth();
      for (const piece of pieces) random.look(piece, 0, piece.length, 0);
    }),
  );
});

test("goes on behind a stretch that is no transport stream", () => {
  const continuity = new TransportHealth();
  const bytes = Buffer.concat([...counters(1, 2, 3), Buffer.alloc(500), ...counters(7, 8, 9, 11)]);
  continuity.look(bytes, 0, bytes.length, 0);
  expect(continuity.continuityErrors).toBe(1);
});
