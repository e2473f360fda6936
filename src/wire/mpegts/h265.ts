/** The sequence parameter set of H.265 (ITU-T H.265 sections 7.3.2.2 and E.2.1), as far as it says what pictures look like. */
import { BitReader, withoutEmulation } from "./bit-reader.ts";
import { skipVuiBeforeTiming } from "./h264.ts";
import { nalUnits } from "./nal-units.ts";
import type { VideoFormat } from "./video-format.ts";

const VPS = 32;
const SPS = 33;
const MAX_SETS = 64;
const MAX_PICTURES = 16;

export function h265Format(bytes: Uint8Array): VideoFormat | undefined {
  let videoRate: number | undefined;
  for (const nal of nalUnits(bytes)) {
    if (nal.length < 3 || nal[0]! >= 0x80) continue;
    const type = nal[0]! >> 1;
    if (type !== VPS && type !== SPS) continue;
    const r = new BitReader(withoutEmulation(nal.subarray(2)));
    if (type === VPS) videoRate = readVpsRate(r);
    else {
      const format = readSps(r);
      return format && { ...format, frameRate: format.frameRate ?? videoRate };
    }
  }
  return undefined;
}

/** profile_tier_level (section 7.3.3): whether pictures are said to be interlaced. */
function readProfile(r: BitReader, subLayers: number): boolean {
  r.skip(8 + 32);
  const isProgressive = r.flag();
  const isInterlaced = r.flag();
  r.skip(46 + 8); // the other constraints, general_level_idc
  const present: boolean[][] = [];
  for (let i = 0; i < subLayers; i++) present.push([r.flag(), r.flag()]);
  if (subLayers > 0) for (let i = subLayers; i < 8; i++) r.skip(2);
  for (const [hasProfile, hasLevel] of present) r.skip((hasProfile ? 88 : 0) + (hasLevel ? 8 : 0));
  return isInterlaced && !isProgressive;
}

function readSps(r: BitReader): VideoFormat | undefined {
  r.skip(4);
  const subLayers = r.bits(3);
  r.skip(1);
  const isInterlaced = readProfile(r, subLayers);
  r.unsigned(); // sps_seq_parameter_set_id
  const chroma = r.unsigned();
  const isSeparate = chroma === 3 && r.flag();
  const width = r.unsigned();
  const height = r.unsigned();
  const crop = r.flag() ? [r.unsigned(), r.unsigned(), r.unsigned(), r.unsigned()] : [0, 0, 0, 0];
  if (r.isBeyond) return undefined;
  const [left = 0, right = 0, top = 0, bottom = 0] = crop;
  const unitX = !isSeparate && (chroma === 1 || chroma === 2) ? 2 : 1;
  const unitY = !isSeparate && chroma === 1 ? 2 : 1;
  const vui = readVui(r, subLayers);
  const isReadable = vui !== undefined && !r.isBeyond;
  const hasFields = isReadable && vui.hasFields;
  const pictureHeight = height - (top + bottom) * unitY;
  return {
    width: width - (left + right) * unitX,
    // Where each picture is a field, a frame has two.
    height: hasFields ? pictureHeight * 2 : pictureHeight,
    frameRate: isReadable && vui.rate !== undefined ? vui.rate / (hasFields ? 2 : 1) : undefined,
    isInterlaced: isInterlaced || hasFields,
  };
}

/** Everything up to the VUI; undefined where there is none, or what stands before it cannot be read. */
function readVui(r: BitReader, subLayers: number): { hasFields: boolean; rate: number | undefined } | undefined {
  r.unsigned(); // bit depths
  r.unsigned();
  const orderBits = r.unsigned() + 4;
  const from = r.flag() ? 0 : subLayers;
  for (let i = from; i <= subLayers; i++) for (let n = 0; n < 3; n++) r.unsigned();
  for (let n = 0; n < 6; n++) r.unsigned(); // block and transform sizes and depths
  if (r.flag() && r.flag()) skipScalingLists(r);
  r.skip(2); // amp_enabled_flag, sample_adaptive_offset_enabled_flag
  if (r.flag()) {
    r.skip(8);
    r.unsigned();
    r.unsigned();
    r.skip(1);
  }
  if (!skipReferenceSets(r)) return undefined;
  if (r.flag()) {
    const pictures = Math.min(32, r.unsigned());
    r.skip(pictures * (orderBits + 1));
  }
  r.skip(2); // sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag
  if (!r.flag()) return undefined;
  skipVuiBeforeTiming(r);
  r.skip(1); // neutral_chroma_indication_flag
  const hasFields = r.flag();
  r.skip(1); // frame_field_info_present_flag
  if (r.flag()) for (let i = 0; i < 4; i++) r.unsigned();
  return { hasFields, rate: readTiming(r) };
}

/** Pictures a second: num_units_in_tick and time_scale, if they are there. */
function readTiming(r: BitReader): number | undefined {
  if (!r.flag()) return undefined;
  const unitsInTick = r.bits(32);
  const timeScale = r.bits(32);
  return unitsInTick > 0 ? timeScale / unitsInTick : undefined;
}

function skipScalingLists(r: BitReader): void {
  for (let size = 0; size < 4; size++) {
    for (let matrix = 0; matrix < 6; matrix += size === 3 ? 3 : 1) {
      if (!r.flag()) {
        r.unsigned();
        continue;
      }
      if (size > 1) r.signed();
      const count = Math.min(64, 1 << (4 + size * 2));
      for (let i = 0; i < count; i++) r.signed();
    }
  }
}

/** st_ref_pic_set (section 7.3.7): the sets may refer to each other. False when there are more than there may be. */
function skipReferenceSets(r: BitReader): boolean {
  const count = r.unsigned();
  if (count > MAX_SETS) return false;
  let pictures = 0;
  for (let i = 0; i < count && !r.isBeyond; i++) {
    if (i > 0 && r.flag()) {
      r.skip(1);
      r.unsigned();
      let used = 0;
      for (let n = 0; n <= pictures; n++) if (r.flag() || r.flag()) used++;
      pictures = used;
    } else {
      const negative = r.unsigned();
      const positive = r.unsigned();
      pictures = negative + positive;
      if (pictures > MAX_PICTURES) return false;
      for (let n = 0; n < pictures; n++) {
        r.unsigned();
        r.skip(1);
      }
    }
  }
  return true;
}

/** Of a video parameter set (section 7.3.2.1), for streams whose SPS says no rate. */
function readVpsRate(r: BitReader): number | undefined {
  r.skip(12);
  const subLayers = r.bits(3);
  r.skip(17);
  readProfile(r, subLayers);
  const from = r.flag() ? 0 : subLayers;
  for (let i = from; i <= subLayers; i++) for (let n = 0; n < 3; n++) r.unsigned();
  const layerBits = r.bits(6) + 1;
  const sets = Math.min(1023, r.unsigned());
  r.skip(sets * layerBits);
  const rate = readTiming(r);
  return r.isBeyond ? undefined : rate;
}
