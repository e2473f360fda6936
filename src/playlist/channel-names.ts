/** Names that are unique, and the same for the same entries in the same order (m3u.md section 5.4). */
import { asByteString, type ByteString } from "../wire/text/byte-string.ts";

/** What counts as a number that somebody has given already. */
const NUMBERED = /^[1-9]\d{0,2}$/;

export class ChannelNames {
  readonly #taken = new Set<ByteString>();
  /** By the name before it: the highest number that follows. */
  readonly #highest = new Map<ByteString, number>();

  /** `wanted` itself when it is free, else with `/2` or a higher number behind it. */
  take(wanted: ByteString): ByteString {
    const name = this.#taken.has(wanted) ? this.#number(wanted) : wanted;
    this.#taken.add(name);
    const slash = name.lastIndexOf("/");
    const number = name.slice(slash + 1);
    if (slash >= 0 && NUMBERED.test(number)) this.#note(name.slice(0, slash), Number(number));
    return name;
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
