/** Names that are unique, and the same for the same entries in the same order (m3u.md section 5.4). */
import { asByteString, type ByteString } from "../wire/text/byte-string.ts";

/** What counts as a number that somebody has given already. */
const NUMBERED = /^[1-9]\d{0,2}$/;

/** What no client asks for as it stands: it would be resolved as a relative path. */
const DOTS = /(^|\/)(\.\.?)(?=\/|$)/g;

/** Percent-encoded a request can still name it. */
const MAX_NAME_BYTES = 1024;

export class ChannelNames {
  readonly #reserved: readonly string[];
  readonly #taken = new Set<ByteString>();
  /** By the name before it: the highest number that follows. */
  readonly #highest = new Map<ByteString, number>();

  /** @param reserved paths of our own pages, without `/` in front; what ends in `/` stands for all below it */
  constructor(reserved: readonly string[] = []) {
    this.#reserved = reserved;
  }

  /** `wanted` itself when it is free, else with `/2` or a higher number behind it; `channel/` in front where a page of ours is. */
  take(asked: ByteString): ByteString {
    const wanted = this.#address(asked);
    const name = this.#taken.has(wanted) ? this.#number(wanted) : wanted;
    this.#taken.add(name);
    const slash = name.lastIndexOf("/");
    const number = name.slice(slash + 1);
    if (slash >= 0 && NUMBERED.test(number)) this.#note(name.slice(0, slash), Number(number));
    return name;
  }

  /** Another name for a channel, which no other gets; undefined when it is taken. */
  alias(name: ByteString, suffix: string): ByteString | undefined {
    const alias = asByteString(name + suffix);
    if (this.#taken.has(alias)) return undefined;
    this.#taken.add(alias);
    return alias;
  }

  #address(asked: ByteString): ByteString {
    const name = asByteString(shortened(asked).replace(DOTS, "$1_$2"));
    // A slash at the end means nothing in an address.
    const path = name.replace(/\/$/, "");
    const isReserved = this.#reserved.some((own) => (own.endsWith("/") ? name.startsWith(own) : path === own));
    return isReserved ? asByteString(`channel/${name}`) : name;
  }

  #number(base: ByteString): ByteString {
    let number = Math.max(this.#highest.get(base) ?? 0, 1) + 1;
    const numbered = () => asByteString(`${base}/${number}`);
    while (this.#taken.has(numbered())) number++;
    this.#note(base, number);
    return numbered();
  }

  #note(base: ByteString, number: number): void {
    if (number > (this.#highest.get(base) ?? 0)) this.#highest.set(base, number);
  }
}

/** Between two characters of UTF-8. */
function shortened(name: ByteString): ByteString {
  let end = Math.min(name.length, MAX_NAME_BYTES);
  while (end < name.length && (name.charCodeAt(end) & 0xc0) === 0x80) end--;
  return end < name.length ? asByteString(name.slice(0, end)) : name;
}
