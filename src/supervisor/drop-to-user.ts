/** The user that the program runs as from the moment on when it has opened what only root may open (config.md section 9). */
import { readFileSync } from "node:fs";
import { release } from "node:os";
import type { Settings } from "../config/settings.ts";
import type { Log } from "../system/log.ts";
import { type Account, CAP_NET_BIND_SERVICE, CAP_NET_RAW, dropPrivileges } from "../system/privileges.ts";
import { USUAL_RECEIVE_BUFFER_BYTES } from "../system/socket.ts";

/** From this version of Linux on, everybody may bind a socket to an interface. */
const FREE_BINDTODEVICE: readonly [number, number] = [5, 7];

/** @throws PrivilegeError; then nobody may go on */
export function dropToUser(account: Account, settings: Settings, log: Log): void {
  // A reload may want a port below 1024.
  const keep = needsRawSockets(settings) ? [CAP_NET_BIND_SERVICE, CAP_NET_RAW] : [CAP_NET_BIND_SERVICE];
  dropPrivileges(account, keep);
  log.info(`Running as ${account.text} (uid ${account.uid}, gid ${account.gid})`);
  const wanted = settings.udpReceiveBufferSize ?? USUAL_RECEIVE_BUFFER_BYTES;
  const most = Number(readOr("/proc/sys/net/core/rmem_max", "NaN"));
  if (most < wanted)
    log.warn(
      `Receive buffers of UDP sockets stay at ${most} bytes: set sysctl net.core.rmem_max=${wanted}, or packets may be lost`,
    );
}

/** For IGMP reports of our own, and for the interface of a socket where the kernel is old. */
function needsRawSockets({ multicastRejoinInterval }: Settings): boolean {
  const [major = 0, minor = 0] = release().split(".").map(Number);
  const [freeMajor, freeMinor] = FREE_BINDTODEVICE;
  const isOld = major < freeMajor || (major === freeMajor && minor < freeMinor);
  return multicastRejoinInterval > 0 || isOld;
}

function readOr(path: string, fallback: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return fallback;
  }
}
