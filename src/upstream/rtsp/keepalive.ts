/** Reminds the server of a session now and then, in a way that it understands (rtsp.md sections 5.2 and 10.3). */

const LONGEST_MS = 30_000;
const MS_PER_SECOND = 1000;
/** Session Not Found, Not Implemented: what servers say to a GET_PARAMETER that they do not know. */
const UNKNOWN_REQUEST = [454, 501];

/** A request that changes nothing. */
export type KeepaliveMethod = "GET_PARAMETER" | "OPTIONS";

export class Keepalive {
  #method: KeepaliveMethod = "GET_PARAMETER";
  readonly #ask: (method: KeepaliveMethod) => void;
  #timer: Timer | undefined;

  constructor(ask: (method: KeepaliveMethod) => void) {
    this.#ask = ask;
  }

  /**
   * @param methods of `Public`; undefined when the server does not say, which makes the better one worth a try
   * @param timeoutS after which the server forgets the session; undefined when it does not say
   */
  start(methods: readonly string[] | undefined, timeoutS: number | undefined): void {
    this.#method = !methods || methods.includes("GET_PARAMETER") ? "GET_PARAMETER" : "OPTIONS";
    const half = ((timeoutS ?? Number.POSITIVE_INFINITY) / 2) * MS_PER_SECOND;
    this.stop();
    this.#timer = setInterval(() => this.send(), Math.min(LONGEST_MS, half));
  }

  send(): void {
    this.#ask(this.#method);
  }

  /** Whether the session goes on after this answer to `method`. Many may be outstanding: while media is not read, neither are answers. */
  accepts(status: number, method: KeepaliveMethod): boolean {
    if (status === 200) return true;
    if (!UNKNOWN_REQUEST.includes(status) || method !== "GET_PARAMETER") return false;
    this.#method = "OPTIONS";
    return true;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
