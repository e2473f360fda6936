/** A listener on a free port for tests of the HTTP room, with what it logged and the connections it handled. */

import { createCipheriv } from "node:crypto";
import type { Connection, RequestHandler } from "../../src/http/connection.ts";
import { type HttpListener, type ListenOptions, listen } from "../../src/http/listener.ts";
import type { HttpRequest } from "../../src/http/request.ts";
import { HttpClient } from "../fakes/http-client.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { until } from "../fakes/until.ts";

const WAIT_MS = 5000;

export class TestServer {
  readonly listener: HttpListener;
  readonly log: string[] = [];
  readonly requests: HttpRequest[] = [];
  readonly connections: Connection[] = [];

  constructor(handler: RequestHandler, options: Partial<ListenOptions> = {}) {
    this.listener = listen({
      hostname: "127.0.0.1",
      port: 0,
      log: recordingLog(this.log),
      handler: (request, connection) => {
        this.requests.push(request);
        this.connections.push(connection);
        handler(request, connection);
      },
      ...options,
    });
  }

  connect(): Promise<HttpClient> {
    return HttpClient.connect({ port: this.listener.port });
  }

  /** Waits until the server has closed every connection. */
  async idle(): Promise<void> {
    await until(() => this.listener.connections === 0, WAIT_MS, "the server to close its connections");
  }

  /** Waits for the `n`th handled request and answers its connection. */
  async handled(n = 1): Promise<Connection> {
    await until(() => this.connections.length >= n, WAIT_MS, "a request to be handled");
    return this.connections[n - 1]!;
  }

  [Symbol.dispose](): void {
    this.listener.stop();
  }
}

/** `length` bytes of which no two stretches are alike, always the same: a key stream, quick without a compiler too. */
export function noise(length: number): Uint8Array {
  const key = Buffer.alloc(16, 1);
  return new Uint8Array(createCipheriv("aes-128-ctr", key, key).update(Buffer.alloc(length)));
}
