/** The list of channels with search and groups (status.md section 10). */
import type { RefObject } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { usePlayer, useTexts } from "./context.ts";
import { programmeAt } from "./guide.ts";
import { Icon } from "./icons.tsx";
import { Logo } from "./logo.tsx";
import { type Channel, hasCatchup } from "./playlist.ts";
import { searchChannels } from "./search.ts";
import { useClock, useStore } from "./store.ts";
import { shareAt } from "./timeline.ts";

const MINUTE_MS = 60_000;
/** A list of thousands is drawn as far as one scrolls. */
const PAGE = 100;

export function ChannelList() {
  const player = usePlayer();
  const t = useTexts();
  const { playlist } = useStore(player.library.store);
  const { channel } = useStore(player.session.store);
  const [text, setText] = useState("");
  const [group, setGroup] = useState<string>();
  const found = useMemo(() => searchChannels(playlist.channels, text, group), [playlist, text, group]);
  const list = useRef<HTMLUListElement>(null);
  const shown = useShownCount(found, channel?.number, list);

  const onKey = (event: KeyboardEvent) => {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    const first = found[0];
    if (event.key === "Enter" && first) player.tune(first);
    setText("");
  };
  return (
    <div class="channels">
      <label class="search">
        <Icon name="search" />
        <span class="visually-hidden">{t("search")}</span>
        <input
          type="search"
          placeholder={t("search")}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={onKey}
        />
      </label>
      {playlist.groups.length > 0 && (
        <fieldset class="chips" aria-label={t("groups")}>
          {[undefined, ...playlist.groups].map((name) => (
            <button
              type="button"
              key={name ?? ""}
              class="chip"
              aria-pressed={group === name}
              onClick={() => setGroup(name)}
            >
              {name ?? t("all")}
            </button>
          ))}
        </fieldset>
      )}
      <ul class="list" ref={list}>
        {found.slice(0, shown).map((entry) => (
          <ChannelEntry key={entry.number} channel={entry} isCurrent={entry.number === channel?.number} />
        ))}
        {found.length === 0 && <li class="empty">{t("noMatch")}</li>}
      </ul>
    </div>
  );
}

/** How many entries are drawn: as far as somebody scrolled, and at least to the channel that is played. */
function useShownCount(
  found: readonly Channel[],
  current: number | undefined,
  list: RefObject<HTMLUListElement | null>,
) {
  const [count, setCount] = useState(PAGE);
  const currentAt = found.findIndex(({ number }) => number === current);
  useEffect(() => {
    const element = list.current;
    if (!element) return;
    const onScroll = () => {
      const isNearEnd = element.scrollTop + 2 * element.clientHeight > element.scrollHeight;
      if (isNearEnd) setCount((shown) => Math.min(found.length, Math.max(shown, PAGE) + PAGE));
    };
    element.addEventListener("scroll", onScroll, { passive: true });
    return () => element.removeEventListener("scroll", onScroll);
  }, [found]);
  return Math.max(count, currentAt + 1);
}

function ChannelEntry({ channel, isCurrent }: { readonly channel: Channel; readonly isCurrent: boolean }) {
  const player = usePlayer();
  const t = useTexts();
  const now = useClock(MINUTE_MS);
  const { guide } = useStore(player.library.store);
  const element = useRef<HTMLButtonElement>(null);
  const programme = useMemo(() => {
    const at = programmeAt(guide.programmes.programmesOf(channel, now), now);
    return at?.title ? at : undefined;
  }, [guide, channel, now]);
  useEffect(() => {
    if (isCurrent) centre(element.current);
  }, [isCurrent]);
  return (
    <li>
      <button
        type="button"
        ref={element}
        class="entry"
        aria-current={isCurrent ? "true" : undefined}
        onClick={() => player.tune(channel)}
      >
        <span class="number num">{channel.number}</span>
        <Logo channel={channel} />
        <span class="words">
          <span class="name">
            {channel.name}
            {hasCatchup(channel) && (
              <span class="replayable" title={t("catchup")}>
                <Icon name="replay" />
              </span>
            )}
          </span>
          <span class="dim">{programme?.title ?? channel.groups.join(" · ")}</span>
          {programme && <progress class="thin" max={1} value={shareAt(programme, now)} />}
        </span>
      </button>
    </li>
  );
}

/** Only within its list: the page itself must not move. */
export function centre(element: HTMLElement | null): void {
  const list = element?.closest<HTMLElement>(".list");
  if (!element || !list) return;
  const target = element.getBoundingClientRect();
  const frame = list.getBoundingClientRect();
  list.scrollBy({ top: target.top + target.height / 2 - frame.top - frame.height / 2 });
}
