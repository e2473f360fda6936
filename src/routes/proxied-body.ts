/** The body of a proxied answer on its way to the client. */
import type { Connection } from "../http/connection.ts";
import type { QueueStats, SourceStats } from "../relay/flow.ts";
import type { Hub } from "../relay/hub.ts";
import { BodySource } from "../upstream/http/body.ts";
import type { HttpSession } from "../upstream/http/session.ts";
import type { BodyFraming } from "../wire/http/response-framing.ts";
import { PipedClient } from "./piped-client.ts";

export class ProxiedBody {
  readonly #connection: Connection;
  readonly #client: PipedClient;

  constructor(connection: Connection, session: HttpSession, framing: BodyFraming, hub: Hub) {
    this.#connection = connection;
    const sink = {
      write: (bytes: Uint8Array, offset: number, length: number) => connection.write(bytes, offset, length),
      end: () => connection.endStream(),
    };
    this.#client = new PipedClient(connection, new BodySource(session, framing), sink, hub, () => session.close());
  }

  /** What waits for the client, and what has come for it. */
  get pipe(): QueueStats & SourceStats {
    return this.#client.pipe;
  }

  /** The head is flushed at once, whatever the body does. */
  start(): void {
    this.#connection.write(new Uint8Array(0), 0, 0);
    this.#client.start();
  }

  /** The session has bytes, or is over. */
  readable(): void {
    this.#client.onReadable();
  }

  close(): void {
    this.#client.close();
  }
}
