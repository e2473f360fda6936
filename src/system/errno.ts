/**
 * What the kernel's error numbers mean (Linux, x64 and arm64 alike), and the codes of the runtime: people are told words and what to do,
 * not names like ENODEV.
 */

interface Meaning {
  readonly name: string;
  /** As libc's `strerror` has it. */
  readonly words: string;
  /** What the user can do about it. */
  readonly advice?: string;
}

/** `node:util` has such a table too, but costs a megabyte once it is loaded. */
const MEANINGS: Readonly<Record<number, Meaning>> = {
  1: { name: "EPERM", words: "operation not permitted" },
  2: { name: "ENOENT", words: "no such file or directory" },
  5: { name: "EIO", words: "i/o error" },
  6: { name: "ENXIO", words: "no such device or address" },
  11: { name: "EAGAIN", words: "resource temporarily unavailable" },
  12: { name: "ENOMEM", words: "not enough memory" },
  13: { name: "EACCES", words: "permission denied" },
  16: { name: "EBUSY", words: "resource busy or locked" },
  17: { name: "EEXIST", words: "file already exists" },
  18: { name: "EXDEV", words: "cross-device link not permitted" },
  19: { name: "ENODEV", words: "no such device", advice: 'check the interface with "ip link"' },
  20: { name: "ENOTDIR", words: "not a directory" },
  21: { name: "EISDIR", words: "illegal operation on a directory" },
  22: { name: "EINVAL", words: "invalid argument" },
  23: { name: "ENFILE", words: "file table overflow", advice: "raise fs.file-max" },
  24: { name: "EMFILE", words: "too many open files", advice: 'raise the limit that "ulimit -n" shows' },
  26: { name: "ETXTBSY", words: "text file is busy" },
  27: { name: "EFBIG", words: "file too large" },
  28: { name: "ENOSPC", words: "no space left on device" },
  30: { name: "EROFS", words: "read-only file system" },
  32: { name: "EPIPE", words: "broken pipe" },
  36: { name: "ENAMETOOLONG", words: "name too long" },
  38: { name: "ENOSYS", words: "function not implemented" },
  39: { name: "ENOTEMPTY", words: "directory not empty" },
  40: { name: "ELOOP", words: "too many symbolic links encountered" },
  90: { name: "EMSGSIZE", words: "message too long" },
  91: { name: "EPROTOTYPE", words: "protocol wrong type for socket" },
  95: { name: "ENOTSUP", words: "operation not supported on socket" },
  97: {
    name: "EAFNOSUPPORT",
    words: "address family not supported",
    advice: "the kernel may have no IPv6",
  },
  98: {
    name: "EADDRINUSE",
    words: "address already in use",
    advice: "stop the program that has it, or choose another port",
  },
  99: { name: "EADDRNOTAVAIL", words: "address not available" },
  100: { name: "ENETDOWN", words: "network is down", advice: 'bring the interface up with "ip link set ... up"' },
  101: { name: "ENETUNREACH", words: "network is unreachable", advice: 'check the routes with "ip route"' },
  103: { name: "ECONNABORTED", words: "software caused connection abort" },
  104: { name: "ECONNRESET", words: "connection reset by peer" },
  105: {
    name: "ENOBUFS",
    words: "no buffer space available",
    advice: "too many multicast memberships? raise net.ipv4.igmp_max_memberships",
  },
  107: { name: "ENOTCONN", words: "socket is not connected" },
  110: { name: "ETIMEDOUT", words: "connection timed out" },
  111: { name: "ECONNREFUSED", words: "connection refused", advice: "nobody listens there; check the port" },
  112: { name: "EHOSTDOWN", words: "host is down" },
  113: { name: "EHOSTUNREACH", words: "host is unreachable", advice: "check address, route and firewall" },
  122: { name: "EDQUOT", words: "disk quota exceeded" },
};

const BY_NAME: ReadonlyMap<string, Meaning> = new Map(
  Object.values(MEANINGS).map((meaning) => [meaning.name, meaning]),
);

