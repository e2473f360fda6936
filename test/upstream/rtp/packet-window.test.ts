import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Ring } from "../../../src/relay/ring.ts";
import { allocate } from "../../../src/system/memory.ts";
import { PacketWindow } from "../../../src/upstream/rtp/packet-window.ts";
import type { RtpPacket } from "../../../src/wire/rtp/packet.ts";

const OFFSET = 100;
const scratch = allocate(70_000);

interface Packet {
  readonly bytes: Uint8Array;
  readonly range: RtpPacket;
}

/** A packet whose bytes nobody else has. */
function packet(sequence: number, length: number, seed: number): Packet {
  const bytes = Uint8Array.from({ length }, (_, i) => (i * 7 + seed * 31 + sequence) & 0xff);
  const payloadEnd = OFFSET + length - (seed % 3);
  return { bytes, range: { payloadType: seed % 128, sequence, payloadStart: OFFSET + 12, payloadEnd } };
}

/** Puts a packet from memory that is another's afterwards. */
function put(window: PacketWindow, { bytes, range }: Packet): void {
  scratch.bytes.set(bytes, OFFSET);
  window.put(range, scratch, OFFSET, bytes.length);
  scratch.bytes.fill(0xee, OFFSET, OFFSET + bytes.length);
}

function expectStored(window: PacketWindow, { bytes, range }: Packet): void {
  const stored = window.get(range.sequence)!;
  expect(stored.length).toBe(bytes.length);
  expect(Buffer.compare(stored.memory.bytes.subarray(0, stored.length), bytes)).toBe(0);
  expect(stored).toMatchObject({
    payloadType: range.payloadType,
    sequence: range.sequence,
    payloadStart: range.payloadStart - OFFSET,
    payloadEnd: range.payloadEnd - OFFSET,
  });
}

test.each([0, 3, 33, -8, 8192, 1.5])("a window of %d packets is refused", (size) => {
  expect(() => new PacketWindow(size)).toThrow(RangeError);
});

test("a packet stays until one that shares its slot comes, through the end of the numbers", () => {
  const window = new PacketWindow(32);
  for (let i = 65_520; i < 65_552; i++) put(window, packet(i & 0xffff, 60, i));
  for (let i = 65_520; i < 65_552; i++) expectStored(window, packet(i & 0xffff, 60, i));
  put(window, packet(16, 60, 1));
  expect(window.has(65_520)).toBe(false);
  expect(window.get(65_520)).toBeUndefined();
  expect(window.has(65_521)).toBe(true);
});

test("forgetting a packet leaves the one that has its slot now", () => {
  const window = new PacketWindow(32);
  put(window, packet(5, 60, 1));
  put(window, packet(37, 60, 2));
  window.forget(5);
  expectStored(window, packet(37, 60, 2));
  window.forget(37);
  expect(window.has(37)).toBe(false);
});

test("slots are used again, and grow for larger packets", () => {
  const window = new PacketWindow(2);
  put(window, packet(0, 1328, 1));
  const { memory } = window.get(0)!;
  put(window, packet(2, 1536, 2));
  expect(window.get(2)!.memory).toBe(memory);
  put(window, packet(4, 65_507, 3));
  expectStored(window, packet(4, 65_507, 3));
  const grown = window.get(4)!.memory;
  put(window, packet(6, 40, 4));
  expectStored(window, packet(6, 40, 4));
  expect(window.get(6)!.memory).toBe(grown);
});

