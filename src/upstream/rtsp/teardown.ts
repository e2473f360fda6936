/** Says goodbye to a server, for at most 3 seconds and without making anybody wait (rtsp.md section 11). */
import { Dialer } from "../../system/dialer.ts";
import type { Log } from "../../system/log.ts";
import type { TcpSource } from "../../system/tcp-source.ts";
import { headerValue } from "../../wire/http/request.ts";
import { formatIpAddress } from "../../wire/ip/address.ts";
import type { RtspResponse } from "../../wire/rtsp/message.ts";
import type { Requests } from "./requests.ts";
import { READ_BYTES, RtspConnection, type RtspConnectionParent } from "./rtsp-connection.ts";

/** For the answer, and for a second connection. */
const TIMEOUT_MS = 3000;
const BEAT_MS = 25;
/** What a beat reads of the media that stands before the answer. */
const BEAT_BYTES = 2 * 1024 * 1024;

/** Those that are under way. */
const underWay = new Set<Teardown>();

/** Resolves when no server is waited for any more, at the latest after `limitMs`. What begins meanwhile is not waited for. */
export async function teardownsOver(limitMs: number): Promise<void> {
  const all = Array.from(underWay, ({ done }) => done.promise);
  if (all.length > 0) await Promise.race([Promise.all(all), Bun.sleep(limitMs)]);
}

export class Teardown implements RtspConnectionParent {
  readonly done = Promise.withResolvers<void>();
  readonly #requests: Requests;
  readonly #url: string;
  readonly #log: Log;
  /** Set once the connection has broken: it is made again only once. */
  #dialer: Dialer | undefined;
  #control: RtspConnection;
  #state: "awaiting-answer" | "reconnecting" | "closed" = "awaiting-answer";
  /** Of our request. */
  #cseq = 0;
  #timer: Timer | undefined;
  #beat: Timer | undefined;

  /** Takes the connection over. What still comes on it is read and forgotten. */
  constructor(control: RtspConnection, requests: Requests, url: string, log: Log) {
    this.#control = control;
    this.#requests = requests;
    this.#url = url;
    this.#log = log;
    control.parent = this;
    control.manual();
    underWay.add(this);
    this.#ask();
  }

  response(response: RtspResponse): void {
    // Answers to keepalives may stand before ours.
    if (Number(headerValue(response.headers, "cseq") ?? this.#cseq) !== this.#cseq) return;
    const isWorthARetry = response.status === 401 && this.#requests.challenged(response) === undefined;
    if (isWorthARetry) this.#ask();
    else this.#close();
  }

  frame(): void {}

  /** A server that has closed knows that we are gone; a connection that broke may have left it in the dark. */
  over(): void {
    if (this.#state === "closed") return;
    if (this.#dialer || !this.#control.hasFailed) this.#close();
    else this.#reconnect();
  }

  #ask(): void {
    this.#state = "awaiting-answer";
    this.#limit();
    this.#control.send(this.#requests.make("TEARDOWN", this.#url));
    this.#cseq = this.#requests.cseq;
    clearInterval(this.#beat);
    this.#beat = setInterval(() => this.#read(), BEAT_MS);
    // Also at once: a process that ends with unread bytes resets the connection, and the request may be lost with it.
    this.#read();
  }

  #read(): void {
    let left = BEAT_BYTES;
    for (let count = 1; count > 0 && left > 0 && this.#state === "awaiting-answer"; left -= count) {
      count = this.#control.read(READ_BYTES);
    }
  }

  #reconnect(): void {
    this.#state = "reconnecting";
    this.#limit();
    clearInterval(this.#beat);
    this.#control.close();
    const { address, port, interfaceName } = this.#control.target;
    const target = { host: formatIpAddress(address), port, interfaceName };
    const parent = {
      connected: (source: TcpSource) => this.#reconnected(source),
      failed: () => this.#close(),
    };
    this.#dialer = new Dialer(target, { timeoutMs: TIMEOUT_MS }, parent, this.#log);
  }

  #reconnected(source: TcpSource): void {
    this.#control = new RtspConnection(source, this);
    this.#control.manual();
    this.#ask();
  }

  #close(): void {
    this.#state = "closed";
    clearTimeout(this.#timer);
    clearInterval(this.#beat);
    this.#dialer?.close();
    this.#control.close();
    underWay.delete(this);
    this.done.resolve();
  }

  #limit(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#close(), TIMEOUT_MS);
  }
}
