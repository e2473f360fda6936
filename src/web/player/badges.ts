/** Short marks that say what the picture and the sound are (status.md section 14). */
import type { MediaDetails } from "./backend.ts";

const UHD_WIDTH = 3840;
const UHD_HEIGHT = 2160;
const BITS_PER_MEGABIT = 1_000_000;
const CHANNEL_NAMES: Readonly<Record<number, string>> = { 1: "Mono", 2: "Stereo", 6: "5.1", 8: "7.1" };

/** @param width of the picture in pixels, 0 as long as there is none; likewise `height` */
export function mediaBadges(details: MediaDetails, width: number, height: number): string[] {
  const { framesPerSecond, video, audio, audioChannels, bitsPerSecond } = details;
  return [
    height > 0 ? resolution(width, height) : "",
    framesPerSecond ? `${Math.round(framesPerSecond * 100) / 100} fps` : "",
    video ?? "",
    audio ?? "",
    audioChannels ? (CHANNEL_NAMES[audioChannels] ?? `${audioChannels} ch`) : "",
    bitsPerSecond ? `${(bitsPerSecond / BITS_PER_MEGABIT).toFixed(1)} Mbit/s` : "",
  ].filter(Boolean);
}

function resolution(width: number, height: number): string {
  return width >= UHD_WIDTH || height >= UHD_HEIGHT ? "4K" : `${height}p`;
}
