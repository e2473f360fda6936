/** What every component of the player may use. */
import { createContext } from "preact";
import { useContext, useMemo } from "preact/hooks";
import type { Player } from "./player.ts";
import { useStore } from "./store.ts";
import { type Translate, translator } from "./texts.ts";

export const PlayerContext = createContext<Player | undefined>(undefined);

export function usePlayer(): Player {
  const player = useContext(PlayerContext);
  if (!player) throw new Error("outside of PlayerContext");
  return player;
}

export function useTexts(): Translate {
  const { locale } = useStore(usePlayer().view);
  return useMemo(() => translator(locale), [locale]);
}

/** Hours and minutes in the language of the page. */
export function useTimeFormat(): (ms: number) => string {
  const { locale } = useStore(usePlayer().view);
  return useMemo(() => {
    const format = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    return (ms: number) => format.format(ms);
  }, [locale]);
}
