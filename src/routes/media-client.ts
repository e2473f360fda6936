/** An HTTP client as the relay sees it: the head goes out with the first media, a stream that never began is answered 503. */
import type { Connection } from "../http/connection.ts";
import { errorResponse } from "../http/response.ts";
import type { ClientSink } from "../relay/cursor.ts";

export class MediaClient implements ClientSink {
  readonly #connection: Connection;
  readonly #head: () => Uint8Array;
  #hasBegun = false;

  /** @param head makes the response head, called when the first media is there */
  constructor(connection: Connection, head: () => Uint8Array) {
    this.#connection = connection;
    this.#head = head;
  }

  write(bytes: Uint8Array, offset: number, length: number): number {
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#connection.startStream(this.#head());
    }
    return this.#connection.write(bytes, offset, length);
  }

  end(): void {
    if (this.#hasBegun) this.#connection.endStream();
    else this.#connection.respond(errorResponse(503));
  }
}
