/** The URL of a list or guide with an address in the place of its host: `fetch` would have threads look the name up that read files, too. */
import { errorAdvice } from "../system/errno.ts";
import { resolveHost } from "../system/resolve.ts";
import { TcpSource } from "../system/tcp-source.ts";
import { formatIpAddress, type IpAddress, parseIpAddress } from "../wire/ip/address.ts";
import { PlaylistError } from "./errors.ts";

/** For a connection to one of several addresses. */
const CONNECT_MS = 3000;
const DEFAULT_PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };

interface PinnedUrl {
  readonly href: string;
  /** For `Host`, and for the certificate; undefined when the URL is what it was. */
  readonly own?: { readonly host: string; readonly name: string };
}

/**
 * A URL that a proxy asks for, and one with an address, is left alone.
 * @throws PlaylistError when the name has no address, or the reason of the signal
 */
export async function pinUrl(href: string, signal: AbortSignal): Promise<PinnedUrl> {
  const url = URL.parse(href);
  if (!url) throw new PlaylistError("bad-url", `Cannot be fetched: ${href}`);
  const { host, hostname: name, port, protocol } = url;
  if (isProxied(protocol) || name.startsWith("[") || parseIpAddress(name)) return { href };
  const addresses = await addressesOf(name, signal);
  const address = await firstReachable(addresses, Number(port || DEFAULT_PORTS[protocol]), signal);
  url.hostname = address.family === 6 ? `[${formatIpAddress(address)}]` : formatIpAddress(address);
  return { href: url.href, own: { host, name } };
}

/** Whether `fetch` goes to a proxy, which looks the name up itself (m3u.md section 2). */
function isProxied(protocol: string): boolean {
  const variable = `${protocol.slice(0, -1)}_proxy`;
  return [variable, variable.toUpperCase()].some((name) => (process.env[name] ?? "") !== "");
}

async function addressesOf(name: string, signal: AbortSignal): Promise<readonly IpAddress[]> {
  try {
    return await resolveHost(name, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new PlaylistError("unreachable", `${name}: ${errorAdvice(error)}`);
  }
}

/** One that takes connections, as `fetch` cannot be told to try the next one; the last if none does, for `fetch` to say why. */
async function firstReachable(addresses: readonly IpAddress[], port: number, signal: AbortSignal): Promise<IpAddress> {
  for (const address of addresses.slice(0, -1)) {
    if (await isReachable(address, port)) return address;
    signal.throwIfAborted();
  }
  const last = addresses.at(-1);
  if (!last) throw new PlaylistError("unreachable", "the name has no address");
  return last;
}

async function isReachable(address: IpAddress, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), CONNECT_MS);
  let source: TcpSource | undefined;
  try {
    const settle = (isOpen: boolean) => () => resolve(isOpen);
    source = new TcpSource({ address, port }, { connected: settle(true), readable: settle(false) });
    return await promise;
  } catch {
    return false;
  } finally {
    clearTimeout(timer);
    source?.close();
  }
}
