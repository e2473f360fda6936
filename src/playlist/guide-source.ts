/** One programme guide that lives elsewhere: fetched, kept on disk, and kept when a later fetch fails (m3u.md section 9). */
import type { Log } from "../system/log.ts";
import type { Reach } from "../system/reach.ts";
import { shown } from "../system/shown.ts";
import type { UnicodeText } from "../wire/text/byte-string.ts";
import { type DownloadLimits, download } from "./download.ts";
import { PlaylistError } from "./errors.ts";
import { GuideFile } from "./guide-file.ts";
import { describeRetry, describeStale, RetryingJob, type Schedule } from "./retrying-job.ts";
import { type Chunks, peek } from "./streams.ts";

/** A guide may have ten times the bytes of a playlist: it goes to the disk while it comes, so that only a stall is suspicious. */
export const GUIDE_LIMITS: DownloadLimits = { maxBytes: 512 * 1024 * 1024, totalMs: 600_000, idleMs: 30_000 };

const HTML = /^(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html)/i;
const HTML_SIGN_BYTES = 64;

interface GuideSourceParts {
  readonly url: UnicodeText;
  readonly log: Log;
  /** As the settings of now have it. */
  readonly reach: () => Reach;
  readonly directory: string;
  readonly limits: DownloadLimits;
  /** Asked at each load. */
  readonly userAgent: () => string;
  readonly schedule: Schedule;
  /** `file` has become another one. */
  readonly onChange: () => void;
}

export class GuideSource {
  readonly url: string;
  /** The last good copy. */
  file: GuideFile | undefined;
  /** Unix time in ms of the first failure since the last success; undefined while all is well. */
  staleSince: number | undefined;
  readonly #parts: GuideSourceParts;
  readonly #job: RetryingJob;
  #etag: string | undefined;

  constructor(parts: GuideSourceParts) {
    this.url = parts.url;
    this.#parts = parts;
    this.#job = new RetryingJob(
      {
        attempt: (signal) => this.#load(signal),
        failed: (error, retry) => {
          this.staleSince ??= Date.now();
          const what = `Async EPG fetch failed: ${shown(parts.url)}, ${describeRetry(retry)}`;
          parts.log.error(`${what}: ${error.message}${describeStale(this.staleSince, this.file !== undefined)}`);
        },
      },
      parts.schedule,
    );
  }

  /** Resolves to whether the first try succeeded; never rejects. */
  refresh(): Promise<boolean> {
    return this.#job.start();
  }

  close(): void {
    this.#job.close();
    this.file?.close();
    this.file = undefined;
  }

  async #load(signal: AbortSignal): Promise<void> {
    const { url, limits, directory, log, reach, userAgent, onChange } = this.#parts;
    const asked = { url, limits, reach: reach(), userAgent: userAgent(), etag: this.#etag, signal };
    const loaded = await download(asked, async (found) => {
      const file = await GuideFile.write(await noErrorPage(found.body), directory, (place) =>
        log.warn(`EPG data ${place}: ${shown(url)}`),
      );
      if (found.signal.aborted) file.close();
      return { file, etag: found.etag };
    });
    signal.throwIfAborted();
    this.staleSince = undefined;
    if (!loaded) return;
    const { file, etag } = loaded;
    this.#etag = etag;
    log.info(`EPG data cached: ${file.bytes} bytes, ${file.isGzip ? "gzip" : "plain"}, ${shown(url)}`);
    if (file.md5 === this.file?.md5) {
      file.close();
      return;
    }
    this.file?.close();
    this.file = file;
    onChange();
  }
}

/** What a guide holds is nobody's business here, but a page for people would wipe out the good copy. */
async function noErrorPage(body: Chunks): Promise<Chunks> {
  const { head, chunks } = await peek(body, HTML_SIGN_BYTES);
  if (head.length === 0) throw new PlaylistError("bad-content", "It is empty");
  if (HTML.test(head.toString("latin1"))) throw new PlaylistError("bad-content", "An HTML page, not a guide");
  return chunks;
}
