/** The programme guide that this relay publishes: one that was fetched, or several joined (m3u.md section 9). */
import { tmpdir } from "node:os";
import { errorReason } from "../system/errno.ts";
import type { OnHelperProcess } from "../system/helper-process.ts";
import type { Log } from "../system/log.ts";
import type { Reach } from "../system/reach.ts";
import { shown } from "../system/shown.ts";
import { runDetached } from "../system/task-queue.ts";
import type { DownloadLimits } from "./download.ts";
import { type GuideEncoding, GuideFile, type GuideStream } from "./guide-file.ts";
import { mergeGuides } from "./guide-merge.ts";
import { GUIDE_LIMITS, GuideSource } from "./guide-source.ts";
import type { LoadedGuide } from "./loaded.ts";
import type { GuideKind } from "./publish.ts";
import { type Schedule, scheduleTimeout } from "./retrying-job.ts";
import { gzip, limited } from "./streams.ts";

/** Further ones are left out. */
const MAX_GUIDES = 16;

interface GuideParts {
  readonly log: Log;
  /** As the settings of now have it. */
  readonly reach: () => Reach;
  /** For temporary files; by default the system's. */
  readonly directory?: string;
  readonly limits?: DownloadLimits;
  readonly schedule?: Schedule;
  /** Asked at each load. */
  readonly userAgent: () => string;
  readonly onProcess?: OnHelperProcess;
  /** Another guide is published, or none. Whoever is not to load needs not listen. */
  readonly onPublished?: (loaded: LoadedGuide) => void;
}

export interface OpenGuide extends GuideStream {
  /** With quotes; it names the guide as it is stored, whatever the encoding. */
  readonly etag: string;
}

interface AdoptedGuide {
  /** Where its parts came from. */
  readonly urls: readonly string[];
  readonly file: GuideFile;
}

export class Guide {
  readonly #log: Log;
  readonly #reach: () => Reach;
  readonly #directory: string;
  readonly #limits: DownloadLimits;
  readonly #schedule: Schedule;
  readonly #userAgent: () => string;
  readonly #onProcess: OnHelperProcess;
  readonly #onPublished: (loaded: LoadedGuide) => void;
  #sources: readonly GuideSource[] = [];
  /** Of several sources. */
  #merged: GuideFile | undefined;
  /** Of another process, until there is one of our own. */
  #adopted: AdoptedGuide | undefined;
  /** A newer refresh or merge puts an end to an older one. */
  #refreshes = 0;
  #merges = 0;
  #adoptions = 0;
  #isRefreshing = false;
  #isMergeDue = false;

  constructor(parts: GuideParts) {
    const { log, reach, directory = tmpdir(), limits = GUIDE_LIMITS, schedule = scheduleTimeout, onPublished } = parts;
    this.#log = log;
    this.#reach = reach;
    this.#directory = directory;
    this.#limits = limits;
    this.#schedule = schedule;
    this.#userAgent = parts.userAgent;
    this.#onProcess = parts.onProcess ?? (() => {});
    this.#onPublished = onPublished ?? (() => {});
  }

