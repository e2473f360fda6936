import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { MULTICAST_CHANNELS } from "../../src/demo/channels.ts";
import { TsProbe } from "../../src/web/player/ts-probe.ts";
import { chooseTracks, TsRetyper } from "../../src/web/player/ts-tracks.ts";
import { TS_PACKET_BYTES } from "../../src/wire/mpegts/packet.ts";
import { patSection, pmtSection, sectionPackets } from "../fakes/psi.ts";

const PMT_PID = 0x100;

/** A packet, filled with 0xff. */
function packet(pid: number, payload: readonly number[]): number[] {
  const bytes = [0x47, 0x40 | (pid >> 8), pid & 0xff, 0x10, ...payload];
  return [...bytes, ...Array(TS_PACKET_BYTES - bytes.length).fill(0xff)];
}

const pat = sectionPackets(
  0,
  patSection([
    [0, 0x10],
    [1, PMT_PID],
  ]),
).flatMap((bytes) => [...bytes]);

/** One or more packets. */
function pmt(streams: readonly (readonly [type: number, pid: number, descriptors?: readonly number[]])[]): number[] {
  const section = pmtSection(streams.map(([type, pid, descriptors = []]) => ({ type, pid, descriptors })));
  return sectionPackets(PMT_PID, section).flatMap((bytes) => [...bytes]);
}

const filler = packet(0x1fff, []);
const pes = (pid: number, data: readonly number[]) => packet(pid, [0, 0, 1, 0xc0, 0, 0, 0x80, 0, 0, ...data]);

function probe(bytes: readonly number[]): ReturnType<TsProbe["push"]> {
  return new TsProbe().push(Uint8Array.from([...bytes, ...filler, ...filler]));
}

function codecs(streams: Parameters<typeof pmt>[0], more: readonly number[] = []): unknown {
  const found = probe([...pat, ...pmt(streams), ...more]);
  return typeof found === "object" ? found.tracks.map(({ codec }) => codec) : found;
}

describe("TsProbe", () => {
  test("knows the demonstration clips", async () => {
    const found = new TsProbe().push((await Bun.file(MULTICAST_CHANNELS[0]!.clip).bytes()).subarray(0, 20_000));
    expect(found).toMatchObject({ tracks: [{ codec: "H.264" }, { codec: "AAC" }] });
  });

  test("stream types, descriptors and registrations", () => {
    expect(
      codecs([
        [0x24, 0x101],
        [0x81, 0x102],
        [0x87, 0x103],
        [0x11, 0x104],
      ]),
    ).toEqual(["H.265", "AC-3", "E-AC-3", "AAC LATM"]);
    const registered = (text: string) => [0x05, 4, ...Buffer.from(text)];
    expect(
      codecs([
        [0x02, 0x101],
        [0x06, 0x102, [0x0a, 4, 0, 0, 0, 0, 0x6a, 1, 0]],
        [0x06, 0x103, [0x7a, 0]],
        [0x06, 0x104, registered("AC-3")],
        [0x06, 0x105, registered("HEVC")],
        [0x06, 0x106, [0x56, 0]],
        [0x05, 0x107],
      ]),
    ).toEqual(["MPEG-2", "AC-3", "E-AC-3", "AC-3", "H.265"]);
  });

  test("a PMT over several packets", () => {
    const long = [0x0a, 60, ...Array(60).fill(1)];
    expect(
      codecs([
        [0x1b, 0x101, long],
        [0x0f, 0x102, long],
        [0x06, 0x103, [...long, 0x6a, 0]],
      ]),
    ).toEqual(["H.264", "AAC", "AC-3"]);
  });

  test("the layer of MPEG audio is in its frames", () => {
    const streams = [
      [0x1b, 0x101],
      [0x03, 0x102],
    ] as const;
    expect(codecs(streams)).toBeUndefined();
    expect(codecs(streams, pes(0x102, [0xff, 0xfd, 0x94]))).toEqual(["H.264", "MP2"]);
    expect(codecs(streams, pes(0x102, [0xff, 0xfb, 0x94]))).toEqual(["H.264", "MP3"]);
    // After a while it is taken for what television uses.
    expect(codecs(streams, Array(700).fill(filler).flat())).toEqual(["H.264", "MP2"]);
  });

  test("any cut finds the same, and what was pushed is there", () => {
    const bytes = Uint8Array.from([
      ...filler.slice(50),
      ...filler,
      ...pat,
      ...filler,
      ...pmt([
        [0x1b, 0x101],
        [0x0f, 0x102],
      ]),
      ...filler,
    ]);
    const whole = new TsProbe().push(bytes);
    expect(whole).toMatchObject({ pmtPid: PMT_PID });
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 20 }), (cuts) => {
        const cut = new TsProbe();
        let at = 0;
        let found: ReturnType<TsProbe["push"]>;
        for (const length of [...cuts, bytes.length]) {
          found = cut.push(bytes.subarray(at, at + length));
          at += length;
          if (found) break;
        }
        expect(found).toEqual(whole!);
        expect(cut.bytes).toEqual(bytes.slice(0, at));
      }),
    );
  });

  test("what is no MPEG-TS is said, and nothing throws", () => {
    expect(new TsProbe().push(new TextEncoder().encode("<html>".repeat(500)))).toBe("not-ts");
    expect(new TsProbe().push(new Uint8Array(10))).toBeUndefined();
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 187, maxLength: 187 }), { minLength: 3, maxLength: 12 }),
        (packets) => {
          const bytes = packets.flatMap((rest, i) => [0x47, i % 2 === 0 ? 0x40 : 0x41, 0, 0x10, ...rest.slice(3)]);
          probe([...pat, ...bytes]);
          probe(bytes);
        },
      ),
    );
  });
});

