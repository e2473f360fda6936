/** What a server is asked in another way, one thing after the other, before it counts as one that does not play (rtsp.md section 5.6). */
import type { SessionInfo } from "./stream-info.ts";

/** Requests on the way to PLAY. */
export type Asking = "options" | "describe" | "setup" | "play";

/** Connections that a server ends before it plays, and another one is made. */
const MAX_HANG_UPS = 3;
const NOT_FOUND = 404;
const INVALID_RANGE = 457;
const UNSUPPORTED_TRANSPORT = 461;
/** It is us whom the server does not want, or it has no room: another request changes nothing. */
const FINAL: readonly number[] = [401, 403, 453];
/** Of the statuses from 500 on, those that speak of the request. */
const NOT_KNOWN: readonly number[] = [501, 505, 551];

/** Of one server; another one is asked from the beginning. */
export class Attempts {
  /** OPTIONS got no answer, or none that is a success. */
  isOptionsOdd = false;
  /** OPTIONS is not asked any more: the server does not survive it. */
  skipsOptions = false;
  /** PLAY says nothing of where to begin. */
  isWithoutRange = false;
  readonly #offers: () => readonly string[];
  #info: SessionInfo | undefined;
  #track = 0;
  #offer = 0;
  #session = 0;
  /** All track URLs so far were nothing to the server. */
  #isUnknown = true;
  #hangUps = 0;

  /** @param offers values of `Transport`; asked each time, because ports come and go */
  constructor(offers: () => readonly string[]) {
    this.#offers = offers;
  }

  /** What SETUP is asked for. */
  get trackUrl(): string | undefined {
    return this.#info?.trackUrls.at(Math.min(this.#track, this.#info.trackUrls.length - 1));
  }

  /** The value of `Transport`; undefined when the server wants none of ours. */
  get offer(): string | undefined {
    return this.#offers()[this.#offer];
  }

  /** What the session as a whole is asked by. */
  get sessionUrl(): string | undefined {
    return this.#info?.aggregateUrls[this.#session];
  }

  /** @param info its URLs are the ones to try */
  described(info: SessionInfo): void {
    this.#info = info;
    this.#session = 0;
  }

  /**
   * After an answer that is no success, no challenge and no redirect.
   * @returns what to ask next; undefined when there is nothing else to try
   */
  refused(stage: Asking, status: number, hasRange: boolean): Asking | undefined {
    if (stage === "options") {
      this.isOptionsOdd = true;
      return "describe";
    }
    if (status < 400 || FINAL.includes(status)) return undefined;
    if (stage === "setup") return this.#trackRefused(status) ? "setup" : undefined;
    if (status >= 500 && !NOT_KNOWN.includes(status)) return undefined;
    // SAT>IP servers describe only what plays already.
    if (stage === "describe") return "setup";
    return this.#playRefused(status, hasRange) ? "play" : undefined;
  }

  /**
   * After the server has ended the connection, or has left DESCRIBE unanswered.
   * @param isChallenged it wants to know who we are, and has not said yet that it believes us
   * @returns whether another connection is worth it
   */
  hungUp(stage: Asking, isChallenged: boolean): boolean {
    if (this.#hangUps++ >= MAX_HANG_UPS) return false;
    if (isChallenged) return true;
    if (stage === "setup" || stage === "play") return this.#nextOffer();
    const isOfOptions = stage === "options" || this.isOptionsOdd;
    if (!isOfOptions || this.skipsOptions) return false;
    this.skipsOptions = true;
    return true;
  }

  #trackRefused(status: number): boolean {
    this.#isUnknown &&= status === NOT_FOUND;
    if (status === UNSUPPORTED_TRANSPORT) return this.#nextOffer();
    if (++this.#track < (this.#info?.trackUrls.length ?? 0)) return true;
    this.#track = 0;
    return !this.#isUnknown && this.#nextOffer();
  }

  #playRefused(status: number, hasRange: boolean): boolean {
    if (status !== INVALID_RANGE) return ++this.#session < (this.#info?.aggregateUrls.length ?? 0);
    const isFirst = hasRange && !this.isWithoutRange;
    this.isWithoutRange = true;
    return isFirst;
  }

  #nextOffer(): boolean {
    this.#offer++;
    return this.offer !== undefined;
  }
}
