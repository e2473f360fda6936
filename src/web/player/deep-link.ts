/** Links to a channel: `#name` or `#number` behind the page's address (status.md section 10). */
import type { Channel } from "./playlist.ts";

/** @param hash with or without `#`; percent-encoded. A number wins over a name. */
export function findLinked(channels: readonly Channel[], hash: string): Channel | undefined {
  const token = decode(hash.replace(/^#/, "")).trim();
  if (token === "") return undefined;
  const byNumber = /^\d+$/.test(token) ? channels.find((channel) => channel.number === Number(token)) : undefined;
  return byNumber ?? channels.find((channel) => isNamed(channel, token));
}

/** The name, or the number where the name would lead elsewhere. Percent-encoded, without `#`. */
export function linkToken(channels: readonly Channel[], channel: Channel): string {
  const token = encodeURIComponent(channel.name);
  const named = channels.filter((other) => isNamed(other, channel.name.trim())).length;
  return named === 1 && findLinked(channels, token) === channel ? token : String(channel.number);
}

function isNamed(channel: Channel, name: string): boolean {
  return channel.name.trim().toLowerCase() === name.toLowerCase();
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
