import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  isRandomAccess,
  isTransportStream,
  isUnitStart,
  isVideo,
  packetId,
  payloadOffset,
  startsDecodablePicture,
  TS_PACKET_BYTES,
} from "../../../src/wire/mpegts/packet.ts";
import { VIDEO_PID } from "../../fakes/ts-packets.ts";

const MPEG1 = 0x01;
const MPEG2 = 0x02;
const H264 = 0x1b;
const H265 = 0x24;
const AAC = 0x0f;

const pid13 = fc.integer({ min: 1, max: 0x1ffe });

interface Shape {
  readonly unitStart?: boolean;
  /** Adaptation field without its length byte. */
  readonly adaptation?: number[];
  readonly hasPayload?: boolean;
}

function packet(pid: number, payload: number[], { unitStart = true, adaptation, hasPayload = true }: Shape = {}) {
  const field = adaptation ? [adaptation.length, ...adaptation] : [];
  const control = (adaptation ? 0x20 : 0) | (hasPayload ? 0x10 : 0);
  const bytes = new Uint8Array(TS_PACKET_BYTES).fill(0xff);
  bytes.set([0x47, (unitStart ? 0x40 : 0) | (pid >> 8), pid & 0xff, control, ...field, ...payload]);
  return bytes;
}

describe("isTransportStream", () => {
  test("looks at the first three whole cells", () => {
    fc.assert(
      fc.property(
        fc.nat(1600),
        fc.array(fc.boolean(), { minLength: 9, maxLength: 9 }),
        fc.nat(9),
        (length, synced, offset) => {
          const bytes = new Uint8Array(offset + length);
          for (let cell = 0; cell * 188 < length; cell++) bytes[offset + cell * 188] = synced[cell] ? 0x47 : 0x46;
          const cells = Math.min(3, Math.floor(length / 188));
          const expected = cells > 0 && synced.slice(0, cells).every(Boolean);
          expect(isTransportStream(bytes, offset, length)).toBe(expected);
          expect(isTransportStream(bytes, offset, length, 2)).toBe(expected && cells >= 2);
        },
      ),
      { numRuns: 300 },
    );
  });

  test.each([
    [187, false, false],
    [188, true, false],
    [375, true, false],
    [376, true, true],
  ])("of %d bytes with the first sync byte only", (length, one, two) => {
    const bytes = new Uint8Array(length).fill(0x47);
    expect(isTransportStream(bytes, 0, length)).toBe(one);
    expect(isTransportStream(bytes, 0, length, 2)).toBe(two);
  });
});

describe("packet header", () => {
  test("gives PID, unit start and payload", () => {
    fc.assert(
      fc.property(pid13, fc.boolean(), fc.option(fc.nat(182), { nil: undefined }), (pid, unitStart, field) => {
        const adaptation = field === undefined ? undefined : new Array<number>(field).fill(0);
        const bytes = packet(pid, [], { unitStart, ...(adaptation && { adaptation }) });
        expect(packetId(bytes, 0)).toBe(pid);
        expect(isUnitStart(bytes, 0)).toBe(unitStart);
        expect(payloadOffset(bytes, 0)).toBe(field === undefined ? 4 : 5 + field);
      }),
    );
  });

  test("payload is empty without payload bit, and with an adaptation field that is too long", () => {
    expect(payloadOffset(packet(1, [], { adaptation: [0], hasPayload: false }), 0)).toBe(188);
    expect(payloadOffset(packet(1, [], { hasPayload: false }), 0)).toBe(188);
    const bytes = packet(1, [], { adaptation: [0] });
    bytes[4] = 255;
    expect(payloadOffset(bytes, 0)).toBe(188);
  });

  test("random access indicator counts only inside an adaptation field", () => {
    expect(isRandomAccess(packet(1, [], { adaptation: [0x40] }), 0)).toBe(true);
    expect(isRandomAccess(packet(1, [], { adaptation: [0xbf] }), 0)).toBe(false);
    expect(isRandomAccess(packet(1, [0x40], { adaptation: [] }), 0)).toBe(false);
    expect(isRandomAccess(packet(1, [1, 0x40]), 0)).toBe(false);
  });
});

