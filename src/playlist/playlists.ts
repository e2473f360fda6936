/** All playlists of a worker: inline and external ones become one list of channels, one playlist and one guide. */
import { tmpdir } from "node:os";
import { errorReason } from "../system/error-reason.ts";
import type { Log } from "../system/log.ts";
import { M3uParser, type M3uPlaylist } from "../wire/m3u.ts";
import { utf8Decode, utf8Encode } from "../wire/percent.ts";
import { type ChannelList, ChannelListBuilder, NO_CHANNELS } from "./channels.ts";
import type { DownloadLimits } from "./download.ts";
import type { EntryUrlRules } from "./entry-url.ts";
import { Guide } from "./guide.ts";
import { type ListCopy, type Loaded, readListCopy, writeListCopy } from "./loaded.ts";
import { PlaylistWriter, type PublishedPlaylist } from "./publish.ts";
import { type Schedule, scheduleTimeout } from "./retrying-job.ts";
import { Slices } from "./slices.ts";
import { PLAYLIST_LIMITS, PlaylistSource, withoutPassword } from "./source.ts";

const PARSE_CHARS = 32 * 1024;
/** Looking at the clock costs more than an entry. */
const ENTRIES_PER_LOOK = 32;

export interface PlaylistSettings extends EntryUrlRules {
  /** The playlist of `[services]`, as text; empty when there is none. */
  readonly inline: string;
  /** `external-m3u` */
  readonly urls: readonly string[];
  /** Between loads, in s; 0: only when told to. */
  readonly intervalS: number;
  /** As text; empty when none is asked for. */
  readonly token: string;
}

export interface PlaylistsParts {
  readonly log: Log;
  /** Of the guide. */
  readonly directory?: string;
  readonly limits?: { readonly playlist: DownloadLimits; readonly guide: DownloadLimits };
  readonly schedule?: Schedule;
  /** False: another process loads what is external, and says so with `accept`. Default true. */
  readonly isLoader?: boolean;
  /** The loader has something for the others. */
  readonly onLoaded?: (loaded: Loaded) => void;
}

interface List {
  /** For the log. */
  readonly name: string;
  /** Undefined for the inline list. */
  readonly url: string | undefined;
  /** Undefined for the inline list, and where another process loads. */
  readonly source: PlaylistSource | undefined;
  /** Undefined until it is loaded. */
  playlist: M3uPlaylist | undefined;
  /** Counts what has come: something newer overtakes what is still being read. */
  version: number;
  /** What the others read. */
  copy: ListCopy | undefined;
}

export class Playlists {
  readonly guide: Guide;
  readonly #parts: PlaylistsParts;
  readonly #schedule: Schedule;
  readonly #isLoader: boolean;
  #settings: PlaylistSettings | undefined;
  #lists: readonly List[] = [];
  #channels = NO_CHANNELS;
  #published: PublishedPlaylist = new PlaylistWriter("").finish([]);
  /** A newer build or cycle puts an end to an older one. */
  #builds = 0;
  #cycles = 0;
  #isLoading = false;
  #cancelCycle: (() => void) | undefined;

  constructor(parts: PlaylistsParts) {
    const { log, directory, limits, schedule = scheduleTimeout, isLoader = true, onLoaded } = parts;
    this.#parts = parts;
    this.#schedule = schedule;
    this.#isLoader = isLoader;
    this.guide = new Guide({
      log,
      schedule,
      ...(directory && { directory }),
      ...(limits && { limits: limits.guide }),
      ...(onLoaded && { onPublished: onLoaded }),
    });
  }

  get channels(): ChannelList {
    return this.#channels;
  }

  get published(): PublishedPlaylist {
    return this.#published;
  }

