/** A proof that this relay wrote a link to an upstream itself (http-proxy.md section 8). */
import { asByteString, type ByteString } from "../text/byte-string.ts";
import { splitTarget } from "./label.ts";
import { percentDecode, percentEncode } from "./percent.ts";
import { queryParameter } from "./query.ts";

export const SEAL_PARAMETER = "r2h-link";
export const CHANNEL_PARAMETER = "r2h-channel";
/** 96 bits. */
const SEAL_CHARACTERS = 16;
/** A variable of the playlist: the player makes the path of it. */
const VARIABLE = "{$";
const ORIGIN = /^\/[^/]*\/[^/]*\//;

export class LinkSeal {
  readonly #key: string;

  /** @param key the same in all workers */
  constructor(key: string) {
    this.#key = key;
  }

  /**
   * The parameters that prove a link.
   * @param target of the link below the app prefix, `/http/host/path`, with or without its query, which is not sealed: players add to it
   * @param channel whose headers go along with the request; undefined: none
   */
  parameters(target: string, channel: ByteString | undefined): ByteString {
    const { path } = splitTarget(asByteString(target.split("#", 1)[0]!));
    const sealed = path.includes(VARIABLE) ? originOf(path) : canonical(path);
    const seal = `${SEAL_PARAMETER}=${this.#seal(sealed, channel)}`;
    return asByteString(channel === undefined ? seal : `${CHANNEL_PARAMETER}=${percentEncode(channel)}&${seal}`);
  }

  /**
   * Whether a request's link is our own, and of which channel.
   * @param path below the app prefix, without label
   */
  check(path: ByteString, query: ByteString): { readonly channel: ByteString | undefined } | undefined {
    const seal = queryParameter(query, SEAL_PARAMETER);
    if (seal === undefined) return undefined;
    const channel = queryParameter(query, CHANNEL_PARAMETER);
    const isOurs = [canonical(path), originOf(path)].some((sealed) => this.#seal(sealed, channel) === seal);
    return isOurs ? { channel } : undefined;
  }

  #seal(path: string, channel = ""): string {
    const hash = new Bun.CryptoHasher("sha256", this.#key).update(`${path.length} ${path}${channel}`, "latin1");
    return hash.digest("base64url").slice(0, SEAL_CHARACTERS);
  }
}

/** Players encode what they find in a playlist. */
function canonical(path: ByteString): string {
  return percentDecode(path) ?? path;
}

/** Shorter than any path that is sealed whole, by its missing end. */
function originOf(path: string): string {
  return `${ORIGIN.exec(path)?.[0] ?? path}*`;
}
