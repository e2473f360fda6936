/** What the system's own media controls show and do (status.md section 15). */

import { togglePictureInPicture } from "./picture-in-picture.ts";
import type { Player } from "./player.ts";
import { hasCatchup } from "./playlist.ts";

const SEEK_S = 5;
const RENEW_MS = 1000;

/** TypeScript does not know the action that browsers offer for picture in picture. */
type Action = MediaSessionAction | "enterpictureinpicture";
type Handlers = Partial<Record<Action, (details: MediaSessionActionDetails) => void>>;

/** From now on, for as long as the page lives. */
export function joinMediaSession(player: Player): void {
  if (!("mediaSession" in navigator)) return;
  const { mediaSession } = navigator;
  const { session } = player;
  const seekBy = (seconds: number) => session.seek(session.positionMs() + seconds * 1000);
  const handlers: Handlers = {
    play: () => void session.play(),
    pause: () => session.togglePlay(),
    previoustrack: () => player.step(-1),
    nexttrack: () => player.step(1),
    enterpictureinpicture: () => void togglePictureInPicture(session.seenVideo, player.view.value.pipMode),
  };
  const seekHandlers: Handlers = {
    seekbackward: () => seekBy(-SEEK_S),
    seekforward: () => seekBy(SEEK_S),
    seekto: ({ seekTime }) => {
      const programme = player.currentProgramme();
      if (programme && seekTime !== undefined) session.seek(programme.startMs + seekTime * 1000);
    },
  };
  setHandlers(mediaSession, handlers);
  let shown = "";
  const show = () => {
    const { channel, phase } = session.store.value;
    if (!channel) return;
    const title = player.currentProgramme()?.title ?? "";
    const key = `${channel.number} ${title}`;
    if (key !== shown) {
      shown = key;
      mediaSession.metadata = new MediaMetadata({
        title: title || channel.name,
        artist: title ? channel.name : channel.groups.join(", "),
        artwork: channel.logo ? [{ src: new URL(channel.logo, location.href).href }] : [],
      });
      const canSeek = hasCatchup(channel);
      setHandlers(mediaSession, canSeek ? seekHandlers : mapToNothing(seekHandlers));
      document.title = title ? `${channel.name} · ${title}` : channel.name;
    }
    mediaSession.playbackState = phase === "playing" || phase === "loading" ? "playing" : "paused";
    showPosition(player);
  };
  session.store.watch(show);
  setInterval(show, RENEW_MS);
}

function mapToNothing<T extends object>(handlers: T): { readonly [K in keyof T]: null } {
  return Object.fromEntries(Object.keys(handlers).map((action) => [action, null])) as { [K in keyof T]: null };
}

function setHandlers(
  mediaSession: MediaSession,
  handlers: Partial<Record<MediaSessionAction, MediaSessionActionHandler | null>>,
): void {
  for (const [action, handler] of Object.entries(handlers)) {
    try {
      mediaSession.setActionHandler(action as MediaSessionAction, handler);
    } catch {
      // A browser that does not know the action.
    }
  }
}

function showPosition(player: Player): void {
  const { channel } = player.session.store.value;
  const programme = player.currentProgramme();
  if (!channel || !programme || !hasCatchup(channel)) {
    navigator.mediaSession.setPositionState?.();
    return;
  }
  const duration = (programme.endMs - programme.startMs) / 1000;
  const position = Math.min(duration, Math.max(0, (player.session.positionMs() - programme.startMs) / 1000));
  navigator.mediaSession.setPositionState?.({ duration, position, playbackRate: 1 });
}
