/** What the settings of a worker say of playlists and channels. */
import type { Settings } from "../config/settings.ts";
import type { PlaylistSettings } from "../playlist/playlists.ts";
import { entrySchemes } from "../upstream/plans.ts";
import { utf8Encode } from "../wire/text/byte-string.ts";
import { prefixBytes } from "../wire/url/path-prefix.ts";

/** What is looked up before channels. */
function ownPaths({ statusPagePath, playerPagePath }: Settings): string[] {
  const status = utf8Encode(statusPagePath.slice(1));
  const player = utf8Encode(playerPagePath.slice(1));
  const below = status === "" ? "" : `${status}/`;
  const pages = [status, player, `${below}sse`, `${below}api/`].filter(Boolean);
  const files = ["playlist.m3u", "epg.xml", "epg.xml.gz", "favicon.ico", "status.webmanifest", "player.webmanifest"];
  return ["assets", "assets/", ...files, ...pages];
}

export function playlistSettings(settings: Settings): PlaylistSettings {
  return {
    inline: settings.services,
    urls: settings.externalM3u,
    intervalS: settings.externalM3uUpdateInterval,
    token: settings.r2hToken ?? "",
    userAgent: settings.playlistUserAgent,
    reserved: ownPaths(settings),
    appPathPrefix: prefixBytes(settings.appPathPrefix),
    schemes: entrySchemes(settings),
  };
}
