/** The verifier finds exactly the faults that were put in, however the bytes are cut into chunks. */

import { expect, test } from "bun:test";
import fc from "fast-check";
import { TS_PACKET_BYTES, tsPacket, tsPackets } from "./ts-packets.ts";
import { TsVerifier } from "./ts-verifier.ts";

const STREAM = { streamId: 7, interval: 20 };
const OTHER = { streamId: 8, interval: 20 };

function verify(...chunks: Uint8Array[]): TsVerifier {
  const verifier = new TsVerifier(STREAM.streamId);
  for (const chunk of chunks) verifier.push(chunk);
  verifier.end();
  return verifier;
}

const packets = (...counters: number[]) => Buffer.concat(counters.map((counter) => tsPacket(STREAM, counter)));

test("a whole stream is clean", () => {
  const verifier = verify(tsPackets(STREAM, 40, 500));
  expect(verifier.counts).toMatchObject({ packets: 500, first: 40, last: 539, beganAtRandomAccess: true });
  expect(verifier.clean).toBe(true);
});

test("a stream that begins elsewhere does not begin at random access", () => {
  expect(verify(tsPackets(STREAM, 1, 30)).beganAtRandomAccess).toBe(false);
  expect(verify(tsPackets({ ...STREAM, randomAccess: false }, 0, 30)).beganAtRandomAccess).toBe(false);
});

test("losses, duplicates and swaps are told apart", () => {
  expect(verify(packets(0, 1, 2, 5, 6)).counts).toMatchObject({ packets: 5, lost: 2, duplicate: 0, reordered: 0 });
  expect(verify(packets(0, 1, 1, 2, 0)).counts).toMatchObject({ packets: 5, lost: 0, duplicate: 2, reordered: 0 });
  expect(verify(packets(0, 2, 1, 3)).counts).toMatchObject({ packets: 4, lost: 0, duplicate: 0, reordered: 1 });
  expect(verify(packets(5, 4, 6)).counts).toMatchObject({ packets: 3, lost: 0, reordered: 1, first: 5 });
  expect(verify(packets(0, 100_000, 1)).counts).toMatchObject({ lost: 99_999, duplicate: 1 });
});

test("packets of another stream are foreign", () => {
  const verifier = verify(packets(0, 1), tsPackets(OTHER, 0, 3), packets(2));
  expect(verifier.counts).toMatchObject({ packets: 3, foreign: 3, lost: 0, corrupt: 0 });
});

test("a damaged packet is corrupt and lost", () => {
  const bytes = packets(0, 1, 2, 3);
  bytes[2 * TS_PACKET_BYTES + 100]! ^= 1;
  expect(verify(bytes).counts).toMatchObject({ packets: 3, corrupt: 1, lost: 1, resyncs: 0, stray: 0 });
  const lastDamaged = packets(0, 1);
  lastDamaged[TS_PACKET_BYTES + 100]! ^= 1;
  expect(verify(lastDamaged).counts).toMatchObject({ packets: 1, corrupt: 1, resyncs: 0, stray: 0 });
});

test("missing or inserted bytes cost a resync", () => {
  const bytes = tsPackets(STREAM, 0, 10);
  const cut = Buffer.concat([bytes.subarray(0, 500), bytes.subarray(600)]);
  expect(verify(cut).counts).toMatchObject({ packets: 8, lost: 2, corrupt: 0, resyncs: 1, stray: 276 });
  const inserted = Buffer.concat([packets(0), Buffer.from("HTTP/1.1 200 OK"), packets(1)]);
  expect(verify(inserted).counts).toMatchObject({ packets: 2, lost: 0, corrupt: 0, resyncs: 1, stray: 15 });
  expect(verify(bytes.subarray(0, -1)).counts).toMatchObject({ packets: 9, resyncs: 0, stray: 187 });
});

test("any pattern of loss and duplication is counted exactly", () => {
  const copies = fc.array(fc.constantFrom(0, 1, 1, 1, 2), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(copies, (pattern) => {
      const sent = pattern.flatMap((count, counter) => Array<number>(count).fill(counter));
      const first = sent[0] ?? 0;
      const last = sent.at(-1) ?? -1;
      const lost = pattern.filter((count, counter) => count === 0 && counter > first && counter < last).length;
      const duplicate = pattern.filter((count) => count === 2).length;
      expect(verify(packets(...sent)).counts).toMatchObject({ packets: sent.length, lost, duplicate, reordered: 0 });
    }),
  );
});

test("any permutation is complete", () => {
  const order = fc.shuffledSubarray([...Array(30).keys()], { minLength: 30 });
  fc.assert(
    fc.property(order, (counters) => {
      expect(verify(packets(...counters)).counts).toMatchObject({ packets: 30, lost: 0, duplicate: 0 });
    }),
  );
});

/** A stream with every kind of fault in it. */
function faulty(): Buffer {
  const bytes = Buffer.concat([
    ...[packets(0, 1, 2, 2, 5), tsPackets(OTHER, 0, 1), packets(7, 6)],
    ...[Buffer.from("GG"), packets(8, 9), packets(10).subarray(50), packets(11, 12), packets(13).subarray(0, 90)],
  ]);
  bytes[TS_PACKET_BYTES + 60]! ^= 0x10;
  return bytes;
}

test("a split at every byte gives the same result", () => {
  const bytes = faulty();
  const whole = verify(bytes).counts;
  expect(whole).toMatchObject({ lost: 4, duplicate: 1, reordered: 1, corrupt: 1, foreign: 1, resyncs: 2, stray: 230 });
  for (let at = 0; at <= bytes.length; at++) {
    expect(verify(bytes.subarray(0, at), bytes.subarray(at)).counts).toEqual(whole);
  }
  expect(verify(...Array.from(bytes, (byte) => Uint8Array.of(byte))).counts).toEqual(whole);
});

test("random bytes never throw, and none is left uncounted", () => {
  const chunk = fc.oneof(
    fc.uint8Array({ maxLength: 400 }),
    fc.nat(50).map((counter) => tsPacket(STREAM, counter)),
  );
  fc.assert(
    fc.property(fc.array(chunk, { maxLength: 8 }), (chunks) => {
      const { packets, corrupt, foreign, stray } = verify(...chunks);
      const total = chunks.reduce((sum, { length }) => sum + length, 0);
      expect((packets + corrupt + foreign) * TS_PACKET_BYTES + stray).toBe(total);
    }),
  );
});
