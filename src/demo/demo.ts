/** The command `demo`: the relay together with the built-in channels, on loopback, without root and without a network. */
import { supervise } from "../cli/serve.ts";
import type { Reload } from "../config/load.ts";
import type { SettingName, Settings } from "../config/settings.ts";
import { LOG_WARN } from "../system/log.ts";
import { loadClip, MULTICAST_CHANNELS, RTSP_CHANNEL } from "./channels.ts";
import { ownUrl } from "./own-url.ts";
import { RtspSource } from "./rtsp-source.ts";
import { startDemoSender } from "./sender.ts";

/** What the demo needs otherwise than a relay does; an option that is given wins. */
function demoSettings(settings: Settings): Settings {
  const has = (name: SettingName) => settings.given.has(name);
  return {
    ...settings,
    maxClients: has("maxClients") ? settings.maxClients : 64,
    upstreamInterfaceMulticast: has("upstreamInterfaceMulticast") ? settings.upstreamInterfaceMulticast : "lo",
    upstreamInterfaceRtsp: has("upstreamInterfaceRtsp") ? settings.upstreamInterfaceRtsp : "lo",
    verbosity: has("verbosity") ? settings.verbosity : LOG_WARN,
  };
}

function demoReload(reload: Reload): Reload {
  return reload.kind === "loaded" ? { ...reload, settings: demoSettings(reload.settings) } : reload;
}

/** Runs until a signal ends the process. */
export async function runDemo(given: Settings, reload: () => Reload): Promise<void> {
  const sender = await startDemoSender();
  const rtsp = new RtspSource(RTSP_CHANNEL.name, await loadClip(RTSP_CHANNEL));
  const channels = [
    ...MULTICAST_CHANNELS.map(({ name, group, port }) => ({ name, path: `/rtp/${group}:${port}` })),
    { name: RTSP_CHANNEL.name, path: rtsp.url.replace("rtsp://", "/rtsp/") },
  ];
  const supervisor = await supervise({
    settings: demoSettings(given),
    reload: () => demoReload(reload()),
    channels,
    onStop: () => {
      sender.stop();
      rtsp.stop();
    },
  });
  const url = (path: string) => ownUrl(supervisor.addresses[0], given, path);
  const lines = channels.map(({ name, path }) => `  ${name.padEnd(14)} ${url(path)}`);
  process.stdout.write(
    `\nsluice demo\n\n  all channels   ${url("/")}\n${lines.join("\n")}\n\nOpen one in VLC, mpv or ffplay. Ctrl-C ends the demo.\n\n`,
  );
}
