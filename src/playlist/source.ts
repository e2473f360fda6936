/** A playlist that lives elsewhere: loaded, loaded again, and kept when that fails (m3u.md sections 1 to 3). */
import type { Log } from "../system/log.ts";
import type { Reach } from "../system/reach.ts";
import { shown } from "../system/shown.ts";
import { Slices } from "../system/slices.ts";
import { M3uParser } from "../wire/m3u/parser.ts";
import { bytesToString, type UnicodeText } from "../wire/text/byte-string.ts";
import { decodeList } from "./decode.ts";
import { type Download, type DownloadLimits, download } from "./download.ts";
import { PlaylistError } from "./errors.ts";
import { describeRetry, describeStale, RetryingJob, type Schedule, scheduleTimeout } from "./retrying-job.ts";
import { collect, gunzip, isGzip, peek } from "./streams.ts";

export const PLAYLIST_LIMITS: DownloadLimits = { maxBytes: 64 * 1024 * 1024, totalMs: 120_000, idleMs: 20_000 };

/** Of a list that is searched for an entry. */
const PIECE_BYTES = 8 * 1024;

/** So much tells what something is that is no list. */
const SIGN_BYTES = 4096;

interface SourceParts {
  /** `file://`, `http://` or `https://`. */
  readonly url: UnicodeText;
  readonly log: Log;
  /** As the settings of now have it. */
  readonly reach: () => Reach;
  /**
   * A new version has come, as bytes of their own. May take its time: the load ends with it.
   * @param base what its relative URLs are relative to
   */
  readonly onLoaded: (list: Buffer, base: string) => void | Promise<void>;
  readonly limits?: DownloadLimits;
  /** Asked at each load. */
  readonly userAgent: () => string;
  readonly schedule?: Schedule;
}

export class PlaylistSource {
  readonly url: string;
  /** Unix time in ms of the first failure since the last success; undefined while all is well. */
  staleSince: number | undefined;
  readonly #parts: SourceParts;
  readonly #job: RetryingJob;
  #etag: string | undefined;
  /** Of the bytes and where they were. Without an ETag an unchanged list comes again and again, and need not be read. */
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
    const { url, limits = PLAYLIST_LIMITS, reach, onLoaded, log, userAgent } = this.#parts;
    const { maxBytes } = limits;
    // A list that is too long is used as far as it may be.
    const whole = { ...limits, maxBytes: Number.POSITIVE_INFINITY };
    const loaded = await download(
      {
        url,
        limits: whole,
        reach: reach(),
        isConfigured: true,
        userAgent: userAgent(),
        etag: this.#etag,
        signal,
      },
      async ({ url: base, etag, body }) => ({
        base,
        etag,
        ...(await readPlaylist(body, maxBytes)),
      }),
    );
    signal.throwIfAborted();
    if (loaded) {
      const hash = Bun.hash(loaded.list, Bun.hash.crc32(loaded.base));
      if (loaded.isCut) log.error(`${shown(url)}: only its first ${maxBytes} bytes are used`);
      if (hash !== this.#hash) await onLoaded(loaded.list, loaded.base);
      signal.throwIfAborted();
      this.#hash = hash;
      this.#etag = loaded.etag;
    }
    this.staleSince = undefined;
    log.info("External M3U reloaded successfully (async)");
  }
}

interface ReadList {
  /** In UTF-8. */
  readonly list: Buffer;
  readonly isCut: boolean;
}

/** An error page, delivered as if it were a playlist, must not wipe the channels. */
async function readPlaylist(body: Download["body"], maxBytes: number): Promise<ReadList> {
  const { head, chunks } = await peek(body, 2);
  const bytes = await collect(isGzip(head) ? gunzip(chunks) : chunks, maxBytes + 1);
  const isCut = bytes.length > maxBytes;
  const list = await decodeList(bytes.subarray(0, maxBytes));
  if (!(await hasEntry(list))) throw new PlaylistError("bad-content", `No channel in it${whatElse(list)}`);
  return { list, isCut };
}

/** What was sent in the place of a list. */
function whatElse(list: Buffer): string {
  const beginning = list.toString("latin1", 0, SIGN_BYTES);
  if (list.length === 0) return ": it is empty";
  if (/^\s*<(?:!doctype\s+html|html)/i.test(beginning)) return ": it is an HTML page";
  if (/^\s*[{[]/.test(beginning)) return ": it is JSON";
  if (/^#EXT-X-(?:TARGETDURATION|STREAM-INF)/m.test(beginning)) return ": it is an HLS playlist, which is one channel";
  return "";
}

async function hasEntry(list: Buffer): Promise<boolean> {
  const slices = new Slices();
  const parser = new M3uParser();
  for (let at = 0; at < list.length; at += PIECE_BYTES) {
    parser.push(bytesToString(list, at, at + PIECE_BYTES));
    if (parser.takeEntries().length > 0) return true;
    if (slices.isOver) await slices.next();
  }
  return parser.finish().entries.length > 0;
}