describe("chooseTracks", () => {
  const choose = (streams: Parameters<typeof pmt>[0], supported: readonly string[]) => {
    const found = probe([...pat, ...pmt(streams)]);
    if (typeof found !== "object") throw new Error("nothing found");
    return chooseTracks(found, (type) => supported.some((codec) => type.includes(codec)));
  };
  const CHROMIUM = ["avc1", "mp4a"];

  test("what plays is chosen, what does not is hidden or told", () => {
    expect(
      choose(
        [
          [0x1b, 0x101],
          [0x0f, 0x102],
        ],
        CHROMIUM,
      ),
    ).toEqual({
      video: "H.264",
      audio: "AAC",
      unplayableVideo: undefined,
      unplayableAudio: undefined,
      retyped: new Map(),
    });
    expect(
      choose(
        [
          [0x24, 0x101],
          [0x0f, 0x102],
        ],
        CHROMIUM,
      ),
    ).toMatchObject({ unplayableVideo: "H.265", audio: "AAC" });
    expect(
      choose(
        [
          [0x1b, 0x101],
          [0x81, 0x102],
        ],
        CHROMIUM,
      ),
    ).toMatchObject({
      unplayableAudio: "AC-3",
      retyped: new Map([[0x102, 0xff]]),
    });
    expect(
      choose(
        [
          [0x1b, 0x101],
          [0x81, 0x102],
          [0x0f, 0x103],
        ],
        CHROMIUM,
      ),
    ).toMatchObject({
      audio: "AAC",
      unplayableAudio: undefined,
      retyped: new Map([[0x102, 0xff]]),
    });
    expect(
      choose(
        [
          [0x1b, 0x101],
          [0x06, 0x102, [0x6a, 0]],
        ],
        ["avc1", "ac-3"],
      ),
    ).toMatchObject({
      audio: "AC-3",
      retyped: new Map([[0x102, 0x81]]),
    });
  });

  test("TsRetyper changes the types and nothing else, however the stream is cut", () => {
    const bytes = Uint8Array.from([
      ...pat,
      ...filler,
      ...pmt([
        [0x1b, 0x101],
        [0x81, 0x102],
        [0x0f, 0x103],
      ]),
      ...filler,
      ...pat,
    ]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 10 }), (cuts) => {
        const retyper = new TsRetyper(PMT_PID, new Map([[0x102, 0xff]]));
        const out: number[] = [];
        let at = 0;
        for (const length of [...cuts, bytes.length]) {
          out.push(...retyper.push(bytes.subarray(at, at + length)));
          at += length;
        }
        const result = Uint8Array.from(out);
        // Behind two packets: header, pointer, head of the section, then an entry and its type.
        const typeAt = 2 * TS_PACKET_BYTES + 4 + 1 + 12 + 5;
        expect(result).toEqual(bytes.with(typeAt, 0xff));
      }),
    );
  });
});
