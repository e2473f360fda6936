/** What kind of device the page runs on (status.md sections 14 and 17). */

/** LG's television sets play an URL best by themselves. */
export function isWebOs(userAgent = navigator.userAgent): boolean {
  return /Web0S|webOS/i.test(userAgent);
}

function isTelevision(userAgent: string): boolean {
  return /Web0S|webOS|SmartTV|SMART-TV|Tizen|\bTV\b|HbbTV|BRAVIA|AFT[A-Z]|CrKey/i.test(userAgent);
}

/** @returns whether blur and shadows would cost pictures */
export function isConstrained(): boolean {
  const { userAgent, hardwareConcurrency } = navigator;
  const { deviceMemory = Number.POSITIVE_INFINITY } = navigator as { readonly deviceMemory?: number };
  if (isTelevision(userAgent)) return true;
  return /Android/i.test(userAgent) && (deviceMemory <= 4 || hardwareConcurrency <= 4);
}

/** A mouse, and power for two decoders at a time. */
export function isDesktop(): boolean {
  return !isTelevision(navigator.userAgent) && matchMedia("(hover: hover) and (pointer: fine)").matches;
}

export function hasMediaSource(): boolean {
  return "MediaSource" in window || "ManagedMediaSource" in window;
}

/** iOS sets the volume by keys only: what is written is not what is read then. */
export function canSetVolume(video: HTMLVideoElement): boolean {
  const { volume } = video;
  video.volume = volume === 0.5 ? 0.4 : 0.5;
  const isSet = video.volume !== volume;
  video.volume = volume;
  return isSet;
}
