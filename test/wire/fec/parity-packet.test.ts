import { expect, test } from "bun:test";
import fc from "fast-check";
import { emitParityPacket, emptyParityPacket, parseParityPacket } from "../../../src/wire/fec/parity-packet.ts";
import { parityDatagram } from "../../fakes/fec-encoder.ts";

const packet = fc
  .record({
    begin: fc.integer({ min: 0, max: 65535 }),
    dataCount: fc.integer({ min: 1, max: 32768 }),
    parityCount: fc.integer({ min: 1, max: 255 }),
    blockLength: fc.integer({ min: 12, max: 1536 }),
    parity: fc.uint8Array({ maxLength: 60 }),
    offset: fc.integer({ min: 0, max: 10 }),
  })
  .chain((fields) => fc.integer({ min: 0, max: fields.parityCount - 1 }).map((index) => ({ ...fields, index })));

test("what is emitted is parsed, anywhere in memory", () => {
  fc.assert(
    fc.property(packet, ({ parity, offset, ...fields }) => {
      const end = (fields.begin + fields.dataCount - 1) & 0xffff;
      const emitted = emitParityPacket({ ...fields, end, parityStart: 0, parityLength: parity.length }, parity);
      const memory = new Uint8Array(offset + emitted.length + 7);
      memory.set(emitted, offset);
      const into = emptyParityPacket();
      expect(parseParityPacket(memory, offset, emitted.length, into)).toBe(true);
      expect(into).toEqual({ ...fields, end, parityStart: offset + 24, parityLength: parity.length });
      expect([...memory.subarray(into.parityStart, into.parityStart + into.parityLength)]).toEqual([...parity]);
    }),
  );
});

const SOUND = { begin: 65530, end: 3, m: 2, index: 1, parity: new Uint8Array(100), blockLength: 100 };

test.each<[string, Partial<typeof SOUND> & { payloadType?: number }, boolean]>([
  ["around the end of the numbers", {}, true],
  ["of the other type", { payloadType: 97 }, true],
  ["of media", { payloadType: 33 }, false],
  ["that ends before it begins", { end: 65529 }, false],
  ["of a group without parity", { m: 0, index: 0 }, false],
  ["beyond the group", { index: 2 }, false],
  ["of blocks without a header", { blockLength: 11 }, false],
  ["of the shortest blocks", { blockLength: 12 }, true],
  ["of the longest blocks", { blockLength: 1536 }, true],
  ["of blocks that are too long", { blockLength: 1537 }, false],
])("a packet %s", (_, change, isParity) => {
  const datagram = parityDatagram({ ...SOUND, ...change });
  expect(parseParityPacket(datagram, 0, datagram.length, emptyParityPacket())).toBe(isParity);
  expect(parseParityPacket(datagram, 0, datagram.length - 1, emptyParityPacket())).toBe(false);
});

test("random and truncated bytes never throw", () => {
  const into = emptyParityPacket();
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.uint8Array({ maxLength: 60 }).map((tail) => Uint8Array.of(0x9f, 127, ...tail)),
  );
  fc.assert(
    fc.property(bytes, (random) => {
      if (parseParityPacket(random, 0, random.length, into)) {
        expect(into.parityStart + into.parityLength).toBeLessThanOrEqual(random.length);
      }
    }),
  );
});
