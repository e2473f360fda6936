/** A body that is read while it is sent: the next chunk is asked for when the client has taken the last one. */
import type { Connection, StreamWriter } from "../http/connection.ts";
import type { StreamHead } from "../http/response.ts";

/** How long a client may take nothing: what it reads is kept open for it. */
const STALL_TIMEOUT_MS = 60_000;
/** In a worker. Each costs some 300 KB: chunks that wait, and what unpacks them. */
const MAX_CLIENTS = 64;
/** A client that has taken nothing for so long makes room for another. */
const STALLED_MS = 5000;

/** The first of them came first. */
const clients = new Set<ChunkWriter>();

/** Whether one client more may be sent chunks. */
export function makeRoomForChunks(): boolean {
  if (clients.size < MAX_CLIENTS) return true;
  const stalledSince = performance.now() - STALLED_MS;
  for (const client of clients) {
    if (client.blockedSince > stalledSince) continue;
    client.giveUp();
    return true;
  }
  return false;
}

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
  } finally {
    client.leave();
  }
}

class ChunkWriter implements StreamWriter {
  readonly #connection: Connection;
  readonly #stallMs: number;
  /** In ms; infinite while the client takes what comes. */
  blockedSince = Number.POSITIVE_INFINITY;
  #resume: (() => void) | undefined;

  constructor(connection: Connection, stallMs: number) {
    this.#connection = connection;
    this.#stallMs = stallMs;
    clients.add(this);
    connection.whenClosed(() => this.drained());
  }

  /** There is nothing more to send, or another has its place. */
  leave(): void {
    clients.delete(this);
  }

  giveUp(): void {
    this.leave();
    this.#connection.abort();
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
    this.blockedSince = performance.now();
    const stall = setTimeout(() => this.#connection.abort(), this.#stallMs);
    await new Promise<void>((resolve) => {
      this.#resume = resolve;
    });
    clearTimeout(stall);
    this.blockedSince = Number.POSITIVE_INFINITY;
  }
}
