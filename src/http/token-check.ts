/** Whether a request knows the access token (http.md section 7). */
import type { HeaderField } from "../wire/http/header-fields.ts";
import { type ByteString, type UnicodeText, utf8Encode } from "../wire/text/byte-string.ts";
import { presentedToken, type TokenSource } from "./token.ts";

type TokenVerdict =
  | { readonly kind: "known"; readonly source: TokenSource }
  | { readonly kind: "unknown"; readonly problem: string };

export class TokenCheck {
  readonly #digest: Buffer;

  /** @param token not empty */
  constructor(token: UnicodeText) {
    this.#digest = digest(utf8Encode(token));
  }

  /** @param rawQuery with a label that ends it: a token may hold a `$` and look like one */
  check(query: ByteString, rawQuery: ByteString, headers: readonly HeaderField[]): TokenVerdict {
    const presented = presentedToken(query, headers);
    if (!presented) return { kind: "unknown", problem: "r2h-token not found" };
    const { source, value } = presented;
    const isKnown = this.#matches(value) || (source === "query" && this.#matches(presentedToken(rawQuery, [])?.value));
    return isKnown ? { kind: "known", source } : { kind: "unknown", problem: `r2h-token mismatch (source: ${source})` };
  }

  /** Takes the same time whatever is right about the value. Digests are of one length, which `timingSafeEqual` demands. */
  #matches(value: ByteString | undefined): boolean {
    return value !== undefined && crypto.timingSafeEqual(digest(value), this.#digest);
  }
}

function digest(bytes: ByteString): Buffer {
  return new Bun.CryptoHasher("sha256").update(bytes, "latin1").digest();
}
