/** Full screen: the browser's, the phone's own video player, or a picture that fills the page (status.md section 15). */
import { leavePictureInPicture } from "./picture-in-picture.ts";

const SIMULATED = "full";

interface AppleVideo extends HTMLVideoElement {
  webkitEnterFullscreen?: () => void;
}

export function isFullScreen(): boolean {
  return document.fullscreenElement !== null || document.documentElement.classList.contains(SIMULATED);
}

/** Whoever shows it listens to `fullscreenchange` of the document. */
export async function toggleFullScreen(video: AppleVideo): Promise<void> {
  const { documentElement } = document;
  if (isFullScreen()) {
    documentElement.classList.remove(SIMULATED);
    if (document.fullscreenElement) await document.exitFullscreen();
    else document.dispatchEvent(new Event("fullscreenchange"));
    return;
  }
  if (!documentElement.requestFullscreen && video.webkitEnterFullscreen) return video.webkitEnterFullscreen();
  await leavePictureInPicture();
  try {
    await documentElement.requestFullscreen();
    await lockLandscape();
  } catch {
    documentElement.classList.add(SIMULATED);
    document.dispatchEvent(new Event("fullscreenchange"));
  }
}

/** Only phones can, and not all of them. */
async function lockLandscape(): Promise<void> {
  const orientation = screen.orientation as ScreenOrientation & { lock?: (to: "landscape") => Promise<void> };
  await orientation.lock?.("landscape").catch(() => undefined);
}
