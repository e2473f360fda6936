/** All playlists of a worker: inline and external ones become one list of channels, one playlist and one guide. */
import { tmpdir } from "node:os";
import { errorReason } from "../system/errno.ts";
import { collectGarbageIn } from "../system/garbage.ts";
import type { OnHelperProcess } from "../system/helper-process.ts";
import type { Log } from "../system/log.ts";
import type { Reach } from "../system/reach.ts";
import { runDetached } from "../system/task-queue.ts";
import { asByteString, type UnicodeText, utf8Decode, utf8Encode } from "../wire/text/byte-string.ts";
import { type BuiltChannels, buildChannels } from "./build.ts";
import { type ChannelList, NO_CHANNELS } from "./channels.ts";
import type { DownloadLimits } from "./download.ts";
import type { EntryUrlRules } from "./entry-url.ts";
import { Guide } from "./guide.ts";
import { List } from "./list.ts";
import type { Loaded, LoadedList } from "./loaded.ts";
import { PlaylistWriter, type PublishedPlaylist } from "./publish.ts";
import { type Schedule, scheduleTimeout } from "./retrying-job.ts";
import { PLAYLIST_LIMITS, PlaylistSource } from "./source.ts";
import { listVersion, type ReadingObserver, type SuspectList, Suspects } from "./suspects.ts";

/** The inline list, among those that workers may die of. */
const INLINE = "[services]";
/** After a load; what comes in between is waited for too. */
const SETTLE_MS = 1000;

export interface PlaylistSettings extends EntryUrlRules {
  /** The playlist of `[services]`; empty when there is none. */
  readonly inline: UnicodeText;
  /** `external-m3u` */
  readonly urls: readonly string[];
  /** Between loads, in s; 0: only when told to. */
  readonly intervalS: number;
  /** Empty when none is asked for. */
  readonly token: UnicodeText;
  /** With which lists and guides are asked for. */
  readonly userAgent: string;
}

interface PlaylistsParts {
  readonly log: Log;
  /** As the settings of now have it. */
  readonly reach: () => Reach;
  /** Of the guide. */
  readonly directory?: string;
  readonly limits?: { readonly playlist: DownloadLimits; readonly guide: DownloadLimits };
  readonly schedule?: Schedule;
  /** False: another process loads what is external, and says so with `accept`. Default true. */
  readonly isLoader?: boolean;
  /** What unpacks guides. */
  readonly onProcess?: OnHelperProcess;
  /** The loader has something for the others. */
  readonly onLoaded?: (loaded: Loaded) => void;
  /** All lists have been asked for once, or one has come after that: how many channels there are, and how many lists failed. */
  readonly onListed?: (channels: number, failed: number) => void;
  readonly reading?: ReadingObserver;
  /** What earlier processes have died of. */
  readonly suspects?: readonly SuspectList[];
}

export class Playlists {
  readonly guide: Guide;
  readonly #parts: PlaylistsParts;
  readonly #schedule: Schedule;
  readonly #isLoader: boolean;
  readonly #suspects: Suspects;
  #settings: PlaylistSettings | undefined;
  #lists: readonly List[] = [];
  #channels = NO_CHANNELS;
  #published: PublishedPlaylist = new PlaylistWriter(asByteString("")).finish(NO_CHANNELS);
  /** A newer build or cycle puts an end to an older one. */
  #builds = 0;
  #cycles = 0;
  #isLoading = false;
  #cancelCycle: (() => void) | undefined;
  #cancelSettling: (() => void) | undefined;

  constructor(parts: PlaylistsParts) {
    const { log, reach, directory, limits, schedule = scheduleTimeout, isLoader = true, onLoaded, onProcess } = parts;
    this.#parts = parts;
    this.#schedule = schedule;
    this.#isLoader = isLoader;
    this.#suspects = new Suspects(parts.suspects ?? []);
    this.guide = new Guide({
      log,
      reach,
      userAgent: () => this.#userAgent,
      schedule,
      ...(directory && { directory }),
      ...(limits && { limits: limits.guide }),
      ...(onProcess && { onProcess }),
      ...(onLoaded && { onPublished: onLoaded }),
    });
  }

