/** One programme guide that lives elsewhere: fetched, kept on disk, and kept when a later fetch fails (m3u.md section 9). */
import type { OnHelperProcess } from "../system/helper-process.ts";
import type { Log } from "../system/log.ts";
import type { Reach } from "../system/reach.ts";
import { shown } from "../system/shown.ts";
import type { UnicodeText } from "../wire/text/byte-string.ts";
import { type DownloadLimits, download } from "./download.ts";
import { PlaylistError } from "./errors.ts";
import type { GuideCheck } from "./guide-check.ts";
import type { GuideFile } from "./guide-file.ts";
import { checkedGuide, storeGuide } from "./guide-intake.ts";
import { describeRetry, describeStale, RetryingJob, type Schedule } from "./retrying-job.ts";

/** A guide may have ten times the bytes of a playlist: it goes to the disk while it comes, so that only a stall is suspicious. */
export const GUIDE_LIMITS: DownloadLimits = { maxBytes: 512 * 1024 * 1024, totalMs: 600_000, idleMs: 30_000 };

const DAY_MS = 86_400_000;

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
  /** What unpacks for us. */
  readonly onProcess: OnHelperProcess;
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
  /** Of `file`. */
  #check: GuideCheck | undefined;

  constructor(parts: GuideSourceParts) {
    this.url = parts.url;
    this.#parts = parts;
    this.#job = new RetryingJob(
      {
        attempt: (signal) => this.#load(signal),
        failed: (error, retry) => {
          this.staleSince ??= Date.now();
          const what = `Async EPG fetch failed: ${shown(parts.url)}, ${describeRetry(retry)}`;
          parts.log.error(
            `${what}: ${error.message}${describeStale(this.staleSince, this.file !== undefined && this.#check?.breaksOff === undefined)}`,
          );
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
    const { url, limits, directory, log, reach, userAgent, onChange, onProcess } = this.#parts;
    const onMoved = (place: string) => log.warn(`EPG data ${place}: ${shown(url)}`);
    const intake = { directory, onMoved, onProcess, maxBytes: limits.maxBytes, signal };
    const asked = { url, limits, reach: reach(), userAgent: userAgent(), etag: this.#etag, signal };
    const stored = await download(asked, async (found) => {
      const guide = await storeGuide(found.body, intake);
      if (found.signal.aborted) await guide.file.close();
      return { guide, etag: found.etag };
    });
    if (signal.aborted) await stored?.guide.file.close();
    signal.throwIfAborted();
    if (!stored) {
      this.staleSince = undefined;
      return;
    }
    const { file, check } = await checkedGuide(stored.guide, intake);
    const reason = this.#worseThanOurs(check);
    if (signal.aborted) file.discard();
    signal.throwIfAborted();
    if (reason !== undefined) {
      file.discard();
      throw new PlaylistError("bad-content", reason);
    }
    log.info(`EPG data cached: ${file.bytes} bytes, ${file.isGzip ? "gzip" : "plain"}, ${shown(url)}`);
    this.#check = check;
    const isNew = file.md5 !== this.file?.md5;
    if (isNew) {
      this.file?.close();
      this.file = file;
      onChange();
    } else file.close();
    if (check.breaksOff !== undefined)
      throw new PlaylistError("bad-content", `${check.breaksOff}: its ${check.programmes} whole programmes are used`);
    this.staleSince = undefined;
    this.#etag = stored.etag;
  }

  /** Why the copy at hand stays in use. */
  #worseThanOurs({ breaksOff, programmes, lastDay }: GuideCheck): string | undefined {
    const ours = this.#check;
    if (!ours || !this.file) return undefined;
    if (breaksOff !== undefined) return ours.breaksOff === undefined ? breaksOff : undefined;
    if (programmes === 0 && ours.programmes > 0) return "No programme in it";
    const isOver = lastDay !== "" && lastDay < yesterday();
    return isOver && lastDay < ours.lastDay
      ? `Its last programme began on ${lastDay}, ours ${ours.lastDay}`
      : undefined;
  }
}

/** `yyyyMMdd`: a day that is over in every zone. */
function yesterday(): string {
  return new Date(Date.now() - DAY_MS).toISOString().slice(0, "yyyy-MM-dd".length).replaceAll("-", "");
}
