/** Pictures by an external FFmpeg: one frame of a transport stream in, a JPEG out, both through pipes (status.md section 8). */
import { splitArguments } from "../wire/text/argument.ts";
import { firstBytes, lowerPriority, type OnHelperProcess } from "./helper-process.ts";
import { LOG_DEBUG, type Log } from "./log.ts";

/** At the same time, in one worker: more would take the processor from the streams. */
const MAX_CONVERSIONS = 2;
/** For a picture, with the wait for its turn: one that hangs takes no more than that of anybody's time. */
const CONVERSION_TIMEOUT_MS = 5000;
/** Of that time, what the wait may take: what begins later would not end in time. */
const WAIT_SHARE = 0.8;
/** Who wants a picture when so many wait already gets none. */
const MAX_WAITING = 32;
/** A picture is smaller than this. */
const MAX_JPEG_BYTES = 8 * 1024 * 1024;
const MAX_MESSAGE_BYTES = 4096;

export interface FfmpegOptions {
  /** A path, or a name to be found in PATH. */
  readonly ffmpegPath: string;
  /** Further arguments in one text, see `splitArguments`. */
  readonly ffmpegArgs: string;
}

interface FfmpegParts {
  readonly log: Log;
  readonly timeoutMs?: number;
  readonly onProcess?: OnHelperProcess;
}

export class Ffmpeg {
  readonly #log: Log;
  readonly #timeoutMs: number;
  readonly #onProcess: OnHelperProcess;
  readonly #over = new AbortController();
  #running = 0;
  readonly #waiting = new Set<() => void>();

  constructor({ log, timeoutMs = CONVERSION_TIMEOUT_MS, onProcess = () => {} }: FfmpegParts) {
    this.#log = log;
    this.#timeoutMs = timeoutMs;
    this.#onProcess = onProcess;
  }

  /** Ends all that run. */
  close(): void {
    this.#over.abort();
  }

  /**
   * @param frame MPEG-TS with tables and one picture; must not change meanwhile
   * @param signal nobody wants the picture any more
   * @returns undefined when there is no picture; the log says why, at DEBUG
   */
  async jpegOf(frame: Uint8Array, options: FfmpegOptions, signal: AbortSignal): Promise<Uint8Array | undefined> {
    const end = AbortSignal.any([signal, this.#over.signal, AbortSignal.timeout(this.#timeoutMs)]);
    const waitEnd = AbortSignal.any([end, AbortSignal.timeout(this.#timeoutMs * WAIT_SHARE)]);
    if (!(await this.#turn(waitEnd))) {
      if (!signal.aborted) this.#reportFailure(`${this.#running} others still run, ${this.#waiting.size} wait`);
      return undefined;
    }
    try {
      return await this.#convert(frame, options, signal, end);
    } catch (error) {
      this.#reportFailure(error instanceof Error ? error.message : `${error}`);
      return undefined;
    } finally {
      const [next] = this.#waiting;
      if (next) next();
      else this.#running--;
    }
  }

  /** Waits until it may run; false when it is not worth it any more. Whoever gets a turn passes it on. */
  #turn(end: AbortSignal): Promise<boolean> | boolean {
    if (end.aborted || this.#waiting.size === MAX_WAITING) return false;
    if (this.#running < MAX_CONVERSIONS) {
      this.#running++;
      return true;
    }
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const settle = (isMine: boolean) => {
      end.removeEventListener("abort", leave);
      this.#waiting.delete(begin);
      resolve(isMine);
    };
    const begin = () => settle(true);
    const leave = () => settle(false);
    end.addEventListener("abort", leave);
    this.#waiting.add(begin);
    return promise;
  }

  async #convert(
    frame: Uint8Array,
    { ffmpegPath, ffmpegArgs }: FfmpegOptions,
    signal: AbortSignal,
    end: AbortSignal,
  ): Promise<Uint8Array | undefined> {
    const input = ["-loglevel", "error", "-f", "mpegts", "-i", "pipe:0"];
    const output = ["-frames:v", "1", "-q:v", "8", "-f", "mjpeg", "pipe:1"];
    const child = Bun.spawn([ffmpegPath, ...splitArguments(ffmpegArgs), ...input, ...output], {
      stdio: [Buffer.from(frame), "pipe", "pipe"],
      signal: end,
      killSignal: "SIGKILL",
      onExit: ({ pid }) => this.#onProcess(pid, false),
    });
    this.#onProcess(child.pid, true);
    lowerPriority(child.pid);
    // A program that was killed may have left others, who hold the pipes open: nobody waits for those.
    const ended = new Promise<undefined>((resolve) => end.addEventListener("abort", () => resolve(undefined)));
    const messages = firstBytes(child.stderr, MAX_MESSAGE_BYTES).catch(() => Buffer.alloc(0));
    const picture = await Promise.race([ended, firstBytes(child.stdout, MAX_JPEG_BYTES)]);
    const status = picture && (await Promise.race([ended, child.exited]));
    if (status === 0 && picture && picture.length > 0 && picture.length < MAX_JPEG_BYTES) return picture;
    if (!signal.aborted) {
      const said = end.aborted ? `no picture within ${this.#timeoutMs} ms` : `${await messages}`.trim();
      this.#reportFailure(said || `exit status ${status}, ${picture?.length ?? 0} bytes`);
    }
    return undefined;
  }

  #reportFailure(what: string): void {
    if (this.#log.level >= LOG_DEBUG) this.#log.debug(`Snapshot: ffmpeg failed: ${what}`);
  }
}
