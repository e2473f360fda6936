/** Basic and Digest authentication of a client (RFC 7617, RFC 7616, RFC 2069; rtsp.md section 6). */

export interface Credentials {
  /** Byte strings; the user is never empty. */
  readonly user: string;
  readonly password: string;
}

export interface DigestChallenge {
  readonly scheme: "digest";
  readonly realm: string;
  readonly nonce: string;
  readonly opaque: string | undefined;
  /** As the server spelled it; undefined means MD5 as RFC 2069 has it. */
  readonly algorithm: string | undefined;
  /** Whether the server offers `qop=auth`. */
  readonly hasQop: boolean;
  /** The nonce before this one was too old; the password was right. */
  readonly isStale: boolean;
}

export type Challenge = { readonly scheme: "basic" } | DigestChallenge;

interface DigestRequest {
  readonly method: string;
  /** As it stands in the request line. */
  readonly uri: string;
  /** How many requests have used this nonce, this one included: 1 and up. */
  readonly nonceCount: number;
  /** Of our own, so that a server cannot choose all that is hashed. Not used in the RFC 2069 form. */
  readonly cnonce: string;
}

/** Lower-case name of the algorithm → hash function. */
const HASHES: Readonly<Record<string, "md5" | "sha256" | undefined>> = {
  md5: "md5",
  "md5-sess": "md5",
  "sha-256": "sha256",
  "sha-256-sess": "sha256",
};
const DEFAULT_ALGORITHM = "MD5";

/**
 * A scheme, or a parameter with its value. Servers leave out commas, quotes, and the closing quote of the last value; all
 * that is understood as far as it has one meaning.
 */
const ELEMENTS = /([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.?)*)"?|([^\s",]*)))?/g;

/**
 * The challenges that we can answer: Digest before Basic, otherwise in the server's order.
 * @param values of all `WWW-Authenticate` headers; one may hold several challenges
 */
export function parseChallenges(values: readonly string[]): Challenge[] {
  const challenges = values.flatMap(splitChallenges).map(toChallenge);
  const answerable = challenges.filter((challenge) => challenge !== undefined);
  return [...answerable.filter(isDigest), ...answerable.filter((challenge) => !isDigest(challenge))];
}

export function basicAuthorization({ user, password }: Credentials): string {
  return `Basic ${Buffer.from(`${user}:${password}`, "latin1").toString("base64")}`;
}

/** Without `qop` in the challenge this is the form of RFC 2069, which old servers want. */
export function digestAuthorization(
  challenge: DigestChallenge,
  credentials: Credentials,
  { method, uri, nonceCount, cnonce }: DigestRequest,
): string {
  const { realm, nonce, opaque, algorithm = DEFAULT_ALGORITHM, hasQop } = challenge;
  const { user, password } = credentials;
  const hash = (text: string) => digest(algorithm, text);
  const isSession = /-sess$/i.test(algorithm);
  const secret = hash(`${user}:${realm}:${password}`);
  const a1 = isSession ? hash(`${secret}:${nonce}:${cnonce}`) : secret;
  const a2 = hash(`${method}:${uri}`);
  const nc = nonceCount.toString(16).padStart(8, "0");
  const response = hash(hasQop ? `${a1}:${nonce}:${nc}:${cnonce}:auth:${a2}` : `${a1}:${nonce}:${a2}`);
  const quotedPairs = Object.entries({ username: user, realm, nonce, uri, response });
  const parameters = quotedPairs.map(([name, value]) => `${name}=${quoted(value)}`);
  if (opaque !== undefined) parameters.push(`opaque=${quoted(opaque)}`);
  if (challenge.algorithm !== undefined) parameters.push(`algorithm=${algorithm}`);
  if (hasQop) parameters.push("qop=auth", `nc=${nc}`);
  if (hasQop || isSession) parameters.push(`cnonce=${quoted(cnonce)}`);
  return `Digest ${parameters.join(", ")}`;
}

interface RawChallenge {
  readonly scheme: string;
  /** Lower-case names; of a repeated one the first counts. */
  readonly parameters: Map<string, string>;
}

function splitChallenges(value: string): RawChallenge[] {
  const challenges: RawChallenge[] = [];
  for (const [, name = "", inQuotes, bare] of value.matchAll(ELEMENTS)) {
    const isScheme = inQuotes === undefined && bare === undefined;
    if (isScheme) challenges.push({ scheme: name.toLowerCase(), parameters: new Map() });
    const parameters = challenges.at(-1)?.parameters;
    const key = name.toLowerCase();
    if (!isScheme && parameters && !parameters.has(key)) {
      parameters.set(key, bare ?? inQuotes?.replace(/\\(.?)/g, "$1") ?? "");
    }
  }
  return challenges;
}

function toChallenge({ scheme, parameters }: RawChallenge): Challenge | undefined {
  if (scheme === "basic") return { scheme };
  const nonce = parameters.get("nonce");
  const algorithm = parameters.get("algorithm") || undefined;
  const qop = parameters.get("qop") || undefined;
  const isQopKnown = qop === undefined || /(^|[\s,])auth($|[\s,])/i.test(qop);
  if (scheme !== "digest" || nonce === undefined || !isQopKnown) return undefined;
  if (hashOf(algorithm ?? DEFAULT_ALGORITHM) === undefined) return undefined;
  return {
    scheme,
    realm: parameters.get("realm") ?? "",
    nonce,
    opaque: parameters.get("opaque"),
    algorithm,
    hasQop: qop !== undefined,
    isStale: parameters.get("stale")?.toLowerCase() === "true",
  };
}

function isDigest(challenge: Challenge): boolean {
  return challenge.scheme === "digest";
}

function hashOf(algorithm: string): "md5" | "sha256" | undefined {
  const name = algorithm.toLowerCase();
  return Object.hasOwn(HASHES, name) ? HASHES[name] : undefined;
}

function digest(algorithm: string, text: string): string {
  return new Bun.CryptoHasher(hashOf(algorithm) ?? "md5").update(text, "latin1").digest("hex");
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}
