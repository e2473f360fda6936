/** The control bar at the foot of the picture (status.md section 12). */
import { mediaBadges } from "./badges.ts";
import { usePlayer, useTexts } from "./context.ts";
import { isFullScreen, toggleFullScreen } from "./full-screen.ts";

import { canPictureInPicture, togglePictureInPicture } from "./picture-in-picture.ts";
import { canSetVolume } from "./platform.ts";
import { SettingsMenu } from "./settings-menu.tsx";
import { useClock, useStore } from "./store.ts";
import { TimelineBar } from "./timeline-bar.tsx";
import { Tool } from "./tool.tsx";

const RENEW_MS = 500;

export function Controls() {
  const player = usePlayer();
  const { session, view } = player;
  const t = useTexts();
  const { phase } = useStore(session.store);
  const { isMuted, volume } = useStore(session.sound.store);
  const { isSidebarVisible, pipMode } = useStore(view);
  const isRunning = phase === "playing" || phase === "loading";
  const isFull = isFullScreen();
  return (
    <div class="controls">
      <TimelineBar />
      <div class="row">
        <Tool
          icon={isRunning ? "pause" : "play"}
          label={t(isRunning ? "pause" : "play")}
          onClick={() => session.togglePlay()}
        />
        <div class="loudness">
          <Tool
            icon={isMuted || volume === 0 ? "muted" : "volume"}
            label={t(isMuted ? "unmute" : "mute")}
            onClick={() => session.sound.toggleMuted()}
          />
          {canSetVolume(session.seenVideo) && (
            <input
              type="range"
              min={0}
              max={1}
              step={0.01}
              value={isMuted ? 0 : volume}
              aria-label={t("volume")}
              onInput={(event) => session.sound.setVolume(event.currentTarget.valueAsNumber)}
            />
          )}
        </div>
        <LiveMark />
        <PlayedTime />
        <Badges />
        <span class="space" />
        <SourceSelect />
        {canPictureInPicture() && (
          <Tool
            name="wide"
            icon="pip"
            label={t("pip")}
            onClick={() => void togglePictureInPicture(session.seenVideo, pipMode)}
          />
        )}
        <SettingsMenu />
        <Tool
          icon={isFull ? "shrink" : "expand"}
          label={t(isFull ? "leaveFullScreen" : "fullScreen")}
          onClick={() => void toggleFullScreen(session.seenVideo)}
        />
        <Tool
          name="wide"
          icon="list"
          label={t("sidebar")}
          isPressed={isSidebarVisible}
          onClick={() => player.toggleSidebar()}
        />
      </div>
    </div>
  );
}

function LiveMark() {
  const { session } = usePlayer();
  const t = useTexts();
  const { isFollowing, catchup, phase } = useStore(session.store);
  if (phase === "failed" || phase === "idle") return null;
  if (isFollowing && !catchup) return <span class="live">{t("live")}</span>;
  return (
    <button type="button" class="live away" onClick={() => session.goLive()}>
      {t("goLive")}
    </button>
  );
}

/** How much of the programme has passed, or the time of day where none is known. */
function PlayedTime() {
  const player = usePlayer();
  const { locale } = useStore(player.view);
  useClock(RENEW_MS);
  const positionMs = player.session.positionMs();
  const programme = player.currentProgramme();
  if (!programme)
    return <span class="num played-time">{new Date(positionMs).toLocaleTimeString(locale, { hourCycle: "h23" })}</span>;
  return (
    <span class="num played-time">
      {duration(positionMs - programme.startMs)}{" "}
      <span class="dim">/ {duration(programme.endMs - programme.startMs)}</span>
    </span>
  );
}

function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const two = (value: number) => String(value).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

function Badges() {
  const { session } = usePlayer();
  const { details, phase } = useStore(session.store);
  const { videoWidth, videoHeight } = session.seenVideo;
  if (phase === "failed") return null;
  return (
    <span class="badges num">
      {mediaBadges(details, videoWidth, videoHeight).map((badge) => (
        <span key={badge}>{badge}</span>
      ))}
    </span>
  );
}

function SourceSelect() {
  const { session } = usePlayer();
  const t = useTexts();
  const { channel, sourceIndex, catchup } = useStore(session.store);
  if (!channel || channel.sources.length < 2) return null;
  return (
    <label class="source">
      <span class="visually-hidden">{t("source")}</span>
      <select value={sourceIndex} onChange={(event) => session.chooseSource(Number(event.currentTarget.value))}>
        {channel.sources.map(
          (source, index) =>
            (!catchup || source.catchup) && (
              <option key={source.url} value={index}>
                {source.label || t("sourceNumber", index + 1)}
              </option>
            ),
        )}
      </select>
    </label>
  );
}
