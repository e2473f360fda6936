/** Makes channels of whole texts, for tests. */
import { type ChannelList, ChannelListBuilder, type ListedEntry } from "../../src/playlist/channels.ts";
import type { EntryUrlRules } from "../../src/playlist/entry-url.ts";
import { parseM3u } from "../../src/wire/m3u/parser.ts";
import { utf8Encode } from "../../src/wire/text/byte-string.ts";

/** All channels of some lists, in their order, and what each entry became. */
export function listChannels(
  texts: readonly string[],
  rules: EntryUrlRules,
): { readonly channels: ChannelList; readonly entries: readonly ListedEntry[] } {
  const builder = new ChannelListBuilder(rules);
  const entries: ListedEntry[] = [];
  for (const text of texts) {
    const playlist = parseM3u(utf8Encode(text));
    for (const entry of playlist.entries) entries.push(builder.add(entry));
    builder.addRest(playlist);
  }
  return { channels: builder.finish(), entries };
}
