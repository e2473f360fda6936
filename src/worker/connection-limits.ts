/** How many connections a worker takes (http.md section 1), and whether the system lets it. */
import type { Settings } from "../config/settings.ts";
import type { ConnectionLimits } from "../http/connection-table.ts";
import { descriptorsForAll } from "../system/descriptors.ts";
import type { Log } from "../system/log.ts";

/** Those that are no media clients: pages, lists, the API, clients that are refused. */
const SPARE_CONNECTIONS = 1024;
const SPARE_CONNECTIONS_PER_ADDRESS = 512;

type LimitSettings = Pick<Settings, "maxClients" | "maxConnections" | "maxConnectionsPerAddress" | "xff" | "hostname">;

export function connectionLimits(settings: LimitSettings): ConnectionLimits {
  const { maxClients, maxConnections = maxClients + SPARE_CONNECTIONS, maxConnectionsPerAddress } = settings;
  // All come from the address of the proxy.
  const isBehindProxy = settings.xff || settings.hostname?.scheme !== undefined;
  const perAddress = maxConnectionsPerAddress ?? (isBehindProxy ? 0 : maxClients + SPARE_CONNECTIONS_PER_ADDRESS);
  return { total: maxConnections, perAddress: perAddress || Number.POSITIVE_INFINITY };
}

/** Tells what the limits come to. */
export function reportLimits({ total, perAddress }: ConnectionLimits, log: Log): void {
  const descriptors = descriptorsForAll();
  const each = perAddress < total ? `, ${perAddress} from one address` : "";
  log.info(`Connections: up to ${Math.min(total, descriptors)} in this worker${each}`);
  if (descriptors >= total) return;
  log.warn(
    `Only ${descriptors} of ${total} connections are possible: the system allows too few open files; ` +
      'raise the hard limit that "ulimit -Hn" shows',
  );
}
