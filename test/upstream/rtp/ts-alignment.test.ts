/** Whole TS packets come out, however the stream was cut and whatever is between them. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { allocate } from "../../../src/system/memory.ts";
import { Depacketizer } from "../../../src/upstream/rtp/depacketizer.ts";
import { TsAlignment } from "../../../src/upstream/rtp/ts-alignment.ts";
import { PLAIN_FRAMING, type TsFraming } from "../../../src/wire/mpegts/phase.ts";
import { tsPackets } from "../../fakes/ts-packets.ts";

const FRAMINGS: Record<string, TsFraming> = {
  plain: PLAIN_FRAMING,
  parity: { bytes: 204, lead: 0 },
  timestamps: { bytes: 192, lead: 4 },
};
const PACKETS = 100;
const WHOLE = Buffer.from(tsPackets({ streamId: 4 }, 0, PACKETS));
const memory = allocate(70_000);

function framed({ bytes, lead }: TsFraming): Uint8Array {
  const framed = new Uint8Array(PACKETS * bytes).map((_, i) => i * 31);
  for (let i = 0; i < PACKETS; i++) framed.set(WHOLE.subarray(i * 188, (i + 1) * 188), i * bytes + lead);
  return framed;
}

/** Cuts at sizes that are used in turn. */
function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

/** What a depacketizer makes of datagrams. */
function play(datagrams: readonly Uint8Array[]) {
  const units: Uint8Array[] = [];
  const input = new Depacketizer({
    append: ({ bytes }, offset, length) => units.push(bytes.slice(offset, offset + length)),
    markRandomAccess: () => {},
  });
  for (const datagram of datagrams) {
    memory.bytes.set(datagram, 8);
    input.datagram(memory, 8, datagram.length);
  }
  return { input, units, bytes: Buffer.concat(units) };
}

describe.each(Object.entries(FRAMINGS))("a stream with %s", (_, framing) => {
  const stream = framed(framing);

  test.each([400, 512, 1024, 1316, 1400, 1472, framing.bytes, 7 * framing.bytes, 5000])("in pieces of %d", (size) => {
    const { input, units, bytes } = play(cut(stream, [size]));
    // The rest of the last packet never comes, or there is none.
    expect(Buffer.compare(bytes, WHOLE)).toBe(0);
    expect(units.every(({ length }) => length % 188 === 0)).toBe(true);
    expect([input.strays, input.payloadKind]).toEqual([0, "mp2t-direct"]);
  });

  test("cut anywhere, from anywhere", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 400, max: 1500 }), { minLength: 1, maxLength: 10 }),
        fc.nat(framing.bytes - 1),
        (sizes, from) => {
          const { bytes } = play(cut(stream.subarray(from), sizes));
          const missing = WHOLE.length - bytes.length;
          // The first packet, if the stream begins within it; a first piece may also look like parity or RTCP.
          expect([0, 1, 2, 3, 4, 5, 6, 7, 8].map((packets) => packets * 188)).toContain(missing);
          expect(Buffer.compare(bytes, WHOLE.subarray(missing))).toBe(0);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("goes on in step when a piece is lost, and drops what is cut off", () => {
    const pieces = cut(stream, [1472]);
    pieces.splice(20, 1);
    const { bytes } = play(pieces);
    expect(bytes.length % 188).toBe(0);
    for (let at = 0; at < bytes.length; at += 188) expect(WHOLE.includes(bytes.subarray(at, at + 188))).toBe(true);
    expect(bytes.length).toBeGreaterThan(WHOLE.length - 12 * 188);
  });

  test("is not moved by strangers", () => {
    const strangers = [Buffer.from("hello"), Uint8Array.of(0x80, 200, 0, 1, 0, 0, 0, 0), new Uint8Array(900)];
    const pieces = cut(stream, [1472]);
    const { bytes, input } = play(pieces.flatMap((piece, i) => (i > 3 ? [piece, strangers[i % 3]!] : [piece])));
    // A short one that could be the rest of a packet is taken for it, and costs that packet and what follows in the piece.
    if (framing === PLAIN_FRAMING) expect(input.strays + input.control).toBeGreaterThan(0);
    expect(bytes.length % 188).toBe(0);
  });
});

test("bytes at random never throw, and what comes out is whole packets", () => {
  const pieces = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 600 }),
      fc.nat(1000).map((at) => WHOLE.subarray(at, at + 700)),
    ),
    { maxLength: 30 },
  );
  fc.assert(
    fc.property(pieces, (all) => {
      const lengths: number[] = [];
      const alignment = new TsAlignment({ payload: (_memory, _offset, length) => lengths.push(length) });
      for (const piece of all) {
        memory.bytes.set(piece);
        if (!alignment.take(memory, 0, piece.length)) alignment.search(memory, 0, piece.length);
      }
      expect(lengths.every((length) => length > 0 && length % 188 === 0)).toBe(true);
    }),
  );
});
