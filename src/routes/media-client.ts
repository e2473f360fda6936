/** An HTTP client as the relay sees it: the head goes out with the first media, a stream that never began is answered 503. */
import type { Connection } from "../http/connection.ts";
import { errorResponse } from "../http/response.ts";
import type { ClientSink, Cursor } from "../relay/cursor.ts";
import type { Log } from "../system/log.ts";

export class MediaClient implements ClientSink {
  readonly #connection: Connection;
  readonly #log: Log;
  readonly #head: () => Uint8Array;
  #hasBegun = false;

  /** @param head makes the response head, called when the first media is there */
  constructor(connection: Connection, log: Log, head: () => Uint8Array) {
    this.#connection = connection;
    this.#log = log;
    this.#head = head;
  }

  write(bytes: Uint8Array, offset: number, length: number): number {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#connection.startStream(this.#head());
    }
    return this.#connection.write(bytes, offset, length);
  }

  dropped({ droppedPackets, droppedBytes }: Cursor): void {
    const { peer } = this.#connection;
    this.#log.warn(`${peer} reads too slowly: ${droppedPackets} packets (${droppedBytes} bytes) dropped so far`);
  }

  end(): void {
    if (this.#hasBegun) this.#connection.endStream();
    else this.#connection.respond(errorResponse(503));
  }
}
