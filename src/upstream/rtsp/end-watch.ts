/** Sees that media has ended although the server keeps the connection (rtsp.md section 11). */

/** As long as a multicast group may be silent. */
const SILENCE_MS = 15_000;
/** Others say goodbye too, and some servers do so between two films. */
const GOODBYE_MS = 1000;

/** What is looked at. */
interface WatchedMedia {
  /** Datagrams or frames so far. */
  readonly received: number;
  /** The server has said that it sends no more, and nothing has come since. */
  readonly saidGoodbye: boolean;
  /** Nothing is read, so that nothing can come. */
  readonly isPaused: boolean;
}

export class EndWatch {
  #received = -1;
  #lastAt = 0;

  /**
   * @param now in ms
   * @returns why nothing more will come; undefined while it may
   */
  observe(now: number, { received, saidGoodbye, isPaused }: WatchedMedia): string | undefined {
    if (received !== this.#received || isPaused) {
      this.#received = received;
      this.#lastAt = now;
      return undefined;
    }
    const silentMs = now - this.#lastAt;
    if (saidGoodbye && silentMs >= GOODBYE_MS) return "the server has said that the stream ends (RTCP BYE)";
    return silentMs >= SILENCE_MS ? `no media for ${SILENCE_MS / 1000} s` : undefined;
  }
}
