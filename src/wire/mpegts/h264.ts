/** The sequence parameter set of H.264 (ITU-T H.264 sections 7.3.2.1.1 and E.1.1), as far as it says what pictures look like. */
import { BitReader, withoutEmulation } from "./bit-reader.ts";
import { nalUnits } from "./nal-units.ts";
import type { VideoFormat } from "./video-format.ts";

const SPS = 7;
/** Profiles whose sets have the fields for chroma and bit depth. */
const HIGH_PROFILES = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);
const YUV_444 = 3;
const EXTENDED_ASPECT = 255;
const MAX_CYCLE = 255;

export function h264Format(bytes: Uint8Array): VideoFormat | undefined {
  for (const nal of nalUnits(bytes)) {
    if ((nal[0]! & 0x9f) === SPS) return readSps(new BitReader(withoutEmulation(nal.subarray(1))));
  }
  return undefined;
}

function readSps(r: BitReader): VideoFormat | undefined {
  const profile = r.bits(8);
  r.skip(16); // constraint flags, level_idc
  r.unsigned(); // seq_parameter_set_id
  const chroma = HIGH_PROFILES.has(profile) ? readChroma(r) : 1;
  r.unsigned(); // log2_max_frame_num_minus4
  skipOrderCount(r);
  r.unsigned(); // max_num_ref_frames
  r.skip(1);
  const widthMbs = r.unsigned() + 1;
  const heightUnits = r.unsigned() + 1;
  const isFramesOnly = r.flag();
  const fields = isFramesOnly ? 1 : 2;
  if (!isFramesOnly) r.skip(1);
  r.skip(1); // direct_8x8_inference_flag
  const crop = r.flag() ? [r.unsigned(), r.unsigned(), r.unsigned(), r.unsigned()] : [0, 0, 0, 0];
  const [left = 0, right = 0, top = 0, bottom = 0] = crop;
  const unitX = chroma === 1 || chroma === 2 ? 2 : 1;
  const unitY = (chroma === 1 ? 2 : 1) * fields;
  if (r.isBeyond) return undefined;
  const rate = r.flag() ? readFieldRate(r) : undefined;
  return {
    width: widthMbs * 16 - (left + right) * unitX,
    height: heightUnits * 16 * fields - (top + bottom) * unitY,
    frameRate: rate !== undefined && !r.isBeyond ? rate / 2 : undefined,
    isInterlaced: !isFramesOnly,
  };
}

/** chroma_format_idc: 0 is monochrome, whose cropping unit is one pixel, as that of 4:4:4. */
function readChroma(r: BitReader): number {
  const chroma = r.unsigned();
  if (chroma === YUV_444) r.skip(1);
  r.unsigned(); // bit depths
  r.unsigned();
  r.skip(1);
  if (r.flag()) {
    const lists = chroma === YUV_444 ? 12 : 8;
    for (let i = 0; i < lists; i++) if (r.flag()) skipScalingList(r, i < 6 ? 16 : 64);
  }
  return chroma;
}

function skipScalingList(r: BitReader, size: number): void {
  let last = 8;
  let next = 8;
  for (let i = 0; i < size; i++) {
    if (next !== 0) next = (last + r.signed() + 256) & 0xff;
    if (next !== 0) last = next;
  }
}

function skipOrderCount(r: BitReader): void {
  const type = r.unsigned();
  if (type === 0) r.unsigned();
  if (type !== 1) return;
  r.skip(1);
  r.signed();
  r.signed();
  const cycle = Math.min(MAX_CYCLE, r.unsigned());
  for (let i = 0; i < cycle; i++) r.signed();
}

/** Of the VUI: ticks a second, each of which is a field. */
function readFieldRate(r: BitReader): number | undefined {
  skipVuiBeforeTiming(r);
  if (!r.flag()) return undefined;
  const unitsInTick = r.bits(32);
  const timeScale = r.bits(32);
  return unitsInTick > 0 ? timeScale / unitsInTick : undefined;
}

/** The beginning of the VUI, which H.264 and H.265 share: aspect ratio, overscan, colours, chroma. */
export function skipVuiBeforeTiming(r: BitReader): void {
  if (r.flag() && r.bits(8) === EXTENDED_ASPECT) r.skip(32);
  if (r.flag()) r.skip(1);
  if (r.flag()) {
    r.skip(4);
    if (r.flag()) r.skip(24);
  }
  if (!r.flag()) return;
  r.unsigned();
  r.unsigned();
}
