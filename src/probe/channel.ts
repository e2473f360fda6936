/** Finds a channel of the configured playlists by its name, as a request of a client would. */
import type { Settings } from "../config/settings.ts";
import type { Channel, ChannelList } from "../playlist/channels.ts";
import { Playlists } from "../playlist/playlists.ts";
import type { Log } from "../system/log.ts";
import type { Reach } from "../system/reach.ts";
import { shown } from "../system/shown.ts";
import { asByteString, utf8Decode, utf8Encode } from "../wire/text/byte-string.ts";
import { percentEncode } from "../wire/url/percent.ts";
import { playlistSettings } from "../worker/playlist-settings.ts";

/** Playlists have come by then, or will not. */
const LOADING_MS = 15_000;
const LOOK_EVERY_MS = 50;
const MAX_PROPOSALS = 5;

/** What is asked for cannot be found; the message says what to do. */
export class ChannelSearchError extends Error {}

/** @throws ChannelSearchError */
export async function findChannel(settings: Settings, name: string, reach: Reach, log: Log): Promise<Channel> {
  const playlists = new Playlists({ log, reach: () => reach });
  try {
    await playlists.configure({ ...playlistSettings(settings), intervalS: 0 });
    const waitMs = settings.externalM3u.length > 0 ? LOADING_MS : 0;
    for (const until = performance.now() + waitMs; ; await Bun.sleep(LOOK_EVERY_MS)) {
      const channel = channelIn(playlists.channels, name);
      if (channel) return channel;
      if (performance.now() >= until) throw new ChannelSearchError(explain(playlists.channels, name));
    }
  } finally {
    playlists.close();
  }
}

function channelIn(channels: ChannelList, name: string): Channel | undefined {
  const path = name.replace(/^\//, "");
  for (const text of [percentEncode(utf8Encode(path)), path]) {
    const found = channels.find(asByteString(`/${text}`));
    if (found !== undefined && found !== "invalid") return found;
  }
  return undefined;
}

function explain({ main }: ChannelList, name: string): string {
  if (main.length === 0)
    return `no playlist has any channel; name one with -M URL or a config file with -c FILE, or give a URL`;
  const names = main.map((channel) => utf8Decode(channel.name));
  const similar = names.filter((one) => one.toLowerCase().includes(name.toLowerCase())).slice(0, MAX_PROPOSALS);
  const proposals = (similar.length > 0 ? similar : names.slice(0, MAX_PROPOSALS)).map((one) => `"${one}"`).join(", ");
  return shown(`none of the ${main.length} channels is called "${name}"; there are ${proposals}`);
}
