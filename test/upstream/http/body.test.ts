/** Bodies of every framing, cut anywhere and read in any portions, end where their framing says. */

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { allocate, type Memory } from "../../../src/system/memory.ts";
import { BodySource, type ByteSource } from "../../../src/upstream/http/body.ts";
import type { BodyFraming } from "../../../src/wire/http/response-framing.ts";

const AREA_BYTES = 1000;
const CHUNKED: BodyFraming = { kind: "chunked" };
const UNTIL_CLOSE: BodyFraming = { kind: "until-close" };
const CHUNKS = Buffer.from("3\r\nabc\r\nA;x=1\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n");

/** A connection on which pieces arrive, with a pause before each, and which then closes. */
class FakeSource implements ByteSource {
  readonly window = Number.POSITIVE_INFINITY;
  reads = 0;
  readableEvents = 0;
  readonly #pieces: Uint8Array[];
  #hasPaused = false;

  constructor(pieces: readonly Uint8Array[]) {
    this.#pieces = pieces.filter(({ length }) => length > 0);
  }

  read(into: Memory, offset: number, length: number): number {
    if (!Number.isInteger(length) || length < 1) throw new Error(`asked for ${length} bytes`);
    this.reads++;
    const piece = this.#pieces[0];
    if (!piece) return -1;
    this.#hasPaused = !this.#hasPaused;
    if (this.#hasPaused) return 0;
    const part = piece.subarray(0, length);
    into.bytes.set(part, offset);
    if (part.length < piece.length) this.#pieces[0] = piece.subarray(part.length);
    else this.#pieces.shift();
    return part.length;
  }

  waitReadable(): void {
    this.readableEvents++;
  }
}

function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return sorted.slice(1).map((end, i) => bytes.subarray(sorted[i], end));
}

/** Reads to the end, in portions whose sizes are taken in turn. */
function readAll(body: BodySource, portions: readonly number[] = [AREA_BYTES]): Buffer {
  const area = allocate(AREA_BYTES + 1);
  const read: Uint8Array[] = [];
  for (let i = 0; ; i++) {
    const count = body.read(area, 1, portions[i % portions.length]!);
    if (count < 0) return Buffer.concat(read);
    read.push(area.bytes.slice(1, 1 + count));
  }
}

const places = fc.array(fc.nat(), { maxLength: 8 });
const portions = fc.array(fc.integer({ min: 1, max: AREA_BYTES }), { minLength: 1, maxLength: 5 });
const data = fc.uint8Array({ maxLength: 300 });

describe("a body", () => {
  test("of a length ends there, or short of it", () => {
    const property = fc.property(data, fc.nat(400), places, portions, (bytes, length, where, sizes) => {
      const body = new BodySource(new FakeSource(cut(bytes, where)), { kind: "length", length });
      expect(readAll(body, sizes)).toEqual(Buffer.from(bytes.subarray(0, length)));
      // A length of 0 is complete before it is read.
      expect(body.isComplete || length === 0).toBe(bytes.length >= length || length === 0);
      expect(body.read(allocate(1), 0, 1)).toBe(-1);
    });
    fc.assert(property);
  });

  test("until the close is complete, whatever it is", () => {
    const property = fc.property(data, places, portions, (bytes, where, sizes) => {
      const body = new BodySource(new FakeSource(cut(bytes, where)), UNTIL_CLOSE);
      expect(readAll(body, sizes)).toEqual(Buffer.from(bytes));
      expect(body.isComplete).toBe(true);
    });
    fc.assert(property);
  });

  test("that there is none of is over without a read", () => {
    const source = new FakeSource([Buffer.from("more")]);
    const body = new BodySource(source, { kind: "none" });
    expect([body.read(allocate(1), 0, 1), body.isComplete, source.reads]).toEqual([-1, true, 0]);
  });

  test("in chunks passes as it is, up to its last byte", () => {
    const property = fc.property(data, places, portions, (behind, where, sizes) => {
      const body = new BodySource(new FakeSource(cut(Buffer.concat([CHUNKS, behind]), where)), CHUNKED);
      expect(readAll(body, sizes)).toEqual(CHUNKS);
      expect([body.isComplete, body.read(allocate(1), 0, 1)]).toEqual([true, -1]);
    });
    fc.assert(property);
  });

  test("in chunks can be had without them", () => {
    const property = fc.property(data, places, portions, (behind, where, sizes) => {
      const source = new FakeSource(cut(Buffer.concat([CHUNKS, behind]), where));
      const body = new BodySource(source, CHUNKED, true);
      expect(readAll(body, sizes).toString()).toBe("abc0123456789");
      expect([body.isComplete, body.read(allocate(1), 0, 1)]).toEqual([true, -1]);
    });
    fc.assert(property);
  });

  test("without its chunks ends where they are no longer understood", () => {
    const body = new BodySource(new FakeSource([Buffer.from("3\r\nabcx3\r\n")]), CHUNKED, true);
    expect([readAll(body).toString(), body.isComplete]).toEqual(["abc", false]);
  });

  test("in chunks that ends early is not complete", () => {
    for (let length = 0; length < CHUNKS.length; length++) {
      const body = new BodySource(new FakeSource([CHUNKS.subarray(0, length)]), CHUNKED);
      expect([readAll(body), body.isComplete]).toEqual([CHUNKS.subarray(0, length), false]);
    }
  });

  test("in chunks that cannot be understood passes to the close", () => {
    const property = fc.property(data, places, portions, (bytes, where, sizes) => {
      const wrong = Buffer.concat([Buffer.from("3\r\nabc\rx"), bytes]);
      const body = new BodySource(new FakeSource(cut(wrong, where)), CHUNKED);
      expect([readAll(body, sizes), body.isComplete]).toEqual([wrong, false]);
    });
    fc.assert(property);
  });

  test("of any bytes never throws", () => {
    const property = fc.property(data, places, portions, (bytes, where, sizes) => {
      const read = readAll(new BodySource(new FakeSource(cut(bytes, where)), CHUNKED), sizes);
      expect(read).toEqual(Buffer.from(bytes.subarray(0, read.length)));
    });
    fc.assert(property);
  });

  test("is told by its connection", () => {
    const source = new FakeSource([]);
    new BodySource(source, UNTIL_CLOSE).waitReadable();
    expect(source.readableEvents).toBe(1);
  });
});
