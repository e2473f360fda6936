/** Fingers and mouse on the picture: taps, double taps and drags (status.md section 12). */
import { useMemo } from "preact/hooks";
import { usePlayer, useTexts, useTimeFormat } from "./context.ts";
import { toggleFullScreen } from "./full-screen.ts";
import { DOUBLE_TAP_MS, DOUBLE_TAP_PX, type Gesture, TouchDrag } from "./gesture.ts";
import { canSetVolume } from "./platform.ts";
import { hasCatchup } from "./playlist.ts";

/** Event handlers of the surface. */
export function useTouch() {
  const player = usePlayer();
  const t = useTexts();
  const time = useTimeFormat();
  return useMemo(() => {
    const { session, view } = player;
    let drag: TouchDrag | undefined;
    let volumeAtStart = 0;
    let lastTap = { ms: Number.NEGATIVE_INFINITY, x: 0, y: 0 };

    const hintOf = (gesture: Gesture): string => {
      if (gesture.kind === "channel") {
        const target = gesture.by === 0 ? undefined : player.neighbour(gesture.by);
        return target ? `${target.number} ${target.name}` : t(gesture.by < 0 ? "previous" : "next");
      }
      if (gesture.kind === "volume") return `${t("volume")} ${Math.round(session.sound.store.value.volume * 100)} %`;
      return gesture.kind === "seek" ? time(session.positionMs() + gesture.byS * 1000) : "";
    };
    const tap = (event: PointerEvent) => {
      const isNear = Math.hypot(event.clientX - lastTap.x, event.clientY - lastTap.y) < DOUBLE_TAP_PX;
      const isDouble = isNear && event.timeStamp - lastTap.ms < DOUBLE_TAP_MS;
      lastTap = { ms: isDouble ? Number.NEGATIVE_INFINITY : event.timeStamp, x: event.clientX, y: event.clientY };
      if (event.pointerType === "mouse") return isDouble ? void toggleFullScreen(session.seenVideo) : undefined;
      if (isDouble) return session.togglePlay();
      if (view.value.areControlsVisible) player.hideControls();
      else player.showControls();
    };
    return {
      onPointerDown: (event: PointerEvent & { readonly currentTarget: HTMLElement }) => {
        if (!event.isPrimary) return;
        const { clientWidth: width, clientHeight: height } = event.currentTarget;
        const { channel } = session.store.value;
        const { left, top } = event.currentTarget.getBoundingClientRect();
        const area = {
          width,
          height,
          canSeek: channel !== undefined && hasCatchup(channel),
          canSetVolume: canSetVolume(session.seenVideo),
        };
        drag = new TouchDrag(area, event.clientX - left, event.clientY - top);
        volumeAtStart = session.sound.store.value.volume;
        if (event.pointerType !== "mouse") event.currentTarget.setPointerCapture(event.pointerId);
      },
      onPointerMove: (event: PointerEvent & { readonly currentTarget: HTMLElement }) => {
        if (!drag || event.pointerType === "mouse") return;
        const { left, top } = event.currentTarget.getBoundingClientRect();
        const gesture = drag.at(event.clientX - left, event.clientY - top);
        if (gesture.kind === "volume") session.sound.setVolume(volumeAtStart + gesture.by);
        view.set({ hint: hintOf(gesture) });
      },
      onPointerUp: (event: PointerEvent & { readonly currentTarget: HTMLElement }) => {
        if (!drag) return;
        const { left, top } = event.currentTarget.getBoundingClientRect();
        const gesture = drag.at(event.clientX - left, event.clientY - top);
        drag = undefined;
        view.set({ hint: "" });
        if (gesture.kind === "tap") tap(event);
        else if (event.pointerType === "mouse") return;
        else if (gesture.kind === "channel" && gesture.by !== 0) player.step(gesture.by);
        else if (gesture.kind === "seek") session.seek(session.positionMs() + gesture.byS * 1000);
      },
      onPointerCancel: () => {
        drag = undefined;
        view.set({ hint: "" });
      },
    };
  }, [player, t, time]);
}
