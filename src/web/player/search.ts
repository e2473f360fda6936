/** Search and group filter of the channel list (status.md section 10). */
import type { Channel } from "./playlist.ts";

/**
 * Exact number first, then numbers that begin with the digits, numbers that hold them, and names that hold the text.
 * @param group undefined for all
 */
export function searchChannels(channels: readonly Channel[], text: string, group: string | undefined): Channel[] {
  const wanted = text.trim().toLowerCase();
  const inGroup = channels.filter((channel) => group === undefined || channel.groups.includes(group));
  if (wanted === "") return inGroup;
  const ranked: Channel[][] = [[], [], [], []];
  for (const channel of inGroup) ranked[rank(channel, wanted)]?.push(channel);
  return ranked.flat();
}

function rank(channel: Channel, wanted: string): number {
  if (/^\d+$/.test(wanted)) {
    const number = String(channel.number);
    if (number === wanted) return 0;
    if (number.startsWith(wanted)) return 1;
    if (number.includes(wanted)) return 2;
  }
  return channel.name.toLowerCase().includes(wanted) ? 3 : -1;
}
