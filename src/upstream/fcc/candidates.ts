/** Who is asked for a burst, and in which dialect: the first one at once, the others when nobody answers (fcc.md section 13). */
import type { DialectName } from "./dialect.ts";
import type { KnownServers } from "./known-servers.ts";
import type { Endpoint, GroupAddress } from "./signalling.ts";

/** The usual port of huawei's servers. */
const HUAWEI_PORT = 8027;

export interface Candidate {
  readonly server: Endpoint;
  readonly dialect: DialectName;
}

/** @param dialect the only one, if the URL names it */
export function candidates(
  first: Endpoint,
  group: GroupAddress,
  dialect: DialectName | undefined,
  known: KnownServers,
  now: number,
): Candidate[] {
  const learned = dialect ?? known.dialectOf(first);
  const usual = learned ?? usualDialect(first.port);
  const redirect = known.redirectOf(first, group, now);
  return [
    ...(redirect ? [{ server: redirect.server, dialect: dialect ?? redirect.dialect }] : []),
    { server: first, dialect: usual },
    ...(learned ? [] : [{ server: first, dialect: otherDialect(usual) }]),
  ];
}

/** What a server is asked in first when nothing else tells. */
export function usualDialect(port: number): DialectName {
  return port === HUAWEI_PORT ? "huawei" : "telecom";
}

function otherDialect(dialect: DialectName): DialectName {
  return dialect === "huawei" ? "telecom" : "huawei";
}