  /** `plain` too while a guide is named and has not arrived. */
  get kind(): GuideKind {
    if (this.#sources.length === 0) return "none";
    return this.#file?.isGzip ? "gzip" : "plain";
  }

  /** Unix time in ms since when a part of it could not be renewed; undefined while all is well. */
  get staleSince(): number | undefined {
    const times = this.#sources.flatMap(({ staleSince }) => staleSince ?? []);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /**
   * @param encoding `gzip` for the bytes of a guide that came as gzip
   * @returns undefined while there is no guide, or none that is gzip: 404
   */
  open(encoding: GuideEncoding): OpenGuide | undefined {
    const file = this.#file;
    const stream = file?.open(encoding);
    return file && stream && { etag: `"${file.md5}"`, ...stream };
  }

  /** What is named no more is dropped at once; what is new comes with the next `refresh`. */
  setUrls(urls: readonly string[]): void {
    const all = [...new Set(urls)];
    const wanted = all.slice(0, MAX_GUIDES);
    const known = this.#sources;
    if (this.#comesFrom(wanted)) return;
    const leftOut = all.length - wanted.length;
    if (leftOut > 0) this.#log.error(`Only the first ${MAX_GUIDES} guides are used: ${leftOut} are left out`);
    this.#sources = wanted.map((url) => known.find((source) => source.url === url) ?? this.#source(url));
    for (const source of known) if (!this.#sources.includes(source)) source.close();
    runDetached(this.#log, "Joining EPG data", this.#merge());
  }

  /** Fetches one after the other, with retries for each that fails. Resolves after the first tries; never rejects. */
  async refresh(): Promise<void> {
    const refresh = ++this.#refreshes;
    this.#isRefreshing = true;
    for (const source of this.#sources) {
      await source.refresh();
      if (refresh !== this.#refreshes) return;
    }
    this.#isRefreshing = false;
    if (this.#isMergeDue) await this.#merge();
  }

  /** Publishes what another process has loaded, until there is something of our own. Never rejects. */
  async adopt({ urls, guide }: LoadedGuide): Promise<void> {
    const adoption = ++this.#adoptions;
    let file: GuideFile | undefined;
    try {
      file = guide && (await GuideFile.adopt(guide));
    } catch (error) {
      this.#log.warn(`EPG data of another worker cannot be read: ${errorReason(error)}`);
    }
    // Without a file there is a newer one on its way to us.
    if (adoption !== this.#adoptions || (guide && !file)) file?.close();
    else this.#useAdopted(file && { urls, file });
  }

  close(): void {
    this.#refreshes++;
    this.#adoptions++;
    this.#useAdopted(undefined);
    this.setUrls([]);
  }

  get #file(): GuideFile | undefined {
    if (this.#own) return this.#own;
    return this.#adopted && this.#comesFrom(this.#adopted.urls) ? this.#adopted.file : undefined;
  }

  get #own(): GuideFile | undefined {
    return this.#sources.length > 1 ? this.#merged : this.#sources[0]?.file;
  }

  #comesFrom(urls: readonly string[]): boolean {
    const known = this.#sources;
    return urls.length === known.length && urls.every((url, i) => url === known[i]?.url);
  }

  #useAdopted(adopted: AdoptedGuide | undefined): void {
    this.#adopted?.file.close();
    this.#adopted = adopted;
  }

  #source(url: string): GuideSource {
    return new GuideSource({
      url,
      log: this.#log,
      reach: this.#reach,
      directory: this.#directory,
      limits: this.#limits,
      schedule: this.#schedule,
      userAgent: this.#userAgent,
      onProcess: this.#onProcess,
      onChange: () => {
        this.#isMergeDue = true;
        if (!this.#isRefreshing) runDetached(this.#log, "Joining EPG data", this.#merge());
      },
    });
  }

  /** The old one stays in use until the new one is complete. */
  async #merge(): Promise<void> {
    const merge = ++this.#merges;
    this.#isMergeDue = false;
    const files = this.#sources.flatMap(({ url, file }) => (file ? [{ name: shown(url), file }] : []));
    let merged: GuideFile | undefined;
    try {
      if (this.#sources.length > 1 && files.length > 0) merged = await this.#join(files);
    } catch (error) {
      this.#log.error(`EPG data cannot be joined: ${error instanceof Error ? error.message : error}`);
      return;
    }
    if (merge !== this.#merges) {
      merged?.close();
      return;
    }
    this.#merged?.close();
    this.#merged = merged;
    this.#published();
  }

  /** What has not come yet is no news. */
  #published(): void {
    const own = this.#own;
    if (!own && this.#sources.length > 0) return;
    this.#useAdopted(undefined);
    this.#onPublished({ kind: "guide", urls: this.#sources.map(({ url }) => url), guide: own?.loaded });
  }

  #join(files: readonly { readonly name: string; readonly file: GuideFile }[]): Promise<GuideFile> {
    const documents = files.map(({ name, file }) => ({
      name,
      plain: () => limited(file.plain(), this.#limits.maxBytes),
    }));
    const all = mergeGuides(documents, (name, reason) =>
      this.#log.warn(`EPG data of ${name} is incomplete: ${reason}`),
    );
    // Published as gzip when one of them came so: every player that knows the one kind gets what it knows.
    const isGzip = files.some(({ file }) => file.isGzip);
    const onMoved = (place: string) => this.#log.warn(`EPG data ${place}: joined`);
    return GuideFile.write(isGzip ? gzip(all) : all, this.#directory, onMoved);
  }
}
