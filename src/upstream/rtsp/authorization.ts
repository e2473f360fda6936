/** How a session proves who it is: Basic until it is told otherwise, then what the server wants (rtsp.md section 6). */
import {
  basicAuthorization,
  type Challenge,
  type Credentials,
  digestAuthorization,
  parseChallenges,
} from "../../wire/http/digest.ts";

/** In a row: a third one says that the password is wrong. */
const MAX_CHALLENGES = 2;
const CNONCE_BYTES = 8;

export class Authorization {
  #challenge: Challenge = { scheme: "basic" };
  #challenges = 0;
  #nonceCount = 0;

  /** The header's value for a request; undefined when the URL names no user. */
  header(credentials: Credentials | undefined, method: string, uri: string): string | undefined {
    if (!credentials) return undefined;
    if (this.#challenge.scheme === "basic") return basicAuthorization(credentials);
    const cnonce = crypto.getRandomValues(new Uint8Array(CNONCE_BYTES)).toHex();
    return digestAuthorization(this.#challenge, credentials, { method, uri, nonceCount: ++this.#nonceCount, cnonce });
  }

  /**
   * Takes the challenges of a 401. Undefined when the request is worth another try, else why it is not.
   * @param values of all `WWW-Authenticate` headers
   */
  challenged(credentials: Credentials | undefined, values: readonly string[]): string | undefined {
    const [challenge] = parseChallenges(values);
    if (!credentials) return "the URL names no user";
    if (!challenge) return "asks for it in a way that is not known here";
    if (++this.#challenges > MAX_CHALLENGES) return "does not accept ours";
    this.#challenge = challenge;
    this.#nonceCount = 0;
    return undefined;
  }

  /** The server was content. It may ask again much later, when its nonce is too old. */
  accepted(): void {
    this.#challenges = 0;
  }

  /** Another server: what this one wanted counts no more. */
  forget(): void {
    this.#challenge = { scheme: "basic" };
  }
}
