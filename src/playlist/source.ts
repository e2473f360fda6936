/** A playlist that lives elsewhere: loaded, loaded again, and kept when that fails (m3u.md sections 1 to 3). */
import type { Log } from "../system/log.ts";
import type { Reach } from "../system/reach.ts";
import { shown } from "../system/shown.ts";
import { Slices } from "../system/slices.ts";
import type { UnicodeText } from "../wire/text/byte-string.ts";
import { type Download, type DownloadLimits, download } from "./download.ts";
import { PlaylistError } from "./errors.ts";
import { describeRetry, describeStale, RetryingJob, type Schedule, scheduleTimeout } from "./retrying-job.ts";
import { collect, gunzip, isGzip, limited, peek } from "./streams.ts";

export const PLAYLIST_LIMITS: DownloadLimits = { maxBytes: 20 * 1024 * 1024, totalMs: 30_000, idleMs: 20_000 };

const ENTRY = "#EXTINF";
/** What may stand before it in its line, as a byte string. */
const MAX_INDENT_BYTES = 1024;
const INDENT = /^(?:\xef\xbb\xbf)?[\t ]*$/;

interface SourceParts {
  /** `file://`, `http://` or `https://`. */
  readonly url: UnicodeText;
  readonly log: Log;
  /** As the settings of now have it. */
  readonly reach: () => Reach;
  /** A new version has come, as bytes of their own. May take its time: the load ends with it. */
  readonly onLoaded: (list: Buffer) => void | Promise<void>;
  readonly limits?: DownloadLimits;
  readonly schedule?: Schedule;
}

export class PlaylistSource {
  readonly url: string;
  /** Unix time in ms of the first failure since the last success; undefined while all is well. */
  staleSince: number | undefined;
  readonly #parts: SourceParts;
  readonly #job: RetryingJob;
  #etag: string | undefined;
  /** Of the bytes. Without an ETag an unchanged list comes again and again, and need not be read. */
  #hash: number | bigint | undefined;

  constructor(parts: SourceParts) {
    this.url = parts.url;
    this.#parts = parts;
    this.#job = new RetryingJob(
      {
        attempt: (signal) => this.#load(signal),
        failed: (error, retry) => {
          this.staleSince ??= Date.now();
          const { log, url } = this.#parts;
          const what = `Async external M3U fetch failed: ${shown(url)}, ${describeRetry(retry)}`;
          log.error(`${what}: ${error.message}${describeStale(this.staleSince, this.#hash !== undefined)}`);
        },
      },
      parts.schedule ?? scheduleTimeout,
    );
    parts.log.info(`External M3U configured: ${shown(parts.url)} (will load asynchronously)`);
  }

  /** Loads now, with retries when that fails. Resolves to whether the first try succeeded; never rejects. */
  refresh(): Promise<boolean> {
    return this.#job.start();
  }

  /** Nothing is left behind, and nothing will be heard of it. */
  close(): void {
    this.#job.close();
  }

  async #load(signal: AbortSignal): Promise<void> {
    const { url, limits = PLAYLIST_LIMITS, reach, onLoaded, log } = this.#parts;
    const loaded = await download(
      { url, limits, reach: reach(), isConfigured: true, etag: this.#etag, signal },
      async ({ etag, body }) => ({
        etag,
        list: await readPlaylist(body, limits.maxBytes),
      }),
    );
    signal.throwIfAborted();
    if (loaded) {
      const hash = Bun.hash(loaded.list);
      if (hash !== this.#hash) await onLoaded(loaded.list);
      signal.throwIfAborted();
      this.#hash = hash;
      this.#etag = loaded.etag;
    }
    this.staleSince = undefined;
    log.info("External M3U reloaded successfully (async)");
  }
}

/** An error page, delivered as if it were a playlist, must not wipe the channels. */
async function readPlaylist(body: Download["body"], maxBytes: number): Promise<Buffer> {
  const { head, chunks } = await peek(body, 2);
  const plain = isGzip(head) ? limited(gunzip(chunks), maxBytes) : chunks;
  const list = await collect(plain);
  if (!(await hasEntry(list))) throw new PlaylistError("bad-content", "No #EXTINF in it");
  return list;
}

/** Looks at each byte a few times only: lists are long, and may be made to hurt. */
async function hasEntry(list: Buffer): Promise<boolean> {
  const slices = new Slices();
  let at = list.indexOf(ENTRY);
  while (at >= 0) {
    const lineStart = list.lastIndexOf("\n", at) + 1;
    if (at - lineStart <= MAX_INDENT_BYTES && INDENT.test(list.toString("latin1", lineStart, at))) return true;
    if (slices.isOver) await slices.next();
    const lineEnd = list.indexOf("\n", at);
    at = lineEnd < 0 ? -1 : list.indexOf(ENTRY, lineEnd);
  }
  return false;
}