/** `errno` for a log line: words, and what to do about it. */
export function errnoText(errno: number): string {
  return withAdvice(errnoWords(errno), MEANINGS[errno]?.advice);
}

function withAdvice(words: string, advice: string | undefined): string {
  return advice === undefined ? words : `${words} (${advice})`;
}

/** The words alone: `address already in use`. `node:fs` counts errno downwards, libc upwards. */
export function errnoWords(errno: number): string {
  const number = Math.abs(errno);
  return MEANINGS[number]?.words ?? `errno ${number}`;
}

/** What `getaddrinfo` fails with. It has numbers of its own, which are not the kernel's. */
const RESOLVER_WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: "name or service not known",
  ENODATA: "the name has no address",
  ESERVFAIL: "the name server has failed",
  ENONAME: "name or service not known",
  ESERVICE: "name or service not known",
  ENOTINITIALIZED: "there is no name server",
  ECANCELLED: "nobody waits for it any more",
  EREFUSED: "the name server refuses to answer",
  ECONNREFUSED: "the name server cannot be reached",
  ETIMEOUT: "the name server does not answer",
  EAI_AGAIN: "the name server does not answer",
  EAI_FAIL: "the name server has failed",
  EAI_NODATA: "the name has no address",
  EAI_NONAME: "name or service not known",
  EBUSY: "too many names are being looked up",
};

const NO_SUCH_NAME = "check how it is spelt, and the DNS server in /etc/resolv.conf";
const NO_NAME_SERVER = "check the network, and the DNS server in /etc/resolv.conf";

/** What connections of the runtime fail with, where that has no number (`fetch`, TLS). */
const RUNTIME_MEANINGS: Readonly<Record<string, Omit<Meaning, "name">>> = {
  ECONNRESET: { words: "connection reset, or closed too early, by the other side" },
  EPROTO: { words: "the TLS handshake failed", advice: "does the server speak plain http:// on this port?" },
  Malformed_HTTP_Response: { words: "what answers does not speak HTTP", advice: "check scheme and port" },
  InvalidHTTPResponse: { words: "what answers does not speak HTTP", advice: "check scheme and port" },
  UnsupportedProxyProtocol: { words: "the proxy of http_proxy cannot be used", advice: "it must be an http:// URL" },
};

/** The reason in an error of `node:fs`, of the resolver, of `fetch`, or a SystemCallError, in words; the message of any other error. */
export function errorReason(error: unknown): string {
  return meaningOf(error).words;
}

/** The same, and what to do about it. */
export function errorAdvice(error: unknown): string {
  const { words, advice } = meaningOf(error);
  return withAdvice(words, advice);
}

function meaningOf(error: unknown): Omit<Meaning, "name"> {
  if (!(error instanceof Error)) return { words: String(error) };
  const code = errorCode(error) ?? "";
  if ("syscall" in error && error.syscall === "getaddrinfo") return resolverMeaning(code);
  const number = "errno" in error && typeof error.errno === "number" ? Math.abs(error.errno) : 0;
  if (number !== 0) return MEANINGS[number] ?? { words: errnoWords(number) };
  const known = Object.hasOwn(RUNTIME_MEANINGS, code) ? RUNTIME_MEANINGS[code] : BY_NAME.get(code);
  return known ?? { words: plainMessage(error.message, code) };
}

function resolverMeaning(code: string): Omit<Meaning, "name"> {
  const words = RESOLVER_WORDS[code.replace(/^DNS_/, "")] ?? `the name cannot be looked up (${code})`;
  if (code === "EBUSY") return { words };
  return { words, advice: ["ENOTFOUND", "ENODATA"].includes(code) ? NO_SUCH_NAME : NO_NAME_SERVER };
}

/** The runtime repeats the code, and adds advice for programmers. */
function plainMessage(message: string, code: string): string {
  const own = code !== "" && message.startsWith(`${code}: `) ? message.slice(code.length + 2) : message;
  return own.replace(/ For more information, pass .*$/s, "");
}

/** `ENOENT` and the like of an error of `node:fs`; undefined when it has none. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
