/** Asks the machine's DNS servers for the addresses of a name. No thread waits for them, and whoever gives up costs nothing more. */
import { Resolver } from "node:dns/promises";
import { networkInterfaces } from "node:os";
import { queriedNames, type SearchRules } from "../wire/dns/resolver-config.ts";
import { type IpAddress, parseIpAddress } from "../wire/ip/address.ts";
import { errorCode } from "./errno.ts";

/** Until the next server is asked, or the same one again. */
const ATTEMPT_MS = 1000;
const ATTEMPTS = 3;
/** For the other family's addresses, when those of one have come: some servers never answer for IPv6. */
const OTHER_FAMILY_MS = 200;

export interface FoundName {
  /** In the order in which to try them; at least one. */
  readonly addresses: readonly IpAddress[];
  readonly ttlS: number;
}

/** A name without an address. `errorReason` has the words for the code. */
export class NameError extends Error {
  readonly code: string;
  readonly syscall = "getaddrinfo";

  constructor(code: string, name: string) {
    super(`${name}: ${code}`);
    this.code = code;
  }
}

export function isUnknownName(error: unknown): boolean {
  return ["ENOTFOUND", "ENODATA"].includes(errorCode(error) ?? "");
}

/**
 * Asks for one name after the other until one has an address.
 * @param servers instead of those of resolv.conf
 * @throws NameError, or the reason of `signal`
 */
export async function queryName(
  name: string,
  rules: SearchRules,
  signal: AbortSignal,
  servers?: readonly string[],
): Promise<FoundName> {
  let failure = new NameError("ENOTFOUND", name);
  for (const candidate of queriedNames(name, rules)) {
    // A resolver of its own: it reads resolv.conf as it is now, asks from ports of its own, and can be broken off alone.
    const resolver = new Resolver({ timeout: ATTEMPT_MS, tries: ATTEMPTS });
    if (servers) resolver.setServers(servers);
    const cancel = () => resolver.cancel();
    signal.addEventListener("abort", cancel);
    try {
      signal.throwIfAborted();
      const found = await bothFamilies(resolver, candidate);
      signal.throwIfAborted();
      if (!(found instanceof NameError)) return found;
      // That one name is unknown says less than that another one could not be asked for.
      if (!isUnknownName(found)) failure = found;
    } finally {
      signal.removeEventListener("abort", cancel);
      cancel();
    }
  }
  throw failure;
}

interface Answer {
  readonly found: readonly { readonly address: string; readonly ttl: number }[];
  readonly failure: unknown;
}

async function bothFamilies(resolver: Resolver, name: string): Promise<FoundName | NameError> {
  const own = ownKinds();
  const questions = [answerOf(resolver.resolve4(name, { ttl: true }))];
  if (own.has("global") || own.has("local")) questions.push(answerOf(resolver.resolve6(name, { ttl: true })));
  const first = await Promise.any(questions.map(successful)).catch(() => undefined);
  const late: Answer = { found: [], failure: undefined };
  const answers = await Promise.all(
    first
      ? questions.map((question) => Promise.race([question, Bun.sleep(OTHER_FAMILY_MS).then(() => late)]))
      : questions,
  );
  const found = answers.flatMap((answer) => answer.found);
  const addresses = found.map(({ address }) => parseIpAddress(address)).filter((address) => address !== undefined);
  if (addresses.length > 0)
    return { addresses: inOrder(addresses, own), ttlS: Math.min(...found.map(({ ttl }) => ttl)) };
  const failures = answers.map(({ failure }) => failure).filter((failure) => failure !== undefined);
  const failure = failures.find((each) => !isUnknownName(each)) ?? failures[0];
  return new NameError(errorCode(failure) ?? "ENOTFOUND", name);
}

function answerOf(question: Promise<unknown>): Promise<Answer> {
  return question.then(
    (found) => ({ found: found as Answer["found"], failure: undefined }),
    (failure: unknown) => ({ found: [], failure }),
  );
}

async function successful(question: Promise<Answer>): Promise<Answer> {
  const answer = await question;
  if (answer.found.length === 0) throw answer.failure;
  return answer;
}

/** What an IPv6 address can be reached from: addresses of its own kind. */
type Kind = "loopback" | "global" | "local";

function kindOf({ bytes }: IpAddress): Kind {
  if (bytes.subarray(0, 15).every((byte) => byte === 0)) return "loopback";
  return (bytes[0]! & 0xe0) === 0x20 ? "global" : "local";
}

function ownKinds(): ReadonlySet<Kind> {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  const own = addresses.filter(({ family }) => family === "IPv6").map(({ address }) => parseIpAddress(address));
  return new Set(own.filter((address) => address !== undefined).map(kindOf));
}

/** IPv6 first where we have such an address, last where we have none (RFC 6724 section 6, rules 2, 5 and 6, in short). */
export function inOrder(addresses: readonly IpAddress[], own: ReadonlySet<Kind> = ownKinds()): IpAddress[] {
  const rank = (address: IpAddress) => (address.family === 4 ? 1 : own.has(kindOf(address)) ? 0 : 2);
  return addresses.toSorted((a, b) => rank(a) - rank(b));
}
