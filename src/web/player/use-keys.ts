/** Keys work wherever the focus is, and in the window of picture in picture (status.md section 12). */
import { useEffect } from "preact/hooks";
import { usePlayer } from "./context.ts";
import { toggleFullScreen } from "./full-screen.ts";
import { type KeyAction, keyAction } from "./keys.ts";
import { stageWindows } from "./picture-in-picture.ts";
import type { Player } from "./player.ts";
import { hasCatchup } from "./playlist.ts";

export function useKeys(): void {
  const player = usePlayer();
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => pressed(player, event);
    const onOpen = (event: Event) => (event as CustomEvent<Window>).detail.addEventListener("keydown", onKey);
    addEventListener("keydown", onKey);
    stageWindows.addEventListener("open", onOpen);
    return () => {
      removeEventListener("keydown", onKey);
      stageWindows.removeEventListener("open", onOpen);
    };
  }, [player]);
}

function pressed(player: Player, event: KeyboardEvent): void {
  const action = keyAction(event);
  const target = event.target instanceof Element ? event.target : undefined;
  if (player.session.store.value.phase === "blocked") void player.session.play();
  if (!action) return;
  if (target?.matches("input, select, textarea")) {
    if (action.do === "escape") (target as HTMLElement).blur();
    return;
  }
  // A button or slider with the focus keeps what it does by itself.
  const isOnWidget = target?.matches("button, a, [role=slider]") === true;
  if (isOnWidget && action.do === "escape") {
    (target as HTMLElement).blur();
    return;
  }
  if (isOnWidget && player.view.value.entry === "" && (action.do === "enter" || action.do === "toggle-play")) return;
  event.preventDefault();
  player.showControls();
  act(player, action);
}

function act(player: Player, action: KeyAction): void {
  const { session, view } = player;
  switch (action.do) {
    case "digit":
      player.typeDigit(action.digit);
      return;
    case "step":
      player.step(action.by);
      return;
    case "seek": {
      const { channel } = session.store.value;
      if (channel && hasCatchup(channel)) session.seek(session.positionMs() + action.byS * 1000);
      return;
    }
    case "enter":
      view.value.entry === "" ? player.toggleSidebar() : player.commitEntry();
      return;
    case "escape":
      if (view.value.entry !== "") {
        player.cancelEntry();
        return;
      }
      view.set({ areControlsVisible: !view.value.areControlsVisible });
      return;
    case "toggle-play":
      session.togglePlay();
      return;
    case "mute":
      session.sound.toggleMuted();
      return;
    case "full-screen":
      return void toggleFullScreen(session.seenVideo);
    case "sidebar":
      player.toggleSidebar();
      return;
  }
}
