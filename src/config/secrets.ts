/** What of the settings must never be shown (config.md section 13). */
import type { Settings } from "./settings.ts";

const PASSWORD = /^[a-z]+:\/\/[^/?#]*?:([^/?#]*)@/i;

/** The token, and the passwords of playlists. Those within playlists are known by their place. */
export function secretsOf({ r2hToken, externalM3u }: Settings): string[] {
  const passwords = externalM3u.flatMap((url) => PASSWORD.exec(url)?.[1] || []);
  return [r2hToken ?? "", ...passwords, ...passwords.map(decoded)].filter((secret) => secret !== "");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
