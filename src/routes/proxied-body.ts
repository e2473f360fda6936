/** The body of a proxied answer on its way: session, pipe and connection tied together. */
import type { Connection } from "../http/connection.ts";
import type { Hub } from "../relay/hub.ts";
import { Pipe } from "../relay/pipe.ts";
import { BodySource } from "../upstream/http/body.ts";
import type { HttpSession } from "../upstream/http/session.ts";
import type { BodyFraming } from "../wire/response-framing.ts";

export class ProxiedBody {
  readonly #connection: Connection;
  readonly #session: HttpSession;
  readonly #hub: Hub;
  readonly #pipe: Pipe;

  constructor(connection: Connection, session: HttpSession, framing: BodyFraming, hub: Hub) {
    this.#connection = connection;
    this.#session = session;
    this.#hub = hub;
    const sink = {
      write: (bytes: Uint8Array, offset: number, length: number) => connection.write(bytes, offset, length),
      end: () => connection.endStream(),
    };
    this.#pipe = new Pipe(new BodySource(session, framing), sink, hub.budget, {
      pauseChanged: () => {
        connection.anyUpstreamPaused = this.#pipe.gate.isPaused;
      },
      finished: () => this.#finish(),
    });
  }

  /** The head is flushed at once, whatever the body does. */
  start(): void {
    const connection = this.#connection;
    connection.onWritable = () => this.#pipe.drained();
    connection.onUpstreamResumable = () => this.#pipe.resume();
    connection.write(new Uint8Array(0), 0, 0);
    this.#hub.tick.add(this.#pipe);
    this.#pipe.tick(performance.now());
  }

  /** The session has bytes, or is over. */
  readable(): void {
    this.#pipe.arrived();
  }

  close(): void {
    this.#hub.tick.remove(this.#pipe);
    this.#pipe.close();
    this.#connection.anyUpstreamPaused = false;
  }

  #finish(): void {
    this.#session.close();
    this.close();
    this.#connection.endStream();
  }
}
