/** The C library's resolver, which blocks a thread of those that read files too: one name at a time, and nobody is looked up for nothing. */
import { lookup } from "node:dns/promises";
import { parseIpAddress } from "../wire/ip/address.ts";
import { type FoundName, NameError } from "./name-query.ts";

/** Names that wait for their turn. */
const MAX_WAITING = 32;
/** The C library does not tell how long its answers hold. */
const TTL_S = 30;

interface Waiting {
  readonly name: string;
  readonly resolve: (found: FoundName) => void;
  readonly reject: (reason: unknown) => void;
}

export class SystemResolver {
  readonly #lookUp: (name: string) => Promise<readonly string[]>;
  #isBusy = false;
  readonly #waiting = new Set<Waiting>();

  /** @param lookUp asks the C library for the addresses of a name */
  constructor(lookUp = addressesByLibrary) {
    this.#lookUp = lookUp;
  }

  /**
   * Gives up at once when `signal` says so; the thread then is free when the C library has given up, too.
   * @throws the C library's error, NameError, or the reason of `signal`
   */
  resolve(name: string, signal: AbortSignal): Promise<FoundName> {
    signal.throwIfAborted();
    if (this.#waiting.size === MAX_WAITING) throw new NameError("EBUSY", name);
    const { promise, resolve, reject } = Promise.withResolvers<FoundName>();
    const waiting = { name, resolve, reject };
    this.#waiting.add(waiting);
    signal.addEventListener("abort", () => {
      this.#waiting.delete(waiting);
      reject(signal.reason);
    });
    this.#next();
    return promise;
  }

  #next(): void {
    const [next] = this.#waiting;
    if (this.#isBusy || !next) return;
    this.#isBusy = true;
    this.#waiting.delete(next);
    this.#lookUp(next.name)
      .then((texts) => foundName(next.name, texts))
      .then(next.resolve, next.reject)
      .finally(() => {
        this.#isBusy = false;
        this.#next();
      });
  }
}

function foundName(name: string, texts: readonly string[]): FoundName {
  const addresses = texts.map((text) => parseIpAddress(text)).filter((address) => address !== undefined);
  if (addresses.length === 0) throw new NameError("ENODATA", name);
  return { addresses, ttlS: TTL_S };
}

async function addressesByLibrary(name: string): Promise<readonly string[]> {
  const found = await lookup(name, { all: true });
  return found.map(({ address }) => address);
}
