/** Headers of streams and descriptions of services, as damaged as they may come; that sound ones are read right, `test/e2e/stream-formats.test.ts` shows. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import { audioFormat } from "../../../src/wire/mpegts/audio-format.ts";
import type { Codec } from "../../../src/wire/mpegts/codec.ts";
import { parseSdt } from "../../../src/wire/mpegts/services.ts";
import { videoFormat } from "../../../src/wire/mpegts/video-headers.ts";
import { sdtSection } from "../../fakes/ts-mux.ts";

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");

/** 720x576, 25 pictures a second, of a sequence that is not progressive; then a group of pictures. */
const MPEG2_HEADER = hex("000001b3 2d0240 23 03d0 2380 000001b5 148200010000 000001b8");
const VIDEO_CODECS: readonly Codec[] = ["MPEG-1", "MPEG-2", "H.264", "H.265", "AVS"];
const AUDIO_CODECS: readonly Codec[] = ["MP2", "MP3", "AAC", "AAC LATM", "AC-3", "E-AC-3", "DTS"];
const STARTS = [
  hex("00000167"),
  hex("0000014001"),
  hex("0000014201"),
  hex("000001b3"),
  hex("0b77"),
  hex("fff1"),
  hex("56e0"),
];

test("the sequence header of MPEG-2, whole and cut short", () => {
  const header = MPEG2_HEADER;
  expect(videoFormat("MPEG-2", header)).toMatchObject({ width: 720, height: 576, frameRate: 25, isInterlaced: true });
  for (let length = 0; length < header.length - 4; length++) {
    expect(videoFormat("MPEG-2", header.subarray(0, length))).toBeUndefined();
  }
});

test("any bytes behind any start are a format that may be, or none", () => {
  const bytes = fc.tuple(fc.constantFrom(...STARTS), fc.uint8Array({ maxLength: 200 }));
  fc.assert(
    fc.property(bytes, ([start, rest]) => {
      const all = Buffer.concat([start, rest]);
      for (const codec of VIDEO_CODECS) {
        const format = videoFormat(codec, all);
        if (!format) continue;
        expect(format.width).toBeWithin(1, 16_385);
        expect(format.height).toBeWithin(1, 16_385);
        expect(format.frameRate ?? 25).toBeLessThanOrEqual(400);
      }
      for (const codec of AUDIO_CODECS) {
        const format = audioFormat(codec, all);
        if (format) expect(format.channels).toBeWithin(0, 9);
      }
    }),
    { numRuns: 2000 },
  );
});

test("a service description that is cut short gives what it can", () => {
  const section = Uint8Array.from(sdtSection([1, 3, 0x41, 0x52, 0x44, 2, 0x44, 0x45]));
  expect(parseSdt(section)).toEqual([{ number: 1, name: "DE", provider: "ARD" }]);
  for (let length = 0; length < section.length; length++) {
    for (const { name, provider } of parseSdt(section.subarray(0, length)) ?? []) {
      expect("DE".startsWith(name)).toBe(true);
      expect("ARD".startsWith(provider)).toBe(true);
    }
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => void parseSdt(Buffer.concat([hex("42f0"), bytes]))),
  );
});
