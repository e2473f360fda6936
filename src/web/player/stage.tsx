/** The picture with everything that lies over it. */
import { useEffect, useRef, useState } from "preact/hooks";
import { usePlayer, useTexts, useTimeFormat } from "./context.ts";
import { Controls } from "./controls.tsx";
import { FailurePanel, SilentNotice } from "./failure-panel.tsx";
import { Icon } from "./icons.tsx";
import { Logo } from "./logo.tsx";
import { leavePictureInPicture } from "./picture-in-picture.ts";
import { useClock, useStore } from "./store.ts";
import { useTouch } from "./use-touch.ts";

/** What loads faster needs no sign of it. */
const SPINNER_AFTER_MS = 500;
const RENEW_MS = 1000;

export function Stage() {
  const player = usePlayer();
  const { session, view } = player;
  const { phase } = useStore(session.store);
  const { areControlsVisible, entry, hint } = useStore(view);
  const surface = useRef<HTMLDivElement>(null);
  useEffect(() => surface.current?.prepend(...session.videos), [session]);
  const touch = useTouch();
  const isIdle = !areControlsVisible && phase === "playing";
  return (
    <div class="stage-home">
      <section
        class={isIdle ? "stage idle" : "stage"}
        onPointerMove={(event) => event.pointerType === "mouse" && player.showControls()}
        onPointerLeave={(event) => event.pointerType === "mouse" && player.hideControls()}
        onFocusIn={() => player.showControls()}
      >
        <div class="surface" ref={surface} {...touch} />
        <div class="top">
          <Status />
          <ChannelCard />
        </div>
        {phase === "failed" && <FailurePanel />}
        {phase === "blocked" && <StartOverlay />}
        {entry !== "" && <div class="number-entry num">{entry}</div>}
        {hint !== "" && <div class="hint">{hint}</div>}
        <SilentNotice />
        <Controls />
      </section>
      <Elsewhere />
    </div>
  );
}

/** In the stage's place while it is in the window of picture in picture; else covered by it. */
function Elsewhere() {
  const t = useTexts();
  return (
    <div class="elsewhere">
      <p>{t("elsewhere")}</p>
      <button type="button" class="button" onClick={() => void leavePictureInPicture()}>
        {t("bringBack")}
      </button>
    </div>
  );
}

/** The time of day, and what is being waited for. */
function Status() {
  const { session } = usePlayer();
  const t = useTexts();
  const time = useTimeFormat();
  const now = useClock(RENEW_MS);
  const { phase, channel, sourceIndex, retries } = useStore(session.store);
  const isSlow = useDelayed(phase === "loading", SPINNER_AFTER_MS);
  const source = channel?.sources[sourceIndex];
  const words = [
    channel && channel.sources.length > 1 ? source?.label || t("sourceNumber", sourceIndex + 1) : "",
    retries > 0 ? t("retry", retries) : "",
  ];
  return (
    <div class="status">
      <span class="clock num">{time(now)}</span>
      {isSlow && (
        <span class="waiting" role="status">
          <span class="spinner" />
          {words.filter(Boolean).join(" · ")}
        </span>
      )}
    </div>
  );
}

function useDelayed(isOn: boolean, delayMs: number): boolean {
  const [isShown, setShown] = useState(false);
  useEffect(() => {
    if (!isOn) return setShown(false);
    const timer = setTimeout(() => setShown(true), delayMs);
    return () => clearTimeout(timer);
  }, [isOn, delayMs]);
  return isOn && isShown;
}

function ChannelCard() {
  const player = usePlayer();
  const { channel } = useStore(player.session.store);
  useStore(player.library.store);
  useClock(RENEW_MS);
  if (!channel) return null;
  return (
    <div class="card">
      <div class="words">
        <span class="name">
          <span class="num dim">{channel.number}</span> {channel.name}
        </span>
        <span class="dim">{player.currentProgramme()?.title || channel.groups.join(" · ")}</span>
      </div>
      <Logo channel={channel} />
    </div>
  );
}

/** Browsers start sound only when somebody has touched the page. */
function StartOverlay() {
  const { session } = usePlayer();
  const t = useTexts();
  return (
    <button type="button" class="start" onClick={() => void session.play()}>
      <span class="start-mark">
        <Icon name="play" />
      </span>
      {t("clickToPlay")}
    </button>
  );
}