describe("properties", () => {
  /** Few enough numbers that they meet, on both sides of the wrap. */
  const sequence = fc.oneof(
    fc.nat(80),
    fc.nat(80).map((n) => 65_535 - n),
    fc.nat(65_535),
  );
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ put: sequence, length: fc.integer({ min: 16, max: 3000 }) }) },
    { weight: 2, arbitrary: fc.record({ forget: sequence }) },
    { weight: 1, arbitrary: fc.constant("clear" as const) },
  );

  test("random operations do what a map from slots does", () => {
    fc.assert(
      fc.property(fc.constantFrom(1, 16, 64, 4096), fc.array(step, { maxLength: 120 }), (size, steps) => {
        const window = new PacketWindow(size);
        const model = new Map<number, Packet>();
        steps.forEach((what, i) => {
          if (what === "clear") {
            window.clear();
            model.clear();
          } else if ("put" in what) {
            const one = packet(what.put, what.length, i);
            put(window, one);
            model.set(what.put % size, one);
          } else {
            window.forget(what.forget);
            if (model.get(what.forget % size)?.range.sequence === what.forget) model.delete(what.forget % size);
          }
        });
        for (const what of steps) {
          if (what === "clear") continue;
          const asked = "put" in what ? what.put : what.forget;
          const known = model.get(asked % size);
          const isThere = known?.range.sequence === asked;
          expect(window.has(asked)).toBe(isThere);
          if (isThere) expectStored(window, known);
          else expect(window.get(asked)).toBeUndefined();
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe("with a history", () => {
  const header = (sequence: number) =>
    Uint8Array.of(0x80, 33, sequence >> 8, sequence, 1, 2, 3, 4, 5, 6, 7, sequence & 0xff);

  /** Delivers packets whose payloads go to a ring, as a stream does. */
  class Delivery {
    readonly ring = new Ring(65_536);
    readonly window = new PacketWindow(64, this.ring);

    deliver(sequence: number, payloadLength: number, padding = 0, isLost = false): Uint8Array {
      const length = 12 + payloadLength + padding;
      scratch.bytes.set(header(sequence), OFFSET);
      scratch.bytes.fill(sequence & 0xff, OFFSET + 12, OFFSET + length);
      const packet = { payloadType: 33, sequence, payloadStart: OFFSET + 12, payloadEnd: OFFSET + 12 + payloadLength };
      const { position } = this.window;
      if (!isLost) this.ring.append(scratch, packet.payloadStart, payloadLength);
      this.window.putDelivered(packet, scratch, OFFSET, length, position);
      const bytes = scratch.bytes.slice(OFFSET, OFFSET + length);
      scratch.bytes.fill(0xee, OFFSET, OFFSET + length);
      return bytes;
    }

    stored(sequence: number): Uint8Array | undefined {
      const packet = this.window.get(sequence);
      return packet?.memory.bytes.slice(0, packet.length);
    }
  }

  test("delivered packets come back whole, with and without padding, and whatever became of the payload", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 1500 }), fc.nat({ max: 3 }), fc.boolean()), {
          minLength: 1,
          maxLength: 40,
        }),
        (packets) => {
          const delivery = new Delivery();
          const sent = packets.map(([size, padding, isLost], i) =>
            delivery.deliver((65_520 + i) & 0xffff, size, padding, isLost),
          );
          for (const [i, bytes] of sent.entries()) {
            for (let times = 0; times < 2; times++) {
              expect(Buffer.compare(delivery.stored((65_520 + i) & 0xffff) ?? new Uint8Array(0), bytes)).toBe(0);
            }
          }
        },
      ),
    );
  });

  test("the beginning of a packet is copied from wherever it is, with zeros behind its end", () => {
    const size = fc.integer({ min: 1, max: 1500 });
    fc.assert(
      fc.property(size, fc.nat({ max: 3 }), fc.boolean(), fc.nat({ max: 1600 }), (payload, padding, isRead, length) => {
        const delivery = new Delivery();
        const bytes = delivery.deliver(7, payload, padding);
        if (isRead) delivery.stored(7);
        const into = allocate(1700);
        into.bytes.fill(0x55);
        expect(delivery.window.copy(7, into, 40, length)).toBe(true);
        const expected = new Uint8Array(1700).fill(0x55).fill(0, 40, 40 + length);
        expected.set(bytes.subarray(0, length), 40);
        expect(Buffer.compare(into.bytes, expected)).toBe(0);
        expect(delivery.window.copy(8, into, 40, length)).toBe(false);
      }),
    );
    const gone = new Delivery();
    gone.deliver(7, 1000);
    for (let i = 0; i < 70; i++) gone.ring.append(scratch, 0, 1000);
    expect([gone.window.copy(7, allocate(1100), 0, 1012), gone.window.has(7)]).toEqual([false, false]);
  });

  test("one whose payload the ring has overwritten is not there any more", () => {
    const all = new Delivery();
    all.deliver(1, 1000);
    const second = all.deliver(2, 1000);
    // Whoever has been asked for is there in full.
    expect(all.stored(2)).toEqual(second);
    for (let i = 0; i < 70; i++) all.ring.append(scratch, 0, 1000);
    expect([all.window.has(1), all.stored(1), all.window.has(1)]).toEqual([true, undefined, false]);
    expect(all.stored(2)).toEqual(second);
  });

  test("a packet that is put takes the place of one that was delivered, and the other way round", () => {
    const delivery = new Delivery();
    delivery.deliver(5, 100);
    const one = packet(5 + 64, 200, 3);
    put(delivery.window, one);
    expectStored(delivery.window, one);
    const bytes = delivery.deliver(5 + 128, 100);
    expect(delivery.stored(5 + 128)).toEqual(bytes);
  });
});
