/** The command `demo`: the relay together with the built-in channels, on loopback, without root and without a network. */
import { supervise } from "../cli/serve.ts";
import type { Reload } from "../config/load.ts";
import type { SettingName, Settings } from "../config/settings.ts";
import { LOG_WARN } from "../system/log.ts";
import { DEMO_CHANNELS } from "./channels.ts";
import { startDemoSender } from "./sender.ts";

/** What the demo needs otherwise than a relay does; an option that is given wins. */
function demoSettings(settings: Settings): Settings {
  const has = (name: SettingName) => settings.given.has(name);
  return {
    ...settings,
    maxClients: has("maxClients") ? settings.maxClients : 64,
    upstreamInterfaceMulticast: has("upstreamInterfaceMulticast") ? settings.upstreamInterfaceMulticast : "lo",
    verbosity: has("verbosity") ? settings.verbosity : LOG_WARN,
  };
}

function demoReload(reload: Reload): Reload {
  return reload.kind === "loaded" ? { ...reload, settings: demoSettings(reload.settings) } : reload;
}

/** Runs until a signal ends the process. */
export async function runDemo(given: Settings, reload: () => Reload): Promise<void> {
  const sender = await startDemoSender();
  const channels = DEMO_CHANNELS.map(({ name, group, port }) => ({ name, path: `/rtp/${group}:${port}` }));
  const supervisor = await supervise({
    settings: demoSettings(given),
    reload: () => demoReload(reload()),
    channels,
    onStop: () => sender.stop(),
  });
  const [address] = supervisor.addresses;
  const base = address ? baseUrl(address) : "";
  const lines = channels.map(({ name, path }) => `  ${name.padEnd(14)} ${base}${path}`);
  process.stdout.write(
    `\nsluice demo\n\n  all channels   ${base}/\n${lines.join("\n")}\n\nOpen one in VLC, mpv or ffplay. Ctrl-C ends the demo.\n\n`,
  );
}

/** A URL that this machine can open. */
function baseUrl({ address, port }: { address: string; port: number }): string {
  const isWildcard = address === "0.0.0.0" || address === "::";
  const host = isWildcard ? "localhost" : address.includes(":") ? `[${address}]` : address;
  return `http://${host}:${port}`;
}
