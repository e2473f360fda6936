import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { KeyFrameSearch } from "../../../src/upstream/rtp/key-frame.ts";
import { isUnitStart, packetId, payloadOffset } from "../../../src/wire/mpegts/packet.ts";
import { patSection, pmtSection, sectionPackets, tablePacket } from "../../fakes/psi.ts";

const MAX_FRAME_BYTES = 1024 * 1024;
const TS = 188;
/** Two key frames and a second of what lies between them. */
const clip = new Uint8Array(readFileSync(join(import.meta.dir, "../../../src/demo/clips/one.mpegts"))).subarray(
  0,
  400 * TS,
);
const VIDEO_PID = 0x100;

/** Pushes all of the bytes in pieces of these lengths, over and over; returns how many were of use. */
function pushed(search: KeyFrameSearch, bytes: Uint8Array, lengths: readonly number[]): number {
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const length = Math.min(lengths[i % lengths.length]!, bytes.length - at);
    const taken = search.push(bytes, at, length);
    at += taken;
    if (taken < length) break;
  }
  return at;
}

describe("the key frame of a clip", () => {
  const whole = new KeyFrameSearch();
  const used = pushed(whole, clip, [clip.length]);

  test("is tables and all packets of one picture, and ends where the next one begins", () => {
    expect(whole.state).toBe("complete");
    const { frame, held } = whole;
    const packets = Array.from({ length: frame.length / TS }, (_, i) => frame.subarray(i * TS, (i + 1) * TS));
    expect(packetId(packets[0]!, 0)).toBe(0);
    const pictures = packets.slice(2);
    expect(pictures.map((packet) => packetId(packet, 0))).toEqual(pictures.map(() => VIDEO_PID));
    expect(pictures.map((packet) => isUnitStart(packet, 0))).toEqual(pictures.map((_, i) => i === 0));
    expect(payloadOffset(pictures[0]!, 0)).toBeLessThan(TS);
    const next = clip.subarray(used - TS, used);
    expect(packetId(next, 0)).toBe(VIDEO_PID);
    expect(isUnitStart(next, 0)).toBe(true);
    expect(Buffer.from(held)).toEqual(Buffer.concat([frame, next]));
  });

  test("is the same however the stream is cut", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 8 }), (lengths) => {
        const search = new KeyFrameSearch();
        expect(pushed(search, clip, lengths)).toBe(used);
        expect(search.state).toBe("complete");
        expect(Buffer.from(search.held).equals(Buffer.from(whole.held))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test("is found behind bytes that are no packets", () => {
    const search = new KeyFrameSearch();
    const stray = new Uint8Array(77).fill(0x11);
    expect(pushed(search, Buffer.concat([stray, clip]), [500])).toBe(stray.length + used);
    expect(Buffer.from(search.frame).equals(Buffer.from(whole.frame))).toBe(true);
  });

  test("may be the last that comes", () => {
    const search = new KeyFrameSearch();
    pushed(search, clip.subarray(0, used - TS), [TS]);
    expect(search.state).toBe("collecting");
    search.finish();
    expect(search.state).toBe("complete");
    expect(Buffer.from(search.held).equals(Buffer.from(whole.frame))).toBe(true);
  });

  test("that does not end is too large", () => {
    const search = new KeyFrameSearch();
    const frameAt = pushed(search, clip.subarray(0, used - TS), [TS]);
    const more = clip.slice(frameAt, frameAt + TS);
    more[1]! &= ~0x40;
    for (let i = 0; i <= MAX_FRAME_BYTES / TS && search.state === "collecting"; i++) search.push(more, 0, TS);
    expect(search.state).toBe("failed");
    expect(search.frame.length).toBeLessThanOrEqual(MAX_FRAME_BYTES);
    expect(search.push(more, 0, TS)).toBe(0);
  });
});

test("a key frame is found behind a PMT of three packets, which all come with it", () => {
  const [pmtPid, videoPid] = [0x20, 0x21];
  const descriptors = new Array<number>(400).fill(0x0a);
  const tables = [
    ...sectionPackets(0, patSection([[1, pmtPid]])),
    ...sectionPackets(
      pmtPid,
      pmtSection([
        { type: 0x0f, pid: 0x22, descriptors },
        { type: 0x1b, pid: videoPid },
      ]),
    ),
  ];
  expect(tables).toHaveLength(4);
  const picture = tablePacket(videoPid, [0, 0, 1, 0xe0, 0, 0, 0x80, 0, 0, 0, 0, 0, 1, 0x65, 0x88]);
  const more = tablePacket(videoPid, [], { isStart: false });
  const sound = tablePacket(0x22, []);
  const [pat, first, second, third] = tables as [Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  const stream = Buffer.concat([pat, first, sound, second, third, sound, picture, more, sound, more, picture]);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), (length) => {
      const search = new KeyFrameSearch();
      expect(pushed(search, stream, [length])).toBe(stream.length);
      expect(search.state).toBe("complete");
      expect(Buffer.from(search.frame)).toEqual(Buffer.concat([...tables, picture, more, more]));
    }),
  );
});

test("random bytes hold none, and harm nobody", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
      const search = new KeyFrameSearch();
      expect(search.push(bytes, 0, bytes.length)).toBe(bytes.length);
      search.finish();
      expect(search.state).toBe("searching");
    }),
  );
});
