import { expect, test } from "bun:test";
import fc from "fast-check";
import { hasDts, presentationTime, readTimestamp, timedPesOffset } from "../../../src/wire/mpegts/pes.ts";
import { tablePacket } from "../../fakes/psi.ts";

const PID = 0x100;
const ticks33 = fc.bigInt({ min: 0n, max: 2n ** 33n - 1n }).map(Number);

/** Five bytes with marker bits. */
function timestamp(ticks: number, prefix = 2): number[] {
  const bits = (from: number, count: number) => Math.floor(ticks / 2 ** from) % 2 ** count;
  const [middle, low] = [bits(15, 15) * 2 + 1, bits(0, 15) * 2 + 1];
  return [(prefix << 4) | (bits(30, 3) << 1) | 1, middle >> 8, middle & 0xff, low >> 8, low & 0xff];
}

const pes = (flags: number, ...fields: number[]) => [0, 0, 1, 0xe0, 0, 0, 0x80, flags, fields.length, ...fields];

test("reads what stands in the five bytes", () => {
  fc.assert(
    fc.property(ticks33, (ticks) => {
      expect(readTimestamp(Uint8Array.from(timestamp(ticks)), 0)).toBe(ticks);
      expect(presentationTime(tablePacket(PID, pes(0x80, ...timestamp(ticks))), 0)).toBe(ticks);
    }),
  );
});

test("tells PTS alone from PTS and DTS", () => {
  const both = tablePacket(PID, pes(0xc0, ...timestamp(5, 3), ...timestamp(4, 1)));
  expect([timedPesOffset(both, 0), hasDts(both, 0, 4), presentationTime(both, 0)]).toEqual([4, true, 5]);
  const one = tablePacket(PID, pes(0x80, ...timestamp(5)));
  expect([timedPesOffset(one, 0), hasDts(one, 0, 4)]).toEqual([4, false]);
  const cut = tablePacket(PID, pes(0xc0, ...timestamp(5, 3)), { exact: true });
  expect([presentationTime(cut, 0), hasDts(cut, 0, timedPesOffset(cut, 0))]).toEqual([5, false]);
});

test("there is none without the flag, start code, header, unit start or room, nor in a scrambled packet", () => {
  const timed = pes(0x80, ...timestamp(5));
  const packet = tablePacket(PID, timed);
  expect(presentationTime(packet, 0)).toBe(5);
  expect(presentationTime(tablePacket(PID, pes(0x00, ...timestamp(5))), 0)).toBeUndefined();
  expect(presentationTime(tablePacket(PID, timed.with(2, 2)), 0)).toBeUndefined();
  expect(presentationTime(tablePacket(PID, timed.with(3, 0xbe)), 0)).toBeUndefined();
  expect(presentationTime(tablePacket(PID, timed, { isStart: false }), 0)).toBeUndefined();
  expect(presentationTime(tablePacket(PID, timed.slice(0, -1), { exact: true }), 0)).toBeUndefined();
  expect(presentationTime(packet.with(3, 0x90), 0)).toBeUndefined();
});
