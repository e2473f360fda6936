/** The command `demo`: the relay together with the built-in channels, on loopback, without root and without a network. */
import { runWorker } from "../cli/serve.ts";
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

/** Runs until a signal ends the process. */
export async function runDemo(given: Settings): Promise<void> {
  const sender = await startDemoSender();
  const channels = DEMO_CHANNELS.map(({ name, group, port }) => ({ name, path: `/rtp/${group}:${port}` }));
  const worker = runWorker(demoSettings(given), channels, () => sender.stop());
  const base = baseUrl(worker.listeners[0]!);
  const lines = channels.map(({ name, path }) => `  ${name.padEnd(14)} ${base}${path}`);
  process.stdout.write(
    `\nsluice demo\n\n  all channels   ${base}/\n${lines.join("\n")}\n\nOpen one in VLC, mpv or ffplay. Ctrl-C ends the demo.\n\n`,
  );
}

/** A URL that this machine can open. */
function baseUrl({ hostname, port }: { hostname: string; port: number }): string {
  const isWildcard = hostname === "0.0.0.0" || hostname === "::";
  const host = isWildcard ? "localhost" : hostname.includes(":") ? `[${hostname}]` : hostname;
  return `http://${host}:${port}`;
}
