/** A byte-stream upstream on its way to its one client: source, pipe and HTTP connection tied together. */
import type { Connection } from "../http/connection.ts";
import type { ClientSink } from "../relay/cursor.ts";
import type { QueueStats, SourceStats } from "../relay/flow.ts";
import type { Hub } from "../relay/hub.ts";
import { type ByteSource, Pipe } from "../relay/pipe.ts";

export class PipedClient {
  readonly #connection: Connection;
  readonly #hub: Hub;
  readonly #pipe: Pipe;

  /** @param onFinished the source is over, and `sink` has been told the end after all of it */
  constructor(connection: Connection, source: ByteSource, sink: ClientSink, hub: Hub, onFinished: () => void) {
    this.#connection = connection;
    this.#hub = hub;
    this.#pipe = new Pipe(source, sink, hub.budget, {
      pauseChanged: () => {
        connection.anyUpstreamPaused = this.#pipe.gate.isPaused;
      },
      finished: () => {
        this.close();
        sink.end(undefined);
        onFinished();
      },
    });
  }

  start(): void {
    this.#connection.onWritable = () => this.#pipe.drained();
    this.#connection.onUpstreamResumable = () => this.#pipe.resume();
    this.#hub.tick.add(this.#pipe);
    this.#pipe.tick(performance.now());
  }

  /** What waits for the client, and what has come for it. */
  get pipe(): QueueStats & SourceStats {
    return this.#pipe;
  }

  /** The source has bytes, or is over. */
  onReadable(): void {
    this.#pipe.onReadable();
  }

  close(): void {
    this.#hub.tick.remove(this.#pipe);
    this.#pipe.close();
    this.#connection.anyUpstreamPaused = false;
  }
}
