/** HLS by hls.js (its light build), and by the browser itself where MediaSource is missing. */
import type Hls from "hls.js";
import type { ErrorData, HlsConfig } from "hls.js";
import { type BackendEvents, MAX_AHEAD_S, MAX_BEHIND_S, type MediaBackend } from "./backend.ts";
import { HLS_LIBRARY_LOG } from "./console-log.ts";

/** Segments behind the live edge where playback starts (status.md section 14). */
const LIVE_SYNC_SEGMENTS = 3;

const CONFIG: Partial<HlsConfig> = {
  ...HLS_LIBRARY_LOG,
  // A worker would need a script from a blob, which the page's policy forbids.
  enableWorker: false,
  backBufferLength: MAX_BEHIND_S,
  maxMaxBufferLength: MAX_AHEAD_S,
  liveSyncDurationCount: LIVE_SYNC_SEGMENTS,
};

export class HlsBackend implements MediaBackend {
  readonly #video: HTMLVideoElement;
  readonly #events: BackendEvents;
  #hls: Hls | undefined;
  #isDestroyed = false;
  #hasRecovered = false;

  constructor(video: HTMLVideoElement, events: BackendEvents) {
    this.#video = video;
    this.#events = events;
  }

  load(url: string): void {
    void import("hls.js/light").then(
      ({ default: Library }) => this.#isDestroyed || this.#start(Library, url),
      () => this.#isDestroyed || this.#events.failed({ kind: "network" }),
    );
  }

  #start(Library: typeof Hls, url: string): void {
    const hls = new Library(CONFIG);
    this.#hls = hls;
    hls.on(Library.Events.ERROR, (_event, data) => data.fatal && this.#failed(Library, hls, data));
    hls.on(Library.Events.MANIFEST_PARSED, (_event, { levels }) => {
      // The best picture from the start: the server is near.
      hls.nextLevel = levels.length - 1;
    });
    hls.on(Library.Events.LEVEL_SWITCHED, (_event, { level }) => {
      const { bitrate, frameRate } = hls.levels[level] ?? {};
      this.#events.details({
        ...(bitrate ? { bitsPerSecond: bitrate } : {}),
        ...(frameRate ? { framesPerSecond: frameRate } : {}),
      });
    });
    hls.on(Library.Events.BUFFER_CODECS, (_event, { video, audio }) => {
      this.#events.details({
        video: video?.codec?.startsWith("hvc") ? "H.265" : "H.264",
        audio: audio ? "AAC" : undefined,
      });
    });
    hls.loadSource(url);
    hls.attachMedia(this.#video);
  }

  #failed(library: typeof Hls, hls: Hls, { type, details, response }: ErrorData): void {
    const {
      BUFFER_ADD_CODEC_ERROR,
      BUFFER_INCOMPATIBLE_CODECS_ERROR,
      MANIFEST_INCOMPATIBLE_CODECS_ERROR,
      MANIFEST_PARSING_ERROR,
    } = library.ErrorDetails;
    const isUnsupported =
      details === BUFFER_ADD_CODEC_ERROR ||
      details === BUFFER_INCOMPATIBLE_CODECS_ERROR ||
      details === MANIFEST_INCOMPATIBLE_CODECS_ERROR;
    if (isUnsupported) {
      this.#events.failed({ kind: "unsupported", codecs: [] });
      return;
    }
    if (details === MANIFEST_PARSING_ERROR) {
      this.#events.failed({ kind: "format" });
      return;
    }
    if (type === library.ErrorTypes.NETWORK_ERROR) {
      const status = response?.code ?? 0;
      this.#events.failed(status >= 400 ? { kind: "http", status } : { kind: "network" });
      return;
    }
    // Once it mends itself; what fails again is for the session to decide.
    if (type === library.ErrorTypes.MEDIA_ERROR && !this.#hasRecovered) {
      this.#hasRecovered = true;
      hls.recoverMediaError();
      return;
    }
    this.#events.failed({ kind: "decode" });
  }

  destroy(): void {
    this.#isDestroyed = true;
    this.#hls?.destroy();
    this.#hls = undefined;
  }
}

/** The element plays the URL itself: HLS in browsers of Apple, anything on television sets. */
export class NativeBackend implements MediaBackend {
  readonly #video: HTMLVideoElement;

  constructor(video: HTMLVideoElement) {
    this.#video = video;
  }

  load(url: string): void {
    this.#video.src = url;
  }

  destroy(): void {
    this.#video.removeAttribute("src");
    this.#video.load();
  }
}
