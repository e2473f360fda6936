/** A body that is read while it is sent: the next chunk is asked for when the client has taken the last one. */
import type { Connection, StreamWriter } from "../http/connection.ts";
import type { StreamHead } from "../http/response.ts";

/** How long a client may take nothing: what it reads is kept open for it. */
const STALL_TIMEOUT_MS = 60_000;

/**
 * Sends head and chunks, then closes. Cuts the client off when head or chunks fail, or when it takes nothing for `stallMs`.
 * Chunks that were begun are closed in any case. Never rejects.
 */
export async function sendChunks(
  connection: Connection,
  head: StreamHead,
  chunks: AsyncIterable<Uint8Array>,
  stallMs = STALL_TIMEOUT_MS,
): Promise<void> {
  const client = new ChunkWriter(connection, stallMs);
  try {
    connection.limitSendBuffer();
    connection.startStream(head, client);
    for await (const chunk of chunks) {
      await client.write(chunk);
      if (connection.isClosed) return;
    }
    connection.endStream();
  } catch {
    connection.abort();
  }
}

class ChunkWriter implements StreamWriter {
  readonly #connection: Connection;
  readonly #stallMs: number;
  #resume: (() => void) | undefined;

  constructor(connection: Connection, stallMs: number) {
    this.#connection = connection;
    this.#stallMs = stallMs;
    connection.whenClosed(() => this.drained());
  }

  drained(): void {
    this.#resume?.();
  }

  /** Returns when the kernel has taken all of it, or when the client is gone. */
  async write(chunk: Uint8Array): Promise<void> {
    const connection = this.#connection;
    let sent = connection.write(chunk, 0, chunk.length);
    while (sent < chunk.length && !connection.isClosed) {
      await this.#untilWritable();
      sent += connection.write(chunk, sent, chunk.length - sent);
    }
  }

  async #untilWritable(): Promise<void> {
    const stall = setTimeout(() => this.#connection.abort(), this.#stallMs);
    await new Promise<void>((resolve) => {
      this.#resume = resolve;
    });
    clearTimeout(stall);
  }
}