  get #userAgent(): string {
    return this.#settings?.userAgent ?? "";
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
   * At the start, and when settings may have changed. Lists whose URL stays are used until a new version has come.
   * Resolves when the inline playlist is in use; what is external comes later.
   */
  async configure(settings: PlaylistSettings): Promise<void> {
    const known = this.#lists;
    const isSame = signatureOf(settings) === signatureOf(this.#settings);
    this.#settings = settings;
    if (isSame) {
      this.refresh();
      return;
    }
    const urls = [...new Set(settings.urls)];
    const inline = new List(undefined, this.#parts.log);
    const external = urls.map((url) => known.find((list) => list.url === url) ?? this.#external(url));
    this.#lists = [inline, ...external];
    for (const list of known) if (!external.includes(list)) list.close();
    await this.#readInline(inline, Buffer.from(settings.inline));
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
    try {
      const bytes = await list.read(loaded);
      if (!bytes) return;
      const { version } = list;
      const leftMs = this.#suspects.leftMs(listVersion(loaded.url, bytes));
      if (leftMs === 0) await this.#read(list, loaded.url, bytes, loaded.base);
      else
        this.#schedule(() => {
          if (version === list.version) runDetached(this.#parts.log, "Reading playlists", this.accept(loaded));
        }, leftMs);
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
    runDetached(this.#parts.log, "Loading playlists", this.#load());
  }

  /** No timer, connection or file is left. */
  close(): void {
    this.#settings = undefined;
    this.#cancelCycle?.();
    this.#cancelSettling?.();
    this.#builds++;
    this.#cycles++;
    for (const list of this.#lists) list.close();
    this.guide.close();
  }

  async #load(): Promise<void> {
    const cycle = ++this.#cycles;
    this.#isLoading = true;
    await Promise.all(this.#lists.map(({ source }) => source?.refresh()));
    if (cycle !== this.#cycles) return;
    this.#isLoading = false;
    this.#listed();
    // Also when no list came: others may name a guide.
    await this.guide.refresh();
    this.#settle();
  }

  /** @param come a list that has just come, though its source does not say so yet */
  #listed(come?: List): void {
    const failed = this.#lists.filter((list) => list !== come && list.source?.staleSince !== undefined);
    this.#parts.onListed?.(this.#channels.main.length, failed.length);
  }

  /** Of the runtime's own accord it would look only after a while (`supervisor/worker-slot.ts`), and what was read lies about. */
  #settle(): void {
    this.#cancelSettling?.();
    this.#cancelSettling = collectGarbageIn(SETTLE_MS);
  }

  #external(url: string): List {
    const { log, limits, reach } = this.#parts;
    const list = new List(url, log);
    if (!this.#isLoader) return list;
    list.source = new PlaylistSource({
      url,
      log,
      reach,
      limits: limits?.playlist ?? PLAYLIST_LIMITS,
      schedule: this.#schedule,
      userAgent: () => this.#userAgent,
      onLoaded: async (bytes, base) => {
        this.#suspects.check(listVersion(url, bytes));
        await this.#read(list, url, bytes, base);
        await this.#share(list, { url, base }, bytes);
        // A retry brought it, and so perhaps another guide.
        if (this.#isLoading) return;
        this.#listed(list);
        runDetached(log, "Loading the guide", this.guide.refresh());
      },
    });
    // Its retries may be over by then.
    for (const suspect of this.#parts.suspects ?? [])
      if (suspect.url === url)
        this.#schedule(() => this.#lists.includes(list) && list.source?.refresh(), suspect.forMs);
    return list;
  }

  /** The administrator's own, and yet it may be more than this machine can bear. */
  async #readInline(list: List, bytes: Buffer): Promise<void> {
    const version = listVersion(INLINE, bytes);
    const leftMs = this.#suspects.leftMs(version);
    if (leftMs === 0) {
      if (bytes.length > 0) this.#parts.reading?.begins(version);
      return this.#take(list, bytes, undefined);
    }
    const { log } = this.#parts;
    this.#schedule(() => {
      if (this.#lists.includes(list)) runDetached(log, "Reading playlists", this.#readInline(list, bytes));
    }, leftMs);
    await this.#build();
  }

  /** What comes from elsewhere may be made to hurt. */
  async #read(list: List, url: string, bytes: Buffer, base: string | undefined): Promise<void> {
    this.#parts.reading?.begins(listVersion(url, bytes));
    this.#parts.log.debug(`${list.name}: reading ${bytes.length} bytes`);
    await this.#take(list, bytes, base);
  }

  /** Resolves when the list is in use, or when there is something newer. */
  async #take(list: List, bytes: Buffer, base: string | undefined): Promise<void> {
    if (!this.#lists.includes(list)) return;
    list.take(bytes, base, !this.#isLoader);
    await this.#build();
  }

  async #share(list: List, which: Pick<LoadedList, "url" | "base">, bytes: Buffer): Promise<void> {
    const { log, onLoaded, directory = tmpdir() } = this.#parts;
    if (!onLoaded) return;
    try {
      const loaded = await list.share(which, bytes, directory);
      if (this.#lists.includes(list)) onLoaded(loaded);
      else list.close();
    } catch (error) {
      log.warn(`${list.name}: no copy for other workers: ${errorReason(error)}`);
    }
  }

  async #build(): Promise<void> {
    const build = ++this.#builds;
    const settings = this.#settings;
    if (!settings) return;
    const built = await buildChannels(this.#lists, {
      rules: settings,
      token: utf8Encode(settings.token),
      isCurrent: () => build === this.#builds,
      onRead: (list, playlist, unrelayed) => list.report(playlist, unrelayed),
    });
    if (built) this.#use(built);
  }

  #use({ channels, published, entryCount }: BuiltChannels): void {
    this.#parts.reading?.ends();
    this.#channels = channels;
    this.#published = published;
    this.#settle();
    this.guide.setUrls(channels.guideUrls.map(utf8Decode));
    if (entryCount === 0) return;
    this.#parts.log.info(`Parsed ${entryCount} M3U entries, generated transformed playlist (${published.bytes} bytes)`);
  }
}

/** JSON leaves out what a map holds. */
function signatureOf(settings: PlaylistSettings | undefined): string {
  return JSON.stringify([settings, [...(settings?.schemes.keys() ?? [])]]);
}
