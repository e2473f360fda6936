/** MPEG-TS over HTTP by mpegts.js, which fills a MediaSource. The requests are our own (`TsStream`). */
import type Mpegts from "mpegts.js";
import { type BackendEvents, MAX_AHEAD_S, MAX_BEHIND_S, type MediaBackend, MIN_BEHIND_S } from "./backend.ts";
import { TS_LIBRARY_LOG } from "./console-log.ts";
import { latencyS } from "./media-element.ts";
import { TsStream } from "./ts-stream.ts";

type Library = typeof Mpegts;
type LoaderConstructor = NonNullable<Mpegts.Config["customLoader"]>;
type Loader = InstanceType<LoaderConstructor>;

/** DOMException.code of what `addSourceBuffer` throws for a codec that it does not know. */
const NOT_SUPPORTED = 9;

export class TsBackend implements MediaBackend {
  readonly #video: HTMLVideoElement;
  readonly #events: BackendEvents;
  #player: Mpegts.Player | undefined;
  #stream: TsStream | undefined;
  #loader: Loader | undefined;
  /** Bytes that the library has. */
  #given = 0;
  #isDestroyed = false;

  constructor(video: HTMLVideoElement, events: BackendEvents) {
    this.#video = video;
    this.#events = events;
  }

  load(url: string): void {
    const { promise: opened, resolve: open } = Promise.withResolvers<Loader>();
    const stream = new TsStream(
      url,
      {
        tracks: ({ video, audio, unplayableAudio }) => {
          this.#events.details({ video, audio });
          if (unplayableAudio) this.#events.unplayableAudio(unplayableAudio);
        },
        data: (bytes) => this.#give(bytes),
        rate: (bitsPerSecond) => this.#events.details({ bitsPerSecond }),
        isHls: () => this.#events.isHls(),
        end: () => this.#loader?.onComplete(0, this.#given - 1),
        failed: (failure) => this.#events.failed(failure),
      },
      () => (latencyS(this.#video) ?? 0) > MAX_AHEAD_S,
    );
    this.#stream = stream;
    void stream.run(opened);
    void import("mpegts.js").then(
      ({ default: library }) => this.#isDestroyed || this.#start(library, open),
      () => this.#isDestroyed || this.#events.failed({ kind: "network" }),
    );
  }

  #give(bytes: Uint8Array<ArrayBuffer>): void {
    if (!this.#loader) return;
    const start = this.#given;
    this.#given += bytes.length;
    const isWhole = bytes.byteOffset === 0 && bytes.length === bytes.buffer.byteLength;
    this.#loader.onDataArrival(isWhole ? bytes.buffer : bytes.slice().buffer, start, this.#given);
  }

  #start(library: Library, open: (loader: Loader) => void): void {
    library.LoggingControl.applyConfig(TS_LIBRARY_LOG);
    const player = library.createPlayer(
      // As live in any case: otherwise the library seeks by requests of its own.
      { type: "mpegts", isLive: true, url: location.href },
      {
        enableStashBuffer: false,
        lazyLoad: false,
        autoCleanupSourceBuffer: true,
        autoCleanupMaxBackwardDuration: MAX_BEHIND_S,
        autoCleanupMinBackwardDuration: MIN_BEHIND_S,
        customLoader: loaderClass(library, (loader) => {
          this.#loader = loader;
          open(loader);
        }),
      },
    );
    this.#player = player;
    player.on(library.Events.ERROR, (type: string, detail: string, info: unknown) => {
      if (type === library.ErrorTypes.MEDIA_ERROR) this.#mediaError(library, detail, info);
    });
    player.on(library.Events.MEDIA_INFO, (info: Mpegts.MSEPlayerMediaInfo) => this.#mediaInfo(info));
    player.attachMediaElement(this.#video);
    player.load();
  }

  #mediaError(library: Library, detail: string, info: unknown): void {
    const { code } = info as { readonly code?: number };
    const isUnsupported = code === NOT_SUPPORTED || detail === library.ErrorDetails.MEDIA_CODEC_UNSUPPORTED;
    this.#events.failed(isUnsupported ? { kind: "unsupported", codecs: [] } : { kind: "decode" });
  }

  #mediaInfo({ fps, ...info }: Mpegts.MSEPlayerMediaInfo): void {
    const channels: unknown = info["audioChannelCount"];
    this.#events.details({
      ...(fps ? { framesPerSecond: fps } : {}),
      ...(typeof channels === "number" ? { audioChannels: channels } : {}),
    });
  }

  destroy(): void {
    this.#isDestroyed = true;
    this.#stream?.stop();
    this.#loader = undefined;
    this.#player?.destroy();
    this.#player = undefined;
  }
}

/** The library makes a loader itself; what we want of it is only the place where data go in. */
function loaderClass({ BaseLoader, LoaderStatus }: Library, opened: (loader: Loader) => void): LoaderConstructor {
  return class extends BaseLoader {
    constructor() {
      super("sluice");
    }
    override open(): void {
      this._status = LoaderStatus.kBuffering;
      opened(this);
    }
    override abort(): void {
      this._status = LoaderStatus.kComplete;
    }
  };
}
