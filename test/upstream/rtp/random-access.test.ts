import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { RandomAccessWatch } from "../../../src/upstream/rtp/random-access.ts";
import { patSection, pmtSection, sectionPackets } from "../../fakes/psi.ts";
import { PMT_PID, tsPacket, VIDEO_PID } from "../../fakes/ts-packets.ts";

const TS = 188;
const MPEG2 = 0x02;
const H264 = 0x1b;
const H265 = 0x24;
const AAC = 0x0f;

function packet(pid: number, payload: number[], unitStart = true, flags?: number): Uint8Array {
  const bytes = new Uint8Array(TS).fill(0xff);
  const adaptation = flags === undefined ? [] : [1, flags];
  bytes.set([0x47, (unitStart ? 0x40 : 0) | (pid >> 8), pid & 0xff, flags === undefined ? 0x10 : 0x30]);
  bytes.set([...adaptation, ...payload], 4);
  return bytes;
}

const pat = (pmtPid: number) => sectionPackets(0, patSection([[1, pmtPid]]))[0]!;

function pmt(pid: number, streams: [type: number, pid: number][]): Uint8Array {
  return sectionPackets(pid, pmtSection(streams.map(([type, stream]) => ({ type, pid: stream }))))[0]!;
}

/** Over three packets: a second sound with many descriptors, and the video at the end. */
const longPmtSection = pmtSection([
  { type: AAC, pid: 0x102, descriptors: new Array<number>(400).fill(0x0a) },
  { type: H264, pid: VIDEO_PID },
]);

const PES = [0, 0, 1, 0xe0, 0, 0, 0x80, 0, 0];
const idr = [...PES, 0, 0, 1, 0x65, 0x88];
const plainSlice = [...PES, 0, 0, 1, 0x41, 0x9a];
const video = (payload: number[], flags?: number) => packet(VIDEO_PID, payload, true, flags);
const filler = packet(VIDEO_PID, [], false);
const PAT = pat(PMT_PID);
const pmtOf = (type: number) =>
  pmt(PMT_PID, [
    [AAC, 0x102],
    [type, VIDEO_PID],
  ]);

/** What the watch answers for each payload in turn. */
function look(watch: RandomAccessWatch, ...payloads: Uint8Array[][]): number[] {
  return payloads.map((packets) => {
    const bytes = new Uint8Array([1, 2, 3, ...packets.flatMap((p) => [...p])]);
    return watch.look(bytes, 3, bytes.length - 3);
  });
}