test("isVideo knows the stream types", () => {
  const types = Array.from({ length: 256 }, (_, i) => i).filter(isVideo);
  expect(types).toEqual([MPEG1, MPEG2, H264, H265]);
});

describe("startsDecodablePicture", () => {
  /** PES header with PTS, then what follows. */
  const pes = (...data: number[]) => [0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, 0x21, 0, 1, 0, 1, ...data];
  const nal = (code: number) => [0, 0, 0, 1, code, 0x10];
  const starts = (type: number, data: number[], shape?: Shape) =>
    startsDecodablePicture(packet(VIDEO_PID, pes(...data), shape), 0, type);

  test.each([MPEG1, MPEG2, H264, H265, AAC])("type %d: with the random access indicator alone", (type) => {
    expect(starts(type, [], { adaptation: [0x40] })).toBe(true);
    expect(starts(type, [], { adaptation: [0x00] })).toBe(false);
  });

  test("MPEG-2: a sequence header, not a picture", () => {
    expect(starts(MPEG2, nal(0xb3))).toBe(true);
    expect(starts(MPEG1, nal(0xb3))).toBe(true);
    expect(starts(MPEG2, nal(0x00))).toBe(false);
    expect(starts(H264, nal(0xb3))).toBe(false);
  });

  test("H.264: IDR picture or sequence parameter set, behind an access unit delimiter too", () => {
    const yes = [0x05, 0x07, 0x25, 0x27, 0x45, 0x47, 0x65, 0x67];
    for (let code = 0; code < 256; code++) expect([code, starts(H264, nal(code))]).toEqual([code, yes.includes(code)]);
    expect(starts(H264, [...nal(0x09), ...nal(0x67)])).toBe(true);
    expect(starts(H264, [...nal(0x09), ...nal(0x41)])).toBe(false);
  });

  test("H.265: IRAP picture, video or sequence parameter set", () => {
    for (let type = 0; type < 64; type++) {
      const expected = (type >= 16 && type <= 21) || type === 32 || type === 33;
      expect([type, starts(H265, nal(type << 1))]).toEqual([type, expected]);
    }
  });

  test("does not look past the packet's end or into its adaptation field", () => {
    const bytes = new Uint8Array(TS_PACKET_BYTES * 2).fill(0xff);
    bytes.set(packet(VIDEO_PID, []));
    bytes.set([0, 0, 1, 0x65], TS_PACKET_BYTES - 3);
    expect(startsDecodablePicture(bytes, 0, H264)).toBe(false);
    bytes.set([0, 0, 1, 0x65], TS_PACKET_BYTES - 4);
    expect(startsDecodablePicture(bytes, 0, H264)).toBe(true);
    expect(starts(H264, [], { adaptation: [0, 0, 0, 1, 0x65] })).toBe(false);
  });
});

test("random and truncated bytes never throw, and offsets stay inside the packet", () => {
  const head = fc.constantFrom(0x10, 0x20, 0x30, 0x00);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), head, fc.nat(220), (bytes, control, at) => {
      bytes.set([0x47, 0x40, 0, control, 0].slice(0, Math.max(0, bytes.length)), 0);
      const offset = Math.min(at, bytes.length);
      for (const type of [MPEG2, H264, H265]) startsDecodablePicture(bytes, offset, type);
      isTransportStream(bytes, offset, bytes.length - offset);
      if (offset + TS_PACKET_BYTES > bytes.length) return;
      expect(payloadOffset(bytes, offset)).toBeWithin(offset + 4, offset + TS_PACKET_BYTES + 1);
    }),
    { numRuns: 1000 },
  );
});
