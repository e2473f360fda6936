/** Makes channels and the published playlist of lists, in one go from bytes to bytes: entries live for a moment only. */
import { Slices } from "../system/slices.ts";
import { type M3uEntry, M3uParser, type M3uPlaylist } from "../wire/m3u/parser.ts";
import { type ByteString, bytesToString } from "../wire/text/byte-string.ts";
import { type ChannelList, ChannelListBuilder } from "./channels.ts";
import { type EntryUrlRules, resolved } from "./entry-url.ts";
import { PlaylistWriter, type PublishedPlaylist } from "./publish.ts";

/** Some forty entries, which take less time than a slice has. */
const PIECE_BYTES = 8 * 1024;
/** So much of a list leaves some 8 MB of garbage, and the runtime would wait for much more. */
const COLLECT_BYTES = 256 * 1024;

interface ListSource {
  /** Where it came from; undefined for the inline list. */
  readonly url: string | undefined;
  /** What its relative URLs are relative to. */
  readonly base: string | undefined;
  /** Undefined until it has come. */
  readonly bytes: Buffer | undefined;
}

interface BuildOptions<L> {
  readonly rules: EntryUrlRules;
  /** Empty when none is asked for. */
  readonly token: ByteString;
  /** Asked after each slice: false breaks the build off. */
  readonly isCurrent: () => boolean;
  /**
   * A list is read to its end.
   * @param rest without most of the entries
   * @param unrelayed how many entries are published unchanged, by the reason
   */
  readonly onRead: (list: L, rest: M3uPlaylist, unrelayed: ReadonlyMap<string, number>) => void;
}

export interface BuiltChannels {
  readonly channels: ChannelList;
  readonly published: PublishedPlaylist;
  /** Those that are no channels included. */
  readonly entryCount: number;
}

/** Resolves to undefined when it was broken off. */
export async function buildChannels<L extends ListSource>(
  lists: readonly L[],
  { rules, token, isCurrent, onRead }: BuildOptions<L>,
): Promise<BuiltChannels | undefined> {
  const slices = new Slices();
  const builder = new ChannelListBuilder(rules);
  const writer = new PlaylistWriter(token);
  let entryCount = 0;
  let uncollected = 0;
  const add = (entries: readonly M3uEntry[], base: string | undefined) => {
    for (const entry of entries) writer.add(builder.add(entry, base));
    entryCount += entries.length;
  };
  for (const list of lists) {
    const { bytes } = list;
    if (!bytes) continue;
    const parser = new M3uParser();
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      parser.push(bytesToString(bytes, at, at + PIECE_BYTES));
      add(parser.takeEntries(), list.base);
      uncollected += PIECE_BYTES;
      if (uncollected >= COLLECT_BYTES) {
        uncollected = 0;
        // In another thread.
        Bun.gc(false);
      }
      if (!slices.isOver) continue;
      await slices.next();
      if (!isCurrent()) return undefined;
    }
    const playlist = parser.finish();
    add(playlist.entries, list.base);
    builder.addRest({ ...playlist, guideUrls: allowedGuides(list, playlist) });
    onRead(list, playlist, builder.takeUnrelayed());
  }
  const channels = builder.finish();
  return { channels, published: writer.finish(channels), entryCount };
}

/** Whoever runs a server elsewhere must not choose a file of this machine to be published. */
function allowedGuides({ url, base }: ListSource, { guideUrls }: M3uPlaylist): readonly ByteString[] {
  const isOfThisMachine = url === undefined || url.startsWith("file://");
  const absolute = base === undefined ? guideUrls : guideUrls.map((guide) => resolved(guide, base));
  return isOfThisMachine ? absolute : absolute.filter((guide) => /^https?:/i.test(guide));
}
