/** The guide of the channel that is played, by day (status.md section 11). */
import { useEffect, useMemo, useRef } from "preact/hooks";
import { centre } from "./channel-list.tsx";
import { usePlayer, useTexts, useTimeFormat } from "./context.ts";
import { byDay, isRecorded, type Programme, programmeAt } from "./guide.ts";
import { Icon } from "./icons.tsx";
import { useClock, useStore } from "./store.ts";
import type { TextKey } from "./texts.ts";
import { shareAt } from "./timeline.ts";

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const RENEW_MS = 10_000;
const NEAR_DAYS: Readonly<Record<number, TextKey>> = {
  [-2]: "twoDaysAgo",
  [-1]: "yesterday",
  0: "today",
  1: "tomorrow",
};

export function GuidePanel() {
  const player = usePlayer();
  const t = useTexts();
  const now = useClock(RENEW_MS);
  const { guide } = useStore(player.library.store);
  const { channel, catchup } = useStore(player.session.store);
  const programmes = useMemo(
    () => (channel ? guide.programmes.programmesOf(channel, now) : []),
    // The list changes with the guide and grows by the hour, not with every tick.
    [guide, channel, Math.floor(now / DAY_MS)],
  );
  const days = useMemo(() => byDay(programmes), [programmes]);
  const playing = programmeAt(programmes, catchup ? player.session.positionMs() : now);
  const dayName = useDayName(now);
  if (!channel || programmes.length === 0) return <p class="empty">{t("noGuide")}</p>;
  return (
    <div class="list guide">
      {days.map((day) => (
        <section key={day.dayMs}>
          <h3>{dayName(day.dayMs)}</h3>
          <ul>
            {day.programmes.map((programme) => (
              <ProgrammeEntry
                key={programme.startMs}
                programme={programme}
                now={now}
                isPlaying={programme === playing}
                canReplay={isRecorded(programme, channel, now)}
              />
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}

interface EntryProps {
  readonly programme: Programme;
  readonly now: number;
  readonly isPlaying: boolean;
  readonly canReplay: boolean;
}

function ProgrammeEntry({ programme, now, isPlaying, canReplay }: EntryProps) {
  const { session } = usePlayer();
  const t = useTexts();
  const time = useTimeFormat();
  const element = useRef<HTMLButtonElement>(null);
  const { startMs, endMs, title } = programme;
  const isOnAir = startMs <= now && now < endMs;
  const isPast = endMs <= now;
  useEffect(() => {
    if (isPlaying) centre(element.current);
  }, [isPlaying]);
  const choose = () => (isOnAir ? session.goLive() : session.replay(startMs));
  return (
    <li>
      <button
        type="button"
        ref={element}
        class="entry programme"
        aria-current={isPlaying ? "true" : undefined}
        disabled={!isOnAir && !(isPast && canReplay)}
        onClick={choose}
      >
        <span class="number num">{time(startMs)}</span>
        <span class="words">
          <span class="name">
            {title || t("untitled")}
            {isPast && canReplay && (
              <span class="replayable" title={t("catchup")}>
                <Icon name="replay" />
              </span>
            )}
          </span>
          <span class="dim">
            {isOnAir && <b class="on-air">{t("onAir")}</b>} {t("minutes", Math.round((endMs - startMs) / MINUTE_MS))}
          </span>
          {isOnAir && <progress class="thin" max={1} value={shareAt(programme, now)} />}
        </span>
      </button>
    </li>
  );
}

function useDayName(now: number): (dayMs: number) => string {
  const { locale } = useStore(usePlayer().view);
  const t = useTexts();
  const today = new Date(now).setHours(0, 0, 0, 0);
  const format = new Intl.DateTimeFormat(locale, { weekday: "long", month: "long", day: "numeric" });
  return (dayMs) => {
    // Rounded: days on which the clocks change are shorter or longer.
    const key = NEAR_DAYS[Math.round((dayMs - today) / DAY_MS)];
    return key ? t(key) : format.format(dayMs);
  };
}
