/** Ends a session with TEARDOWN, within 3 seconds and without making anybody wait (rtsp.md section 11). */
import { Dialer } from "../../system/dialer.ts";
import type { Log } from "../../system/log.ts";
import type { Reach } from "../../system/reach.ts";
import type { TcpSource } from "../../system/tcp-source.ts";
import { formatIpAddress } from "../../wire/ip/address.ts";
import type { RtspResponse } from "../../wire/rtsp/message.ts";
import { READ_BYTES, RtspConnection, type RtspConnectionParent } from "./rtsp-connection.ts";

/** For the answer, and for a second connection. */
const TIMEOUT_MS = 3000;
const READ_INTERVAL_MS = 25;
/** What is read at a time of the media that stands before the answer. */
const TURN_BYTES = 2 * 1024 * 1024;

/** Those that are under way. */
const underWay = new Set<Teardown>();

/** Resolves when no server is waited for any more, at the latest after `limitMs`. What begins meanwhile is not waited for. */
export async function teardownsOver(limitMs: number): Promise<void> {
  const all = Array.from(underWay, ({ done }) => done.promise);
  if (all.length > 0) await Promise.race([Promise.all(all), Bun.sleep(limitMs)]);
}

export class Teardown implements RtspConnectionParent {
  readonly done = Promise.withResolvers<void>();
  readonly #url: string;
  readonly #reach: Reach;
  readonly #log: Log;
  #connection: RtspConnection;
  #state: "awaiting-answer" | "reconnecting" | "closed" = "awaiting-answer";
  /** Set once the connection has broken: another is made only once. */
  #dialer: Dialer | undefined;
  #timer: Timer | undefined;
  #reading: Timer | undefined;

  /** Takes the connection over. What still comes on it is read and forgotten. */
  constructor(connection: RtspConnection, url: string, reach: Reach, log: Log) {
    this.#connection = connection;
    this.#url = url;
    this.#reach = reach;
    this.#log = log;
    connection.handOver(this);
    connection.forget();
    connection.manual();
    underWay.add(this);
    this.#ask();
  }

  /** A server that has closed knows that we are gone; one whose connection broke may not. */
  over(): void {
    if (this.#state === "closed") return;
    if (this.#dialer || !this.#connection.hasFailed) this.#enter("closed");
    else this.#reconnect();
  }

  /** The only place that changes the state. Each one but the last ends by itself. */
  #enter(state: "awaiting-answer" | "reconnecting" | "closed"): void {
    clearTimeout(this.#timer);
    clearInterval(this.#reading);
    this.#state = state;
    if (state !== "closed") this.#timer = setTimeout(() => this.#enter("closed"), TIMEOUT_MS);
    else {
      this.#dialer?.close();
      this.#connection.close();
      underWay.delete(this);
      this.done.resolve();
    }
  }

  #ask(): void {
    this.#enter("awaiting-answer");
    this.#connection.ask("TEARDOWN", this.#url, [], (response) => this.#answered(response));
    this.#reading = setInterval(() => this.#read(), READ_INTERVAL_MS);
    // Also at once: a process that ends with unread bytes resets the connection, and the request may be lost with it.
    this.#read();
  }

  #answered(response: RtspResponse): void {
    const isWorthARetry = response.status === 401 && this.#connection.requests.challenged(response) === undefined;
    if (isWorthARetry) this.#ask();
    else this.#enter("closed");
  }

  #read(): void {
    let left = TURN_BYTES;
    for (let count = 1; count > 0 && left > 0 && this.#state === "awaiting-answer"; left -= count) {
      count = this.#connection.read(READ_BYTES);
    }
  }

  #reconnect(): void {
    this.#enter("reconnecting");
    const { requests, target } = this.#connection;
    this.#connection.close();
    const { address, port, interfaceName } = target;
    const parent = {
      connected: (source: TcpSource) => {
        this.#connection = new RtspConnection(source, requests, this);
        this.#connection.manual();
        this.#ask();
      },
      failed: () => this.#enter("closed"),
    };
    const options = { timeoutMs: TIMEOUT_MS, reach: this.#reach };
    this.#dialer = new Dialer({ host: formatIpAddress(address), port, interfaceName }, options, parent, this.#log);
  }
}
