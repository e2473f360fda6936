/** The command `demo`: the relay together with the built-in channels, on loopback, without root and without a network. */

import type { ReloadSettings } from "../config/load.ts";
import type { SettingName, Settings } from "../config/settings.ts";
import { supervise } from "../supervisor/process.ts";
import { printer } from "../system/line-output.ts";
import { LOG_WARN } from "../system/log.ts";
import { HTTP_CHANNEL, loadClip, MULTICAST_CHANNELS, PROTECTED_CHANNEL, RTSP_CHANNEL } from "./channels.ts";
import { emitGuide } from "./guide.ts";
import { HttpSource } from "./http-source.ts";
import { isForegroundProcess, offerKeys, openInBrowser } from "./keys.ts";
import { ownUrl } from "./own-url.ts";
import { channelPaths, type DemoUrls, demoPlaylist } from "./playlist.ts";
import { RtspSource } from "./rtsp-source.ts";
import { startDemoSender } from "./sender.ts";

const STDOUT = 1;
const NAME_COLUMNS = 14;
const print = printer(STDOUT);
const CHANNELS = [...MULTICAST_CHANNELS, RTSP_CHANNEL, HTTP_CHANNEL, PROTECTED_CHANNEL];

/** What the demo needs otherwise than a relay does; an option that is given wins, and playlists come besides ours. */
function demoSettings(settings: Settings, playlist: string): Settings {
  const has = (name: SettingName) => settings.given.has(name);
  return {
    ...settings,
    maxClients: has("maxClients") ? settings.maxClients : 64,
    verbosity: has("verbosity") ? settings.verbosity : LOG_WARN,
    services: playlist + settings.services,
  };
}

/** Everything that the demo relays. */
async function startSources(): Promise<{ readonly urls: DemoUrls; stop(): void }> {
  const sender = await startDemoSender();
  const rtsp = new RtspSource(RTSP_CHANNEL.name, await loadClip(RTSP_CHANNEL));
  const http = new HttpSource(await loadClip(HTTP_CHANNEL), (nowMs) => emitGuide(CHANNELS, nowMs));
  return {
    urls: { rtsp: rtsp.url, http: http.mediaUrl, guide: http.guideUrl, fccServer: sender.fccServer },
    stop() {
      for (const source of [sender, rtsp, http]) source.stop();
    },
  };
}

/** Runs until a signal ends the process, or a key does. */
export async function runDemo(given: Settings, reload: ReloadSettings): Promise<void> {
  const sources = await startSources();
  const playlist = demoPlaylist(sources.urls);
  const settings = demoSettings(given, playlist);
  const supervisor = await supervise({
    settings,
    reload: (before) => {
      const outcome = reload(before);
      return outcome.kind === "loaded" ? { ...outcome, settings: demoSettings(outcome.settings, playlist) } : outcome;
    },
    onStop: () => sources.stop(),
    hasBanner: false,
  });
  const url = (path: string) => ownUrl(supervisor.addresses[0], settings, path);
  const places = [
    { name: "web player", path: settings.playerPagePath },
    { name: "status", path: settings.statusPagePath },
    { name: "playlist", path: "/playlist.m3u" },
    ...channelPaths(),
  ];
  const lines = places.map(({ name, path }) => `  ${name.padEnd(NAME_COLUMNS)} ${url(path)}\n`);
  print(`\nsluice demo\n\n${lines.join("")}\nOpen one in VLC, mpv or ffplay. Ctrl-C ends the demo.\n\n`);
  offerPlayer(url(settings.playerPagePath));
}

function offerPlayer(player: string): void {
  const { stdin } = process;
  const stdout = { isTTY: process.stdout.isTTY, write: print };
  const actions = {
    open() {
      if (!openInBrowser(player)) print(`There is no program to open it with; the player is at ${player}\n`);
    },
    quit: () => process.kill(process.pid, "SIGINT"),
  };
  const giveBack = offerKeys({ stdin, stdout, isForeground: isForegroundProcess() }, actions);
  process.on("exit", giveBack);
}
