/** Picture in picture: the stage with its controls in a window of its own, or the bare video (status.md section 15). */
import type { PipMode } from "./settings.ts";

const MIN_WIDTH_PX = 320;
const MAX_WIDTH_PX = 640;
const ASPECT = 16 / 9;

interface DocumentPip extends EventTarget {
  readonly window: Window | null;
  requestWindow(options: { width: number; height: number }): Promise<Window>;
}

/** Impossible within a frame of another page. */
function documentPip(): DocumentPip | undefined {
  return window.top === window
    ? (window as { documentPictureInPicture?: DocumentPip }).documentPictureInPicture
    : undefined;
}

export function canPictureInPicture(): boolean {
  return documentPip() !== undefined || document.pictureInPictureEnabled === true;
}

export function isInPictureInPicture(): boolean {
  return Boolean(document.pictureInPictureElement ?? documentPip()?.window);
}

/** Harmless when it is not in use. */
export async function leavePictureInPicture(): Promise<void> {
  documentPip()?.window?.close();
  if (document.pictureInPictureElement) await document.exitPictureInPicture();
}

export async function togglePictureInPicture(video: HTMLVideoElement, mode: PipMode): Promise<void> {
  if (isInPictureInPicture()) return leavePictureInPicture();
  const pip = documentPip();
  try {
    if (mode === "document" && pip) await moveStage(pip);
    else await video.requestPictureInPicture();
  } catch {
    // The viewer or the browser refused: the picture stays where it is.
  }
}

/** The window that the stage is in; keys are listened to there too. */
export const stageWindows = new EventTarget();

async function moveStage(pip: DocumentPip): Promise<void> {
  const stage = document.querySelector(".stage");
  const home = stage?.parentElement;
  if (!stage || !home) return;
  const width = Math.min(MAX_WIDTH_PX, Math.max(MIN_WIDTH_PX, Math.round(stage.clientWidth / 2)));
  const opened = await pip.requestWindow({ width, height: Math.round(width / ASPECT) });
  const { documentElement, head, body } = opened.document;
  for (const sheet of document.querySelectorAll("link[rel=stylesheet]")) head.append(sheet.cloneNode());
  Object.assign(documentElement.dataset, document.documentElement.dataset);
  documentElement.lang = document.documentElement.lang;
  body.classList.add("pip");
  body.append(stage);
  stageWindows.dispatchEvent(new CustomEvent("open", { detail: opened }));
  opened.addEventListener("pagehide", () => home.prepend(stage), { once: true });
}
