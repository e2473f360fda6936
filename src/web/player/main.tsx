/** The player page. */
import { render } from "preact";
import "../shared/tokens.css";
import { showTheme } from "../shared/theme.ts";
import { App } from "./app.tsx";
import { PlayerContext } from "./context.ts";
import { joinMediaSession } from "./media-session.ts";
import "./page.css";
import "./side.css";
import "./stage.css";
import { Player } from "./player.ts";

function newVideo(): HTMLVideoElement {
  const video = document.createElement("video");
  video.playsInline = true;
  video.preload = "auto";
  return video;
}

const player = new Player([newVideo(), newVideo()]);
showTheme(player.view.value.theme);
joinMediaSession(player);
render(
  <PlayerContext.Provider value={player}>
    <App />
  </PlayerContext.Provider>,
  document.getElementById("app") as HTMLElement,
);
void player.load();
