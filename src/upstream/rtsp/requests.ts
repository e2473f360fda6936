/** Makes a session's requests: their number, who we are, and which session they belong to (rtsp.md section 3). */
import type { Credentials } from "../../wire/http/digest.ts";
import { type HeaderField, headerValue } from "../../wire/http/request.ts";
import { parseSession } from "../../wire/rtsp/headers.ts";
import { emitRtspRequest, type RtspResponse } from "../../wire/rtsp/message.ts";
import { Authorization } from "./authorization.ts";

export class Requests {
  /** Of the URL that is asked now. */
  credentials: Credentials | undefined;
  /** Number of the last request; it grows for as long as the session lives, over redirects and connections. */
  cseq = 0;
  /** After so many seconds without a request the server forgets us; undefined when it does not say. */
  timeoutS: number | undefined;
  #sessionId: string | undefined;
  readonly #userAgent: string;
  readonly #authorization = new Authorization();

  constructor(userAgent: string, credentials: Credentials | undefined) {
    this.#userAgent = userAgent;
    this.credentials = credentials;
  }

  get hasSession(): boolean {
    return this.#sessionId !== undefined;
  }

  make(method: string, url: string, extra: readonly HeaderField[] = []): Uint8Array {
    const authorization = this.#authorization.header(this.credentials, method, url);
    const headers = [
      { name: "CSeq", value: String(++this.cseq) },
      { name: "User-Agent", value: this.#userAgent },
    ];
    if (this.#sessionId !== undefined) headers.push({ name: "Session", value: this.#sessionId });
    if (authorization !== undefined) headers.push({ name: "Authorization", value: authorization });
    return emitRtspRequest(method, url, [...headers, ...extra]);
  }

  /** Takes what every success may tell. */
  learn({ headers }: RtspResponse): void {
    this.#authorization.accepted();
    const session = parseSession(headerValue(headers, "session") ?? "");
    if (!session) return;
    this.#sessionId = session.id;
    this.timeoutS = session.timeoutS ?? this.timeoutS;
  }

  /** Takes a 401. Undefined when the request is worth another try, else why it is not. */
  challenged({ headers }: RtspResponse): string | undefined {
    const challenges = headers.filter(({ name }) => name.toLowerCase() === "www-authenticate");
    return this.#authorization.challenged(
      this.credentials,
      challenges.map(({ value }) => value),
    );
  }

  /**
   * Which request a response answers. Servers that leave the number out, or count otherwise, answer the last one: only
   * keepalives are ever asked without waiting for the answer to the one before.
   */
  answeredCseq({ headers }: RtspResponse): number {
    const number = Number(headerValue(headers, "cseq") ?? Number.NaN);
    return Number.isInteger(number) && number >= 1 && number < this.cseq ? number : this.cseq;
  }

  /** Another server: session and challenge belong to the one before. */
  forget(credentials: Credentials | undefined): void {
    this.credentials = credentials;
    this.#sessionId = undefined;
    this.timeoutS = undefined;
    this.#authorization.forget();
  }
}
