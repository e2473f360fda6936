import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { findTsPhase, PLAIN_FRAMING, type TsFraming } from "../../../src/wire/mpegts/phase.ts";
import { tsPackets } from "../../fakes/ts-packets.ts";

const FRAMINGS: Record<string, TsFraming> = {
  plain: PLAIN_FRAMING,
  parity: { bytes: 204, lead: 0 },
  timestamps: { bytes: 192, lead: 4 },
};

/** Packets in frames; what is between them is no sync byte. */
function framed(framing: TsFraming, packets: number): Uint8Array {
  const plain = tsPackets({ streamId: 1 }, 0, packets);
  const bytes = new Uint8Array(packets * framing.bytes).fill(0x11);
  for (let i = 0; i < packets; i++) {
    bytes.set(plain.subarray(i * 188, (i + 1) * 188), i * framing.bytes + framing.lead);
  }
  return bytes;
}

describe.each(Object.entries(FRAMINGS))("the phase of a stream with %s", (_, framing) => {
  test("is found wherever it is cut", () => {
    const bytes = framed(framing, 8);
    for (let cut = 0; cut < framing.bytes; cut++) {
      const start = cut === 0 ? 0 : framing.bytes - cut;
      const phase = findTsPhase(bytes, cut, bytes.length - cut, 4);
      expect([cut, phase]).toEqual([cut, { framing, start }]);
    }
  });

  test("is not told from too few packets", () => {
    const bytes = framed(framing, 3);
    expect(findTsPhase(bytes, 0, bytes.length, 3)).toEqual({ framing, start: 0 });
    expect(findTsPhase(bytes, 0, bytes.length, 4)).toBeUndefined();
    expect(findTsPhase(bytes, 0, 2 * framing.bytes, 3)).toBeUndefined();
  });
});

test("bytes at random have none, and are read nowhere else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), fc.nat(50), (bytes, offset) => {
      const length = Math.max(0, bytes.length - offset);
      const phase = findTsPhase(bytes, offset, length, 4);
      if (phase) expect(bytes[offset + phase.start + phase.framing.lead]).toBe(0x47);
    }),
  );
});
