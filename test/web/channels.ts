/** Channels for tests of the player's rules. */
import { type Channel, readPlaylist } from "../../src/web/player/playlist.ts";

/** One channel for each name; those that end in `*` can be replayed. */
export function channels(...names: readonly string[]): readonly Channel[] {
  const lines = names.map((name, i) => {
    const catchup = name.endsWith("*") ? ' catchup="default" catchup-source="/c?b={utc}"' : "";
    return `#EXTINF:-1${catchup},${name.replace(/\*$/, "")}\n/ch${i + 1}\n`;
  });
  return readPlaylist(`#EXTM3U\n${lines.join("")}`).channels;
}
