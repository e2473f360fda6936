/** Makes a session's requests: their number, which session they belong to, and who we are (rtsp.md sections 3 and 6). */
import {
  basicAuthorization,
  type Challenge,
  type Credentials,
  digestAuthorization,
  parseChallenges,
} from "../../wire/http/digest.ts";
import { type HeaderField, headerValue, isNamed } from "../../wire/http/header-fields.ts";
import { parseSession } from "../../wire/rtsp/headers.ts";
import { emitRtspRequest, type RtspResponse } from "../../wire/rtsp/message.ts";

/** In a row: a third one says that the password is wrong. */
const MAX_CHALLENGES = 2;
const CNONCE_BYTES = 8;

export class Requests {
  /** Number of the last request; it grows over redirects and connections. */
  cseq: number;
  /** Session timeout: seconds without a request after which the server forgets us; undefined when it does not say. */
  timeoutS: number | undefined;
  #sessionId: string | undefined;
  readonly #userAgent: string;
  /** Of the URL. */
  readonly #credentials: Credentials | undefined;
  /** Undefined until the server asks: a password that nobody has asked for is told to nobody. */
  #challenge: Challenge | undefined;
  #challenges = 0;
  /** How often the server's nonce was used (RFC 7616 section 3.4). */
  #nonceCount = 0;

  constructor(userAgent: string, credentials: Credentials | undefined, cseq = 0) {
    this.#userAgent = userAgent;
    this.#credentials = credentials;
    this.cseq = cseq;
  }

  /** For another server: session and challenge stay with this one, who may still have to be told that the session is over. */
  forAnotherServer(credentials: Credentials | undefined): Requests {
    return new Requests(this.#userAgent, credentials, this.cseq);
  }

  /** For another connection to the same server: it knows who asks, but of no session. */
  forAnotherConnection(): Requests {
    const requests = new Requests(this.#userAgent, this.#credentials, this.cseq);
    requests.#challenge = this.#challenge;
    requests.#challenges = this.#challenges;
    requests.#nonceCount = this.#nonceCount;
    return requests;
  }

  /** Whether the server has asked who we are, and not said yet that it believes us. */
  get isChallenged(): boolean {
    return this.#challenges > 0;
  }

  get hasSession(): boolean {
    return this.#sessionId !== undefined;
  }

  make(method: string, url: string, extra: readonly HeaderField[] = []): Uint8Array {
    const authorization = this.#authorization(method, url);
    const headers: HeaderField[] = [
      ["CSeq", String(++this.cseq)],
      ["User-Agent", this.#userAgent],
    ];
    if (this.#sessionId !== undefined) headers.push(["Session", this.#sessionId]);
    if (authorization !== undefined) headers.push(["Authorization", authorization]);
    return emitRtspRequest(method, url, [...headers, ...extra]);
  }

  /** Takes what every success may tell. The server may ask who we are again much later, when its nonce is too old. */
  learn({ headers }: RtspResponse): void {
    this.#challenges = 0;
    const session = parseSession(headerValue(headers, "session") ?? "");
    if (!session) return;
    this.#sessionId = session.id;
    this.timeoutS = session.timeoutS ?? this.timeoutS;
  }

  /** Takes a 401. Undefined when the request is worth another try, else why it is not. */
  challenged({ headers }: RtspResponse): string | undefined {
    const values = headers.filter((field) => isNamed(field, "www-authenticate")).map(([, value]) => value);
    const [challenge] = parseChallenges(values);
    if (!this.#credentials) return "the URL names no user";
    if (!challenge) return "asks for it in a way that is not known here";
    if (++this.#challenges > MAX_CHALLENGES) return "does not accept ours";
    this.#challenge = challenge;
    this.#nonceCount = 0;
    return undefined;
  }

  /**
   * Which request a response answers. Servers that leave the number out, or count otherwise, answer the last one: only
   * keepalives are ever asked without waiting for the answer to the one before.
   */
  answeredCseq({ headers }: RtspResponse): number {
    const number = Number(headerValue(headers, "cseq") ?? Number.NaN);
    return Number.isInteger(number) && number >= 1 && number < this.cseq ? number : this.cseq;
  }

  /** Undefined when the URL names no user, or nobody asks. */
  #authorization(method: string, uri: string): string | undefined {
    const credentials = this.#credentials;
    const challenge = this.#challenge;
    if (!credentials || !challenge) return undefined;
    if (challenge.scheme === "basic") return basicAuthorization(credentials);
    const cnonce = crypto.getRandomValues(new Uint8Array(CNONCE_BYTES)).toHex();
    return digestAuthorization(challenge, credentials, { method, uri, nonceCount: ++this.#nonceCount, cnonce });
  }
}
