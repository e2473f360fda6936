/** Frames in, MPEG-TS out, whatever room the reader has and however the bytes are cut. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { allocate } from "../../../src/system/memory.ts";
import { InterleavedSource } from "../../../src/upstream/rtsp/interleaved.ts";
import { DatagramSource, type Fault, rtpPacket } from "../../fakes/ts-datagrams.ts";
import { until } from "../../fakes/until.ts";

const WAIT_MS = 1000;
const AREA_BYTES = 64 * 1024;
const RTP_HEADER_BYTES = 12;
const memory = allocate(AREA_BYTES);

/** A connection that delivers datagrams, so many a read; undefined stands for a moment in which none have come. */
class Connection {
  announced = 0;
  readonly source: InterleavedSource;
  readonly #datagrams: (Uint8Array | undefined)[];
  readonly #perRead: number;

  constructor(datagrams: readonly (Uint8Array | undefined)[], perRead: number) {
    this.#datagrams = [...datagrams];
    this.#perRead = perRead;
    this.source = new InterleavedSource(this);
  }

  read(): number {
    if (this.#datagrams.length === 0) return -1;
    let count = 0;
    for (let i = 0; i < this.#perRead && this.#datagrams.length > 0; i++) {
      const datagram = this.#datagrams.shift();
      if (!datagram) return count;
      memory.bytes.set(datagram);
      this.source.input.datagram(memory, 0, datagram.length);
      count += datagram.length;
    }
    return count;
  }

  waitReadable(): void {
    this.announced++;
  }

  /** Reads to the end into rooms of this size. */
  all(room: number): Buffer {
    const area = allocate(room);
    const pieces: Uint8Array[] = [];
    for (let count = 0; count >= 0; count = this.source.read(area, 0, room)) {
      expect(count).toBeLessThanOrEqual(room);
      pieces.push(area.bytes.slice(0, count));
    }
    return Buffer.concat(pieces);
  }
}

function datagrams(count: number, fault?: (index: number) => Fault | undefined): Uint8Array[] {
  const source = new DatagramSource({ streamId: 1, carrier: "rtp", ...(fault && { fault }) });
  return Array.from({ length: count }, () => source.next()).flat();
}

function payloads(all: readonly Uint8Array[]): Buffer {
  return Buffer.concat(all.map((datagram) => datagram.subarray(RTP_HEADER_BYTES)));
}

describe("every byte comes out once and in order", () => {
  test("for any room, any reads and any moments of silence", () => {
    const sent = datagrams(60);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: AREA_BYTES }),
        fc.integer({ min: 1, max: 60 }),
        fc.array(fc.integer({ min: 0, max: 59 }), { maxLength: 10 }),
        (room, perRead, silences) => {
          const withSilences = sent.flatMap((datagram, i) =>
            silences.includes(i) ? [undefined, datagram] : [datagram],
          );
          const got = new Connection(withSilences, perRead).all(Math.max(room, 16));
          expect(Buffer.compare(got, payloads(sent))).toBe(0);
        },
      ),
      { numRuns: 50 },
    );
  });

  test("with packets out of order, doubled, and larger than the room", () => {
    const swapped = datagrams(40, (index) => (index === 20 ? { delayBy: 2 } : index === 30 ? "duplicate" : undefined));
    expect(Buffer.compare(new Connection(swapped, 3).all(100), payloads(datagrams(40)))).toBe(0);
    const large = Uint8Array.from({ length: 60_000 }, (_, i) => i);
    const got = new Connection([rtpPacket(large, 1, 0)], 1).all(1000);
    expect(Buffer.compare(got, large)).toBe(0);
  });

  test("with few packets, which wait for an earlier one for a moment only", async () => {
    const connection = new Connection([...datagrams(3), undefined, undefined, undefined], 3);
    const area = allocate(AREA_BYTES);
    expect(connection.source.read(area, 0, AREA_BYTES)).toBe(0);
    let arrivals = 0;
    connection.source.onReadable = () => arrivals++;
    connection.source.waitReadable();
    expect(connection.announced).toBe(1);
    await until(() => arrivals > 0, WAIT_MS, "an arrival");
    expect(connection.source.read(area, 0, AREA_BYTES)).toBe(3 * 7 * 188);
  });
});

test("finish leaves what was read, and nothing else", () => {
  const connection = new Connection(datagrams(40), 40);
  const area = allocate(AREA_BYTES);
  let arrivals = 0;
  connection.source.onReadable = () => arrivals++;
  expect(connection.source.read(area, 0, 1000)).toBe(1000);
  connection.source.finish();
  connection.source.finish();
  expect(arrivals).toBe(1);
  expect(connection.all(AREA_BYTES)).toHaveLength(40 * 7 * 188 - 1000);
});

test("what came too early can be forgotten", () => {
  const connection = new Connection([], 1);
  for (const datagram of datagrams(20)) {
    memory.bytes.set(datagram);
    connection.source.input.datagram(memory, 0, datagram.length);
  }
  expect(connection.source.carriedBytes).toBe(20 * 7 * 188);
  connection.source.forget();
  expect(connection.source.carriedBytes).toBe(0);
  expect(connection.all(AREA_BYTES)).toHaveLength(0);
});
