/** Further names of this relay: the option `allowed-hosts` (http.md section 4). */
import { parseAuthority } from "./authority.ts";
import { comparableHost } from "./public-host.ts";

/** One element: `host`, `host:port`, `.domain` for a domain and all names below it, or `*` for every name. */
export interface AllowedHost {
  /** As it was given. */
  readonly text: string;
  readonly kind: "host" | "domain" | "any";
  /** In the spelling of `comparableHost`; empty for `any`. */
  readonly host: string;
  /** Only of the kind `host`. Names are compared without it, origins with it. */
  readonly port: number | undefined;
}

export function parseAllowedHost(text: string): AllowedHost | undefined {
  if (text === "*") return { text, kind: "any", host: "", port: undefined };
  const kind = text.startsWith(".") ? "domain" : "host";
  const authority = parseAuthority(kind === "domain" ? text.slice(1) : text);
  const host = comparableHost(authority);
  if (!authority || !host || host.startsWith(".")) return undefined;
  if (kind === "domain" && authority.port !== undefined) return undefined;
  return { text, kind, host, port: authority.port };
}

/** @param host in the spelling of `comparableHost` */
export function isAllowedHost(host: string, allowed: readonly AllowedHost[]): boolean {
  return allowed.some(
    (entry) =>
      entry.kind === "any" || entry.host === host || (entry.kind === "domain" && host.endsWith(`.${entry.host}`)),
  );
}
