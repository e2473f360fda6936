/** A picture of a channel in the place of its stream (http.md section 20, status.md section 8). */
import type { Connection } from "../http/connection.ts";
import { errorResponse } from "../http/response.ts";
import type { Consumer, DropCounts } from "../relay/consumer.ts";
import type { StreamInfo, StreamState } from "../relay/upstream.ts";
import type { Ffmpeg, FfmpegOptions } from "../system/ffmpeg.ts";
import { SNAPSHOT_PARAMETER } from "../upstream/own-parameters.ts";
import { KeyFrameSearch } from "../upstream/rtp/key-frame.ts";
import { queryParameter } from "../wire/url/query.ts";
import type { MediaClient } from "./media-client.ts";
import type { Exchange } from "./route.ts";

/** From the moment the upstream is opened. */
const KEY_FRAME_TIMEOUT_MS = 2000;

export interface Snapshots {
  readonly ffmpeg: Pick<Ffmpeg, "jpegOf">;
  readonly options: FfmpegOptions;
}

/** What asks for a picture: only a client that asks in the URL knows nothing else to do than to show an error. */
export function snapshotTrigger({ request, query }: Exchange): "header" | "query" | undefined {
  const isAccepted = request.header("accept")?.toLowerCase().includes("image/jpeg");
  if (isAccepted || request.header("x-request-snapshot")?.startsWith("1")) return "header";
  return queryParameter(query, SNAPSHOT_PARAMETER) === "1" ? "query" : undefined;
}

type State =
  /** Media is looked at and nothing was answered. */
  | "searching"
  /** The key frame is being made a picture; the client takes no media meanwhile. */
  | "converting"
  /** There is no picture: the client gets the stream, beginning with the key frame if there is one. */
  | "streaming"
  /** The client has its picture, or an error. */
  | "answered";

/** What the upstream of a client writes to that asks for a picture. */
export class SnapshotClient implements Consumer {
  readonly #stream: MediaClient;
  readonly #connection: Connection;
  readonly #trigger: "header" | "query";
  readonly #snapshots: Snapshots;
  /** Undefined before there is anything to answer with. */
  #info: StreamInfo | undefined;
  readonly #search = new KeyFrameSearch();
  readonly #timer: Timer;
  #state: State = "searching";
  #hasMedia = false;
  #isLate = false;
  #hasEnded = false;
  #cause: Error | undefined;
  /** What the stream must begin with. */
  #owed: Uint8Array = new Uint8Array(0);

  /** @param stream gets what comes when there is no picture */
  constructor(stream: MediaClient, connection: Connection, trigger: "header" | "query", snapshots: Snapshots) {
    this.#stream = stream;
    this.#connection = connection;
    this.#trigger = trigger;
    this.#snapshots = snapshots;
    this.#timer = setTimeout(() => this.#expire(), KEY_FRAME_TIMEOUT_MS);
    connection.whenClosed(() => clearTimeout(this.#timer));
  }

  opened(info: StreamInfo): void {
    this.#info = info;
    if (this.#isStreaming) this.#stream.opened(info);
  }

  entered(state: StreamState): void {
    this.#stream.entered(state);
  }

  paused(isPaused: boolean): void {
    this.#stream.paused(isPaused);
  }

  dropped(counts: DropCounts): void {
    this.#stream.dropped(counts);
  }

  write(bytes: Uint8Array, offset: number, length: number): number {
    if (this.#isStreaming) return this.#forward(bytes, offset, length);
    if (this.#state !== "searching") return 0;
    this.#hasMedia = true;
    const taken = this.#search.push(bytes, offset, length);
    if (this.#search.state === "complete") this.#convert();
    else if (this.#search.state === "failed" || this.#isLate) this.#fail();
    return this.#isStreaming ? taken + this.#forward(bytes, offset + taken, length - taken) : taken;
  }

  end(cause: Error | undefined): void {
    this.#hasEnded = true;
    this.#cause = cause;
    if (this.#state === "searching") {
      this.#search.finish();
      if (this.#search.state === "complete") this.#convert();
      else if (this.#hasMedia && this.#trigger === "query") this.#fail();
      else {
        this.#enter("streaming");
        // HEAD: there is an answer, and no media to come.
        if (this.#info && !this.#hasMedia) this.#stream.opened(this.#info);
      }
    }
    if (this.#isStreaming) this.#stream.end(cause);
  }

  get #isStreaming(): boolean {
    return this.#state === "streaming";
  }

  /** A stream without a key frame. Without any media it is up to the upstream to give up. */
  #expire(): void {
    this.#isLate = true;
    if (this.#state === "searching" && (this.#hasMedia || this.#trigger === "header")) this.#fail();
  }

  #convert(): void {
    this.#enter("converting");
    const { ffmpeg, options } = this.#snapshots;
    ffmpeg
      .jpegOf(this.#search.frame, options, this.#connection.closed)
      .then((jpeg) => (jpeg ? this.#answer(jpeg) : this.#fail()))
      .catch((error) => this.#connection.failed(error));
  }

  #answer(jpeg: Uint8Array): void {
    this.#enter("answered");
    const { metadata = [] } = this.#info ?? {};
    this.#connection.respond({
      status: 200,
      headers: [["Content-Type", "image/jpeg"], ["Content-Length", String(jpeg.length)], ...metadata],
      body: jpeg,
    });
  }

  #fail(): void {
    if (this.#trigger === "query") {
      this.#enter("answered");
      this.#connection.respond(errorResponse(500));
      return;
    }
    const wasBlocked = this.#state === "converting";
    this.#owed = this.#search.held;
    this.#enter("streaming");
    if (this.#info) this.#stream.opened(this.#info);
    if (!wasBlocked) return;
    // As if the socket had drained: `write` has taken less than was offered.
    this.#connection.writable();
    if (this.#hasEnded) {
      this.#forward(this.#owed, 0, 0);
      this.#stream.end(this.#cause);
    }
  }

  #forward(bytes: Uint8Array, offset: number, length: number): number {
    if (this.#owed.length > 0) {
      this.#owed = this.#owed.subarray(this.#stream.write(this.#owed, 0, this.#owed.length));
      if (this.#owed.length > 0) return 0;
    }
    return length > 0 ? this.#stream.write(bytes, offset, length) : 0;
  }

  #enter(state: State): void {
    this.#state = state;
    clearTimeout(this.#timer);
  }
}
