/** An HTTP client as a consumer: the head goes out with the first media, a stream that never began is answered with an error. */
import type { Connection, StreamWriter } from "../http/connection.ts";
import { busyResponse, errorResponse, type HttpResponse } from "../http/response.ts";
import type { Consumer, DropCounts } from "../relay/consumer.ts";
import type { Subscription } from "../relay/hub.ts";
import { ForbiddenError, type StreamInfo, type StreamState, UpstreamError } from "../relay/upstream.ts";
import type { WatchedClient } from "../status/clients.ts";
import type { Log } from "../system/log.ts";
import { shown } from "../system/shown.ts";
import { CLIENT_STATE, type ClientState } from "../wire/status/client-state.ts";
import { streamHeaders } from "./stream-headers.ts";

const NOTHING = new Uint8Array(0);
const UNAVAILABLE = 503;

export class MediaClient implements Consumer, StreamWriter {
  /** Set as soon as there is one. */
  subscription: Subscription | undefined;
  readonly #connection: Connection;
  readonly #isCors: boolean;
  readonly #log: Log;
  /** Its entry on the status page; one that only asks has none. */
  readonly #entry: WatchedClient | undefined;
  #hasBegun = false;

  constructor(connection: Connection, isCors: boolean, entry: WatchedClient | undefined, log: Log) {
    this.#connection = connection;
    this.#isCors = isCors;
    this.#entry = entry;
    this.#log = log;
  }

  opened(info: StreamInfo): void {
    const { response } = info;
    this.#hasBegun = true;
    this.#connection.startStream(response ?? { status: 200, headers: streamHeaders(info, this.#isCors) }, this);
    // What another server has said is passed on at once, however long its body takes.
    if (response) this.#connection.write(NOTHING, 0, 0);
  }

  write(bytes: Uint8Array, offset: number, length: number): number {
    return this.#connection.write(bytes, offset, length);
  }

  entered(state: StreamState): void {
    if (this.#entry) this.#entry.state = state as ClientState;
  }

  paused(isPaused: boolean): void {
    this.#connection.anyUpstreamPaused = isPaused;
  }

  dropped({ droppedPackets, droppedBytes }: DropCounts): void {
    const { peer } = this.#connection;
    this.#log.warn(`${peer} reads too slowly: ${droppedPackets} packets (${droppedBytes} bytes) dropped so far`);
  }

  end(cause: Error | undefined): void {
    if (cause) this.entered(CLIENT_STATE.error);
    if (this.#hasBegun) this.#connection.endStream();
    else if (cause instanceof UpstreamError && cause.code === "busy") this.#connection.respond(busyResponse());
    else this.#connection.respond(refusal(cause));
  }

  drained(): void {
    this.subscription?.drained();
  }

  resumeUpstream(): void {
    this.subscription?.resume();
  }
}

function refusal(cause: Error | undefined): HttpResponse {
  const told = cause instanceof ForbiddenError ? shown(cause.message) : undefined;
  return errorResponse(cause instanceof UpstreamError ? cause.status : UNAVAILABLE, [], told);
}