describe("RandomAccessWatch", () => {
  test.each([
    ["H.264", H264, idr, plainSlice],
    ["H.265", H265, [...PES, 0, 0, 1, 19 << 1, 1], [...PES, 0, 0, 1, 1 << 1, 1]],
    ["MPEG-2", MPEG2, [...PES, 0, 0, 1, 0xb3, 0x2d], [...PES, 0, 0, 1, 0x00, 0x2d]],
  ])("%s: finds pictures with and without the indicator", (_, type, start, other) => {
    const watch = new RandomAccessWatch();
    expect(look(watch, [PAT, pmtOf(type)])).toEqual([-1]);
    expect(
      look(
        watch,
        [video(start)],
        [video(other)],
        [video(other, 0x40)],
        [video(other, 0x00)],
        [filler, filler, video(start)],
        [filler, video(other), filler],
      ),
    ).toEqual([0, -1, 0, -1, 2 * TS, -1]);
  });

  test("keeps PAT and PMT as they were last seen", () => {
    const watch = new RandomAccessWatch();
    expect(watch.preamble()).toHaveLength(0);
    look(watch, [PAT]);
    expect(watch.preamble()).toHaveLength(0);
    look(watch, [pmtOf(H264)]);
    const first = watch.preamble();
    expect([...first]).toEqual([...PAT, ...pmtOf(H264)]);
    look(watch, [pmtOf(H265)]);
    expect([...watch.preamble()]).toEqual([...PAT, ...pmtOf(H265)]);
    expect([...first]).toEqual([...PAT, ...pmtOf(H264)]);
  });

  test("finds tables and picture of one payload, and answers the first picture", () => {
    const watch = new RandomAccessWatch();
    expect(look(watch, [PAT, pmtOf(H264), video(idr), video(idr)])).toEqual([2 * TS]);
  });

  test("reads on behind the first picture", () => {
    const watch = new RandomAccessWatch();
    expect(look(watch, [PAT, pmtOf(H264), video(idr), pmtOf(MPEG2)], [video(idr)])).toEqual([2 * TS, -1]);
  });

  test("finds nothing before PAT and PMT, nor in other PIDs", () => {
    const watch = new RandomAccessWatch();
    expect(look(watch, [video(idr, 0x40)], [pmtOf(H264)], [video(idr)])).toEqual([-1, -1, -1]);
    expect(look(watch, [PAT, pmtOf(H264)], [packet(0x102, idr, true, 0x40)])).toEqual([-1, -1]);
  });

  test("finds nothing in radio", () => {
    const watch = new RandomAccessWatch();
    look(watch, [PAT, pmt(PMT_PID, [[AAC, VIDEO_PID]])]);
    expect(look(watch, [video(idr, 0x40)], [packet(0x1fff, idr, true, 0x40)])).toEqual([-1, -1]);
  });

  test("forgets the video when the PAT names another PMT", () => {
    const watch = new RandomAccessWatch();
    look(watch, [PAT, pmtOf(H264)]);
    expect(look(watch, [PAT], [video(idr)])).toEqual([-1, 0]);
    expect(look(watch, [pat(0x200)], [video(idr)])).toEqual([-1, -1]);
    expect(watch.preamble()).toHaveLength(0);
    expect(look(watch, [pmt(0x200, [[H264, VIDEO_PID]])], [video(idr)])).toEqual([-1, 0]);
  });

  test("stops where the sync byte is missing, and at a last packet that is cut", () => {
    const watch = new RandomAccessWatch();
    look(watch, [PAT, pmtOf(H264)]);
    const unsynced = Uint8Array.from(filler);
    unsynced[0] = 0x46;
    expect(look(watch, [unsynced, video(idr)], [filler, video(idr).subarray(0, 187)])).toEqual([-1, -1]);
    expect(look(watch, [filler, video(idr), unsynced])).toEqual([TS]);
  });

  test("finds each key frame of the test stream", () => {
    const watch = new RandomAccessWatch();
    const found = Array.from({ length: 40 }, (_, i) => look(watch, [tsPacket({ streamId: 1, interval: 10 }, i)])[0]);
    expect(found).toEqual(Array.from({ length: 40 }, (_, i) => (i % 10 === 2 ? 0 : -1)));
  });

  test("finds the video of a PMT over three packets, and keeps all of these, without what lies between", () => {
    const watch = new RandomAccessWatch();
    const packets = sectionPackets(PMT_PID, longPmtSection, { counter: 14 });
    expect(packets).toHaveLength(3);
    const [first, second, third] = packets as [Uint8Array, Uint8Array, Uint8Array];
    expect(look(watch, [PAT, first, filler], [second, second, video(idr)], [filler, third], [video(idr)])).toEqual([
      -1, -1, -1, 0,
    ]);
    expect([...watch.preamble()]).toEqual([PAT, ...packets].flatMap((bytes) => [...bytes]));
  });

  test("keeps all packets of a long PAT", () => {
    const watch = new RandomAccessWatch();
    const programmes = Array.from({ length: 100 }, (_, i) => [i + 1, PMT_PID + i] as const);
    const packets = sectionPackets(0, patSection(programmes));
    expect(packets).toHaveLength(3);
    expect(look(watch, packets, [pmtOf(H264), video(idr)])).toEqual([-1, TS]);
    expect([...watch.preamble()]).toEqual([...packets, pmtOf(H264)].flatMap((bytes) => [...bytes]));
  });

  test("has no use for a table that lost a packet", () => {
    const watch = new RandomAccessWatch();
    const [first, , third] = sectionPackets(PMT_PID, longPmtSection);
    expect(look(watch, [PAT, first!, third!], [video(idr)])).toEqual([-1, -1]);
    expect(watch.preamble()).toHaveLength(0);
  });

  test("reads the map of its own programme where several have one PID", () => {
    const watch = new RandomAccessWatch();
    const other = pmtSection([{ type: H264, pid: 0x300 }], { programme: 2 });
    const own = pmtSection([{ type: H264, pid: VIDEO_PID }]);
    const packets = sectionPackets(PMT_PID, [...other, ...own, ...other]);
    expect(look(watch, [PAT, ...packets], [video(idr)])).toEqual([-1, 0]);
    expect([...watch.preamble()]).toEqual([PAT, ...packets].flatMap((bytes) => [...bytes]));
  });

  test("tells when the picture is due", () => {
    const watch = new RandomAccessWatch();
    // 33 bits that are all set but the last, with their marker bits.
    const timed = [0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, 0x2f, 0xff, 0xff, 0xff, 0xfd, 0, 0, 1, 0x65, 0x88];
    look(watch, [PAT, pmtOf(H264)]);
    expect(look(watch, [filler, video(timed), video(idr)])).toEqual([TS]);
    expect(watch.pts).toBe(2 ** 33 - 2);
    expect(look(watch, [video(idr), video(timed)])).toEqual([0]);
    expect(watch.pts).toBeUndefined();
  });

  test("random bytes never throw, and what is found is a place in the payload", () => {
    const part = fc.oneof(
      fc.uint8Array({ minLength: TS, maxLength: TS }).map((bytes) => {
        bytes.set([0x47, 0x40, bytes[2]! & 1], 0);
        return bytes;
      }),
      fc.constantFrom(PAT, pmtOf(H264), video(idr), filler, ...sectionPackets(PMT_PID, longPmtSection)),
      fc.uint8Array({ maxLength: TS }),
    );
    fc.assert(
      fc.property(fc.array(fc.array(part, { maxLength: 7 }), { maxLength: 6 }), (payloads) => {
        const watch = new RandomAccessWatch();
        look(watch, ...payloads).forEach((within, i) => {
          const length = payloads[i]!.reduce((sum, p) => sum + p.length, 0);
          if (within !== -1) expect([within % TS, within >= 0 && within + TS <= length]).toEqual([0, true]);
          expect([0, 2 * TS, 4 * TS]).toContain(watch.preamble().length);
        });
      }),
    );
  });
});
