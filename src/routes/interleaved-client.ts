/** RTSP media of a control connection on its way to its client: source, pipe and HTTP connection tied together. */
import type { Connection } from "../http/connection.ts";
import type { Hub } from "../relay/hub.ts";
import { Pipe } from "../relay/pipe.ts";
import type { InterleavedSource } from "../upstream/rtsp/interleaved.ts";
import { MediaClient } from "./media-client.ts";

export class InterleavedClient {
  readonly #connection: Connection;
  readonly #hub: Hub;
  readonly #pipe: Pipe;

  /**
   * @param head makes the response head, called when the first media is there
   * @param onFinished the source is over and the client has all of it
   */
  constructor(
    connection: Connection,
    source: InterleavedSource,
    head: () => Uint8Array,
    hub: Hub,
    onFinished: () => void,
  ) {
    this.#connection = connection;
    this.#hub = hub;
    const client = new MediaClient(connection, head);
    this.#pipe = new Pipe(source, client, hub.budget, {
      pauseChanged: () => {
        connection.anyUpstreamPaused = this.#pipe.gate.isPaused;
      },
      finished: () => {
        onFinished();
        this.close();
        client.end();
      },
    });
    source.onArrived = () => this.#pipe.arrived();
  }

  start(): void {
    this.#connection.onWritable = () => this.#pipe.drained();
    this.#connection.onUpstreamResumable = () => this.#pipe.resume();
    this.#hub.tick.add(this.#pipe);
    this.#pipe.tick(performance.now());
  }

  close(): void {
    this.#hub.tick.remove(this.#pipe);
    this.#pipe.close();
    this.#connection.anyUpstreamPaused = false;
  }
}
