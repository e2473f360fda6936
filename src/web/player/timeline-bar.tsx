/** The timeline: where in the programme we are, and where a click or a drag leads (status.md section 12). */
import { useRef, useState } from "preact/hooks";
import { usePlayer, useTexts, useTimeFormat } from "./context.ts";
import { hasCatchup } from "./playlist.ts";
import { useClock, useStore } from "./store.ts";
import { shareAt, timeAt, timelineOf } from "./timeline.ts";

const RENEW_MS = 500;

export function TimelineBar() {
  const player = usePlayer();
  const t = useTexts();
  const time = useTimeFormat();
  const now = useClock(RENEW_MS);
  useStore(player.library.store);
  const { channel } = useStore(player.session.store);
  const bar = useRef<HTMLDivElement>(null);
  const [pointedMs, setPointed] = useState<number>();
  const [isScrubbing, setScrubbing] = useState(false);
  if (!channel) return null;
  const programme = player.currentProgramme();
  const canSeek = hasCatchup(channel);
  if (!programme && !canSeek) return null;

  const timeline = timelineOf(programme, now);
  const positionMs = player.session.positionMs();
  const pointed = (event: PointerEvent) => {
    const { left, width } = bar.current?.getBoundingClientRect() ?? { left: 0, width: 1 };
    return timeAt(timeline, (event.clientX - left) / width, now);
  };
  const onDown = (event: PointerEvent) => {
    bar.current?.setPointerCapture(event.pointerId);
    setScrubbing(true);
    setPointed(pointed(event));
  };
  const onUp = (event: PointerEvent) => {
    if (!isScrubbing) return;
    setScrubbing(false);
    setPointed(undefined);
    player.session.seek(pointed(event));
  };
  const shownMs = isScrubbing && pointedMs !== undefined ? pointedMs : positionMs;
  return (
    <div class="timeline">
      <span class="num edge">{time(timeline.startMs)}</span>
      <div
        class="bar"
        ref={bar}
        role="slider"
        tabIndex={canSeek ? 0 : -1}
        aria-label={t("position")}
        aria-disabled={!canSeek}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(shareAt(timeline, shownMs) * 100)}
        aria-valuetext={time(shownMs)}
        onPointerDown={canSeek ? onDown : undefined}
        onPointerMove={(event) => setPointed(pointed(event))}
        onPointerUp={onUp}
        onPointerCancel={() => setScrubbing(false)}
        onPointerLeave={() => !isScrubbing && setPointed(undefined)}
      >
        <span class="track">
          <span class="aired" style={{ width: percent(shareAt(timeline, now)) }} />
          <span class="played" style={{ width: percent(shareAt(timeline, shownMs)) }} />
        </span>
        {canSeek && <span class="thumb" style={{ left: percent(shareAt(timeline, shownMs)) }} />}
        {pointedMs !== undefined && (
          <span class="hover num" style={{ left: percent(shareAt(timeline, pointedMs)) }}>
            {time(pointedMs)}
          </span>
        )}
      </div>
      <span class="num edge">{time(timeline.endMs)}</span>
    </div>
  );
}

function percent(share: number): string {
  return `${share * 100}%`;
}
