/** How many files and sockets this process may have open, and who may have the last of them (getrlimit(2)). */
import { readdirSync, statSync } from "node:fs";
import { errorCode } from "./errno.ts";
import { libc } from "./libc.ts";

const RLIMIT_NOFILE = 7;
/** Where the system knows no limit, tables of the kernel should still be of a size. */
const MAX_DESCRIPTORS = 1024 * 1024;
/**
 * The last descriptors, at most a quarter of all. Without any left, `accept` fails, the connection goes on waiting, and the event
 * loop runs in circles; so some are kept for connections that are closed at once, and for files. Others are kept for clients that
 * want no media: the status page is there also when nothing else is.
 */
const MAX_RESERVE = 64;
/** Since Linux 6.2 its size is how many there are. */
const OWN_DESCRIPTORS = "/proc/self/fd";
const AF_UNIX = 1;
const SOCK_STREAM_CLOEXEC = 0o2000001;

let limit = Number.POSITIVE_INFINITY;

/** Asks for as many descriptors as this process may have; returns how many those are. They are numbered from 0. */
export function raiseDescriptorLimit(): number {
  const words = new BigUint64Array(2);
  if (!libc || libc.getrlimit(RLIMIT_NOFILE, words) < 0) return limit;
  const [soft, hard] = [Number(words[0]), Number(words[1])];
  limit = Math.max(soft, Math.min(hard, MAX_DESCRIPTORS));
  words[0] = BigInt(limit);
  if (libc.setrlimit(RLIMIT_NOFILE, words) < 0) limit = soft;
  return limit;
}

/**
 * Above this number clients get a descriptor only in the place of others, or when those are busy. The kernel gives the lowest
 * number that is free, so that a number tells how many are taken at least; more are when those who had lower ones have gone.
 */
export function descriptorsForAll(): number {
  return limit - reserve();
}

/** Above this one upstreams get none. */
export function descriptorsForUpstreams(): number {
  return limit - (reserve() * 3) / 4;
}

/** Above this one clients get none. */
export function descriptorsForClients(): number {
  return limit - reserve() / 4;
}

/** How many are taken. That costs microseconds, on an old kernel more the more there are. */
export function takenDescriptors(): number {
  try {
    const { size } = statSync(OWN_DESCRIPTORS);
    return size > 0 ? size : readdirSync(OWN_DESCRIPTORS).length;
  } catch (error) {
    return errorCode(error) === "ENOENT" ? 0 : limit;
  }
}

/** Whether one client more may have media. */
export function isDescriptorLeftForMedia(): boolean {
  if (!libc || limit === Number.POSITIVE_INFINITY) return true;
  const fd = libc.socket(AF_UNIX, SOCK_STREAM_CLOEXEC, 0);
  if (fd >= 0) libc.close(fd);
  return fd >= 0 && fd < descriptorsForAll();
}

function reserve(): number {
  return Math.min(MAX_RESERVE, Math.floor(limit / 4));
}
