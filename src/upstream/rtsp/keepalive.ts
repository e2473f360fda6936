/** Reminds the server of a session now and then, in a way that it understands (rtsp.md section 10.3). */

const LONGEST_MS = 30_000;
const MS_PER_SECOND = 1000;
/** So many without an answer, and the two take turns. */
const MAX_UNANSWERED = 2;

/** A request that changes nothing. */
export type KeepaliveMethod = "GET_PARAMETER" | "OPTIONS";

export class Keepalive {
  /** GET_PARAMETER was refused. */
  #isRefused = false;
  #unanswered = 0;
  readonly #ask: (method: KeepaliveMethod) => void;
  #timer: Timer | undefined;

  constructor(ask: (method: KeepaliveMethod) => void) {
    this.#ask = ask;
  }

  /** @param timeoutS after which the server forgets the session; undefined when it does not say */
  start(timeoutS: number | undefined): void {
    const half = ((timeoutS ?? Number.POSITIVE_INFINITY) / 2) * MS_PER_SECOND;
    this.stop();
    this.#timer = setInterval(() => this.send(), Math.min(LONGEST_MS, half));
  }

  send(): void {
    const isTurnOfOther = this.#unanswered >= MAX_UNANSWERED && this.#unanswered % 2 === 0;
    this.#unanswered++;
    this.#ask(this.#isRefused || isTurnOfOther ? "OPTIONS" : "GET_PARAMETER");
  }

  /** A refusal ends nothing: media says whether the session goes on. While media is not read, neither are answers. */
  answered(method: KeepaliveMethod, isRefused: boolean): void {
    this.#unanswered = 0;
    if (isRefused && method === "GET_PARAMETER") this.#isRefused = true;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
