/** Fetching of playlists and guides from `http://`, `https://` and `file://`, within limits (m3u.md section 2). */

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { errorAdvice } from "../system/errno.ts";
import type { Reach } from "../system/reach.ts";
import { resolveHost } from "../system/resolve.ts";
import { formatIpAddress, type IpAddress } from "../wire/ip/address.ts";
import type { UnicodeText } from "../wire/text/byte-string.ts";
import { PlaylistError } from "./errors.ts";
import { pinUrl } from "./pinned-url.ts";
import { type Chunks, gunzip, inflateRaw, isGzip, limited, peek, unpackStream } from "./streams.ts";

const MAX_REDIRECTS = 50;

const DEFAULT_PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };
const FILE_SCHEME = "file://";
/** How a list or a guide begins that is not compressed, whatever the head says. */
const TEXT = /^(?:[\s#<]|\xef\xbb|\xff\xfe|\xfe\xff)/;
const FILE_CHUNK_BYTES = 64 * 1024;

export interface DownloadLimits {
  /** Of the body, as it comes and with its content coding undone. */
  readonly maxBytes: number;
  /** From the start to the last byte. */
  readonly totalMs: number;
  /** Without any progress: while connecting, before the head, between bytes. */
  readonly idleMs: number;
}

interface DownloadRequest {
  readonly url: UnicodeText;
  readonly limits: DownloadLimits;
  readonly reach: Reach;
  /** The operator has named it, so that it may be reached; where it redirects to may not (config.md section 18). */
  readonly isConfigured?: boolean;
  readonly userAgent: string;
  /** The validator of a copy that is at hand. */
  readonly etag?: string | undefined;
  readonly signal: AbortSignal;
}

export interface Download {
  /** Where it was found, after all redirects. */
  readonly url: UnicodeText;
  /** Names this version in a later request; undefined when the server gave none. */
  readonly etag: string | undefined;
  /** With its content coding undone; a gzip file stays one. */
  readonly body: Chunks;
  /** Once aborted, nobody waits for what `consume` returns. */
  readonly signal: AbortSignal;
}

/**
 * Downloads and lets `consume` read the body. All is over when this returns: timers are stopped, the connection is closed.
 * @returns what `consume` returns; undefined when the copy that `etag` names is still good
 * @throws PlaylistError, what `consume` throws, or the reason with which `signal` was aborted
 */
export async function download<T>(
  request: DownloadRequest,
  consume: (download: Download) => Promise<T>,
): Promise<T | undefined> {
  const limits = new TimeLimits(request.limits, request.signal);
  try {
    const found = await limits.race(open(request, limits));
    return found && (await limits.race(consume(found)));
  } finally {
    limits.end();
  }
}

/** Ends what takes too long, whether that listens to its signal or not. */
class TimeLimits {
  readonly #abort = new AbortController();
  readonly #outer: AbortSignal;
  readonly #total: Timer;
  readonly #idle: Timer;
  readonly #onOuterAbort = () => this.#abort.abort(this.#outer.reason);

  constructor({ totalMs, idleMs }: DownloadLimits, outer: AbortSignal) {
    this.#outer = outer;
    outer.throwIfAborted();
    outer.addEventListener("abort", this.#onOuterAbort);
    this.#total = this.#limit(totalMs, `Not complete within ${totalMs} ms`);
    this.#idle = this.#limit(idleMs, `Nothing came for ${idleMs} ms`);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Bytes have come. */
  progress(): void {
    this.#idle.refresh();
  }

  race<T>(work: Promise<T>): Promise<T> {
    const { promise, reject } = Promise.withResolvers<never>();
    const { signal } = this;
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    work.catch(() => {});
    return Promise.race([work, promise]);
  }

  end(): void {
    clearTimeout(this.#total);
    clearTimeout(this.#idle);
    this.#outer.removeEventListener("abort", this.#onOuterAbort);
    this.#abort.abort(new PlaylistError("timeout", "Over"));
  }

  #limit(ms: number, message: string): Timer {
    return setTimeout(() => this.#abort.abort(new PlaylistError("timeout", message)), ms).unref();
  }
}

async function open(request: DownloadRequest, limits: TimeLimits): Promise<Download | undefined> {
  if (request.url.startsWith(FILE_SCHEME)) return openFile(request, limits);
  const { url, response } = await fetchFollowing(request, limits.signal);
  if (response.status === 304 && request.etag !== undefined) return undefined;
  if (!response.ok || !response.body) throw new PlaylistError("bad-status", `HTTP status ${response.status}`);
  const { maxBytes } = request.limits;
  const raw = limited(watched(response.body, limits), maxBytes);
  return {
    url,
    etag: response.headers.get("etag") ?? undefined,
    body: decoded(raw, response.headers, maxBytes),
    signal: limits.signal,
  };
}

/** Undone here and not by `fetch`, which would unpack a chunk of zeros into memory however large it gets. */
function decoded(raw: Chunks, headers: Headers, maxBytes: number): Chunks {
  const coding = headers.get("content-encoding")?.trim().toLowerCase() ?? "";
  if (coding === "" || coding === "identity" || coding === "none") return raw;
  // Some send what was not asked for.
  const decode = DECODERS[coding];
  if (decode) return limited(decode(raw), maxBytes);
  throw new PlaylistError("bad-content", `Content-Encoding ${coding} is not known`);
}

const DECODERS: Readonly<Record<string, (raw: Chunks) => Chunks>> = {
  gzip: gunzipped,
  "x-gzip": gunzipped,
  deflate: inflated,
  br: (raw) => unpackStream(raw, "brotli"),
  zstd: (raw) => unpackStream(raw, "zstd"),
};

/** A server may say gzip and send the document itself. */
async function* gunzipped(raw: Chunks): Chunks {
  const { head, chunks } = await peek(raw, 2);
  yield* head.length > 0 && !isGzip(head) && TEXT.test(head.toString("latin1")) ? chunks : gunzip(chunks);
}

/** With zlib's header, as it should be, or without (RFC 9110 section 8.4.1.2). */
async function* inflated(raw: Chunks): Chunks {
  const { head, chunks } = await peek(raw, 2);
  const isZlib = head.length === 2 && (head[0]! & 0x0f) === 8 && head.readUInt16BE(0) % 31 === 0;
  yield* isZlib ? unpackStream(chunks, "zlib") : inflateRaw(chunks);
}

interface Located {
  readonly url: UnicodeText;
  readonly response: Response;
}

/** Redirects lead anywhere but to files of this machine. */
async function fetchFollowing(request: DownloadRequest, signal: AbortSignal): Promise<Located> {
  let { url } = request;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    if (!/^https?:\/\/./i.test(url)) throw new PlaylistError("bad-url", `Cannot be fetched: ${url}`);
    const isFree = request.isConfigured === true && redirects === 0;
    const response = await (isFree ? fetchFreely(url, request, signal) : fetchPermitted(url, request, signal));
    const location = response.headers.get("location");
    if (![301, 302, 303, 307, 308].includes(response.status) || location === null) return { url, response };
    await response.body?.cancel();
    url = URL.parse(location, url)?.href ?? location;
  }
  throw new PlaylistError("too-many-redirects", `More than ${MAX_REDIRECTS} redirects`);
}

async function fetchFreely(url: string, request: DownloadRequest, signal: AbortSignal): Promise<Response> {
  const { href, own } = await pinUrl(url, signal);
  return fetchOnce(href, own, request, signal);
}

/** Asks the addresses that may be reached, one after the other: `fetch` would look up the name again, and find others. */
async function fetchPermitted(url: string, request: DownloadRequest, signal: AbortSignal): Promise<Response> {
  const { host, hostname, port: portText, protocol } = new URL(url);
  const port = Number(portText || DEFAULT_PORTS[protocol]);
  const name = hostname.replace(/^\[(.*)\]$/, "$1");
  const addresses = await resolved(name);
  let problem: PlaylistError | undefined;
  for (const address of addresses) {
    const refusal = request.reach.connection({ host: name, address, port });
    if (refusal) {
      problem ??= new PlaylistError("forbidden", refusal.reason);
      continue;
    }
    const pinned = new URL(url);
    pinned.hostname = address.family === 6 ? `[${formatIpAddress(address)}]` : formatIpAddress(address);
    try {
      return await fetchOnce(pinned.href, { host, name }, request, signal);
    } catch (error) {
      signal.throwIfAborted();
      problem = error as PlaylistError;
    }
  }
  throw problem ?? new PlaylistError("unreachable", `${name} has no address`);
}

async function resolved(name: string): Promise<readonly IpAddress[]> {
  try {
    return await resolveHost(name);
  } catch (error) {
    throw new PlaylistError("unreachable", `${name}: ${errorAdvice(error)}`);
  }
}

/** @param own host and name of a URL that has an address in their place */
async function fetchOnce(
  url: string,
  own: { readonly host: string; readonly name: string } | undefined,
  { etag, userAgent }: DownloadRequest,
  signal: AbortSignal,
): Promise<Response> {
  const headers: Record<string, string> = { "User-Agent": userAgent, Accept: "*/*", "Accept-Encoding": "gzip" };
  if (own) headers["Host"] = own.host;
  // Not `If-Modified-Since`: a list that changes twice within a second would be missed.
  if (etag !== undefined) headers["If-None-Match"] = etag;
  try {
    return await fetch(url, {
      headers,
      signal,
      redirect: "manual",
      keepalive: false,
      decompress: false,
      // Self-signed sources are common (m3u.md section 2).
      tls: { rejectUnauthorized: false, ...(own && { serverName: own.name }) },
    });
  } catch (error) {
    signal.throwIfAborted();
    throw new PlaylistError("unreachable", errorAdvice(error));
  }
}

/** Everything behind the scheme is the path, byte for byte. */
async function openFile({ url, limits: { maxBytes } }: DownloadRequest, limits: TimeLimits): Promise<Download> {
  const path = url.slice(FILE_SCHEME.length);
  if (!path.startsWith("/")) throw new PlaylistError("bad-url", `Not an absolute path: ${path}`);
  try {
    // Opening a pipe would wait for somebody to write to it, and cannot be broken off.
    if (!(await stat(path)).isFile()) throw new PlaylistError("bad-url", `Not a file: ${path}`);
  } catch (error) {
    if (error instanceof PlaylistError) throw error;
    throw new PlaylistError("unreachable", `${path}: ${errorAdvice(error)}`);
  }
  const stream = createReadStream(path, { highWaterMark: FILE_CHUNK_BYTES });
  return { url, etag: undefined, body: limited(watched(stream, limits), maxBytes), signal: limits.signal };
}

async function* watched(chunks: Chunks, limits: TimeLimits): Chunks {
  try {
    for await (const chunk of chunks) {
      limits.signal.throwIfAborted();
      limits.progress();
      yield chunk;
    }
  } catch (error) {
    limits.signal.throwIfAborted();
    throw new PlaylistError("unreachable", errorAdvice(error));
  }
}
