/** The page: the picture, and beside or beneath it channels and guide (status.md section 17). */
import { useEffect, useReducer, useState } from "preact/hooks";
import { ChannelList } from "./channel-list.tsx";
import { usePlayer, useTexts } from "./context.ts";
import { isFullScreen } from "./full-screen.ts";
import { GuidePanel } from "./guide-panel.tsx";
import { Icon } from "./icons.tsx";
import { PLAYLIST_URL } from "./library.ts";
import { absoluteUrl } from "./links.ts";
import { SettingsMenu } from "./settings-menu.tsx";
import { Stage } from "./stage.tsx";
import { useStore } from "./store.ts";
import { useKeys } from "./use-keys.ts";

export function App() {
  const player = usePlayer();
  const { state } = useStore(player.library.store);
  const { isSidebarVisible } = useStore(player.view);
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  useKeys();
  useEffect(() => {
    document.addEventListener("fullscreenchange", () => redraw(undefined));
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") player.session.returnFromBackground();
    });
  }, [player]);
  if (state === "failed") return <NoChannels />;
  const isAlone = isFullScreen() || !isSidebarVisible;
  return (
    <main class={isAlone ? "app alone" : "app"} data-full={isFullScreen() ? "" : undefined}>
      <Stage />
      <Side />
    </main>
  );
}

function Side() {
  const t = useTexts();
  const [tab, setTab] = useState<"channels" | "guide">("channels");
  return (
    <aside class="side">
      <div class="tabs" role="tablist">
        {(["channels", "guide"] as const).map((name) => (
          <button type="button" key={name} role="tab" aria-selected={tab === name} onClick={() => setTab(name)}>
            {t(name)}
          </button>
        ))}
        <SettingsMenu />
      </div>
      {tab === "channels" ? <ChannelList /> : <GuidePanel />}
    </aside>
  );
}

/** Nothing to play: what may be the matter, and what was tried. */
function NoChannels() {
  const player = usePlayer();
  const t = useTexts();
  const { error } = useStore(player.library.store);
  return (
    <main class="no-channels">
      <div class="panel" role="alert">
        <Icon name="warning" />
        <h1>{t("noPlaylistTitle")}</h1>
        <ul>
          <li>{t("noPlaylistLoad")}</li>
          <li>{t("noPlaylistConfigured")}</li>
          <li>{t("noPlaylistToken")}</li>
        </ul>
        <code class="url">{absoluteUrl(PLAYLIST_URL)}</code>
        {error && <code class="url">{error}</code>}
        <div class="buttons">
          <button type="button" class="button primary" onClick={() => void player.load()}>
            <Icon name="reload" />
            {t("tryAgain")}
          </button>
        </div>
      </div>
    </main>
  );
}
