import { expect, test } from "bun:test";
import { PARITY_PER_GROUP, ParityEncoder, PROTECTED_PER_GROUP } from "../../src/demo/parity-encoder.ts";
import { DATAGRAM_BYTES } from "../../src/demo/rtp-feed.ts";
import { parityOf, plainPacket } from "../fakes/fec-encoder.ts";
import { seededRandom } from "../fakes/random.ts";

const RTP_HEADER = 12;
const random = seededRandom(6);

test("makes the parity of each whole group, across the end of the sequence numbers", () => {
  const sent: Uint8Array[] = [];
  const encoder = new ParityEncoder((parity) => sent.push(parity));
  const memory = new Uint8Array(DATAGRAM_BYTES);
  const expected: Uint8Array[] = [];
  let sequence = 65_536 - PROTECTED_PER_GROUP - 2;
  for (let group = 0; group < 4; group++) {
    const packets = Array.from({ length: PROTECTED_PER_GROUP }, () => {
      const payload = Uint8Array.from({ length: DATAGRAM_BYTES - RTP_HEADER }, () => random() * 256);
      return plainPacket(payload, sequence++ & 0xffff);
    });
    for (const packet of packets) {
      expect(sent).toHaveLength(expected.length);
      memory.set(packet);
      encoder.push(memory);
    }
    expected.push(...parityOf("alpha", packets, PARITY_PER_GROUP));
  }
  // The sequence numbers of the parity itself mean nothing.
  const body = (parity: Uint8Array) => Buffer.from(parity.subarray(RTP_HEADER)).toString("hex");
  expect(sent.map(body)).toEqual(expected.map(body));
});