  /** Unix time in ms since when a playlist could not be renewed; undefined while all is well. */
  get staleSince(): number | undefined {
    const times = this.#lists.flatMap(({ source }) => source?.staleSince ?? []);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /**
   * At the start, and when settings change. Lists whose URL stays are used until a new version has come.
   * Resolves when the inline playlist is in use; what is external comes later.
   */
  async configure(settings: PlaylistSettings): Promise<void> {
    const known = this.#lists;
    this.#settings = settings;
    const urls = [...new Set(settings.urls)];
    const inline = newList("inline", undefined);
    // In use until the new one is read.
    inline.playlist = known[0]?.playlist;
    const external = urls.map((url) => known.find((list) => list.url === url) ?? this.#external(url));
    this.#lists = [inline, ...external];
    for (const list of known) if (!external.includes(list)) closeList(list);
    await this.#take(inline, utf8Encode(settings.inline));
    if (this.#settings === settings) this.refresh();
  }

  /** Uses what another process has loaded. Never rejects. */
  async accept(loaded: Loaded): Promise<void> {
    if (loaded.kind === "guide") {
      await this.guide.adopt(loaded);
      return;
    }
    const list = this.#lists.find(({ url }) => url === loaded.url);
    if (!list) return;
    const version = ++list.version;
    try {
      const text = await readListCopy(loaded);
      if (text !== undefined && version === list.version) await this.#take(list, text);
    } catch (error) {
      this.#parts.log.warn(`${list.name}: what another worker has loaded cannot be read: ${errorReason(error)}`);
    }
  }

  /** Loads all of it now; the next periodic load is an interval away from now. Another process may be the one that does. */
  refresh(): void {
    if (!this.#isLoader) return;
    this.#cancelCycle?.();
    this.#cancelCycle = undefined;
    const { intervalS = 0 } = this.#settings ?? {};
    if (intervalS > 0) this.#cancelCycle = this.#schedule(() => this.refresh(), intervalS * 1000);
    void this.#load();
  }

  /** No timer, connection or file is left. */
  close(): void {
    this.#settings = undefined;
    this.#cancelCycle?.();
    this.#builds++;
    this.#cycles++;
    for (const list of this.#lists) closeList(list);
    this.guide.close();
  }

  async #load(): Promise<void> {
    const cycle = ++this.#cycles;
    this.#isLoading = true;
    await Promise.all(this.#lists.map(({ source }) => source?.refresh()));
    if (cycle !== this.#cycles) return;
    this.#isLoading = false;
    // Also when no list came: others may name a guide.
    await this.guide.refresh();
  }

  #external(url: string): List {
    if (!this.#isLoader) return newList(withoutPassword(url), url);
    const { log, limits } = this.#parts;
    const source = new PlaylistSource({
      url,
      log,
      limits: limits?.playlist ?? PLAYLIST_LIMITS,
      schedule: this.#schedule,
      onLoaded: async (text) => {
        await this.#take(list, text);
        await this.#share(list, url, text);
        // A retry brought it, and so perhaps another guide.
        if (!this.#isLoading) void this.guide.refresh();
      },
    });
    const list = newList(withoutPassword(url), url, source);
    return list;
  }

  /** Resolves when the text is in use, or when there is something newer. */
  async #take(list: List, text: string): Promise<void> {
    const version = ++list.version;
    const playlist = await this.#parse(text, list);
    if (version !== list.version || !this.#lists.includes(list)) return;
    list.playlist = playlist;
    await this.#build();
  }

  async #share(list: List, url: string, text: string): Promise<void> {
    const { log, onLoaded, directory = tmpdir() } = this.#parts;
    if (!onLoaded) return;
    try {
      const copy = await writeListCopy(url, text, directory);
      void list.copy?.handle.close();
      list.copy = copy;
      if (this.#lists.includes(list)) onLoaded(copy.loaded);
      else closeList(list);
    } catch (error) {
      log.warn(`${list.name}: no copy for other workers: ${directory}: ${errorReason(error)}`);
    }
  }

  async #parse(text: string, list: List): Promise<M3uPlaylist> {
    const slices = new Slices();
    const parser = new M3uParser();
    for (let at = 0; at < text.length; at += PARSE_CHARS) {
      if (slices.isOver) await slices.next();
      parser.push(text.slice(at, at + PARSE_CHARS));
    }
    const playlist = parser.finish();
    if (this.#isLoader) this.#report(playlist, list);
    if (list.url === undefined || list.url.startsWith("file://")) return playlist;
    // Whoever runs a server elsewhere must not choose a file of this machine to be published.
    return { ...playlist, guideUrls: playlist.guideUrls.filter((url) => /^https?:/i.test(url)) };
  }

  #report({ skipped, skippedCount }: M3uPlaylist, { name }: List): void {
    const { log } = this.#parts;
    if (skippedCount > 0) log.info(`${name}: ${skippedCount} lines skipped`);
    for (const { reason, line } of skipped) log.debug(`${reason} (${name}, line ${line})`);
    const untold = skippedCount - skipped.length;
    if (untold > 0) log.debug(`${name}: ${untold} more lines were skipped`);
  }

  async #build(): Promise<void> {
    const build = ++this.#builds;
    const settings = this.#settings;
    if (!settings) return;
    const slices = new Slices();
    const builder = new ChannelListBuilder(settings);
    const writer = new PlaylistWriter(utf8Encode(settings.token));
    for (const { playlist } of this.#lists) {
      if (!playlist) continue;
      for (const [i, entry] of playlist.entries.entries()) {
        writer.add(builder.add(entry));
        if (i % ENTRIES_PER_LOOK !== 0 || !slices.isOver) continue;
        await slices.next();
        if (build !== this.#builds) return;
      }
      builder.addRest(playlist);
    }
    this.#use(builder.finish(), writer);
  }

  #use(channels: ChannelList, writer: PlaylistWriter): void {
    this.#channels = channels;
    this.#published = writer.finish(channels.trailing);
    this.guide.setUrls(channels.guideUrls.map(utf8Decode));
    const { length } = channels.entries;
    if (length === 0) return;
    this.#parts.log.info(
      `Parsed ${length} M3U entries, generated transformed playlist (${this.#published.bytes} bytes)`,
    );
  }
}

function newList(name: string, url: string | undefined, source?: PlaylistSource): List {
  return { name, url, source, playlist: undefined, version: 0, copy: undefined };
}

function closeList(list: List): void {
  list.source?.close();
  void list.copy?.handle.close();
  list.copy = undefined;
}
