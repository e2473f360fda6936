/** `<status page>/sse`: what there is to see, as a stream of events (status.md section 2). */
import type { Connection, StreamWriter } from "../http/connection.ts";
import type { FeedReader, StatusFeed } from "../status/feed.ts";
import type { HeaderField } from "../wire/http/header-fields.ts";
import { utf8Encode } from "../wire/text/byte-string.ts";
import type { ControlRoute } from "./route.ts";

const HEADERS: readonly HeaderField[] = [
  ["Content-Type", "text/event-stream"],
  ["Cache-Control", "no-cache"],
  ["Connection", "keep-alive"],
];

export function statusEventsRoute(feed: StatusFeed, statusPagePath: string): ControlRoute {
  return {
    owns: (path) => belowStatusPage(statusPagePath, path) === "sse",
    answer({ request, connection }) {
      if (request.method === "HEAD") connection.respond({ status: 200, headers: HEADERS });
      else new EventReader(connection, feed);
    },
  };
}

/** One who watches. A slow one misses events instead of making us keep them; the log lines of those come with the next. */
class EventReader implements StreamWriter, FeedReader {
  readonly #connection: Connection;
  readonly #feed: StatusFeed;
  #cursor = 0;
  /** The event under way, and how much of it the client has taken. */
  #event: Uint8Array | undefined;
  #sent = 0;
  #hasMissed = false;

  constructor(connection: Connection, feed: StatusFeed) {
    this.#connection = connection;
    this.#feed = feed;
    connection.startStream({ status: 200, headers: HEADERS }, this);
    // What the kernel keeps, nobody who watches waits for; and so it shows who does not read.
    connection.limitSendBuffer();
    connection.whenClosed(() => feed.close(this));
    feed.open(this);
    this.#next();
  }

  get isBehind(): boolean {
    return this.#event !== undefined;
  }

  drained(): void {
    this.#write();
  }

  published(): void {
    if (this.#event) this.#hasMissed = true;
    else this.#next();
  }

  dismissed(): void {
    this.#connection.abort();
  }

  #next(): void {
    const event = this.#feed.read(this.#cursor);
    if (!event) return;
    this.#cursor = event.cursor;
    this.#event = event.bytes;
    this.#sent = 0;
    this.#hasMissed = false;
    this.#write();
  }

  #write(): void {
    const event = this.#event;
    if (!event) return;
    this.#sent += this.#connection.write(event, this.#sent, event.length - this.#sent);
    if (this.#sent < event.length) return;
    this.#event = undefined;
    if (this.#hasMissed) this.#next();
  }
}

/**
 * Reads paths below the status page: `/status/sse`, or `/sse` when the page is at the root (http.md section 9). Returns what
 * follows the page's path and a slash, without a trailing slash; undefined for any other path.
 * @param page with one leading slash and none at the end, or `/`
 * @param path byte string
 */
export function belowStatusPage(page: string, path: string): string | undefined {
  const base = page === "/" ? "/" : `${utf8Encode(page)}/`;
  return path.startsWith(base) ? path.slice(base.length).replace(/\/$/, "") : undefined;
}
