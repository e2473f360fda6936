/** After a start as root: to be an ordinary user, with the few capabilities that are still needed (capabilities(7)). */
import { dlopen, type FFIFunction, read } from "bun:ffi";
import { errnoText } from "./errno.ts";
import { errno, libc } from "./libc.ts";

export const CAP_NET_BIND_SERVICE = 10;
export const CAP_NET_RAW = 13;
/** More than there are; the kernel refuses those that it does not know. */
const CAPABILITIES = 64;
const CAPABILITY_VERSION_3 = 0x20080522;

const PR_SET_DUMPABLE = 4;
const PR_SET_KEEPCAPS = 8;
const PR_CAPBSET_DROP = 24;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_CAP_AMBIENT = 47;
const PR_CAP_AMBIENT_RAISE = 2;
const PR_CAP_AMBIENT_CLEAR_ALL = 4;

/** Of files that a worker makes. */
const UMASK = 0o077;
/** Where `struct passwd` has its two numbers, and `struct group` its one, behind two pointers. */
const NUMBER_OFFSET = 16;
const PASSWD_GID_OFFSET = 20;

const i32 = "i32";
const SYMBOLS = {
  capset: { args: ["ptr", "ptr"], returns: i32 },
  getgrnam: { args: ["ptr"], returns: "ptr" },
  getpwnam: { args: ["ptr"], returns: "ptr" },
  initgroups: { args: ["ptr", "u32"], returns: i32 },
  // Variadic in C, like fcntl (`libc.ts`).
  prctl: { args: [i32, "u64", "u64", "u64", "u64"], returns: i32 },
  setresgid: { args: ["u32", "u32", "u32"], returns: i32 },
  setresuid: { args: ["u32", "u32", "u32"], returns: i32 },
} as const satisfies Record<string, FFIFunction>;

/** Nobody becomes that user: there is none, or we may not. */
export class PrivilegeError extends Error {
  readonly code = "privileges";
}

export interface Account {
  /** As the configuration says it. */
  readonly text: string;
  readonly user: string;
  readonly uid: number;
  readonly gid: number;
}

/** Opened only by those who need it: these calls are for a start. */
function open() {
  if (!libc) throw new PrivilegeError("Cannot change the user: the C library cannot be opened here");
  return dlopen("libc.so.6", SYMBOLS).symbols;
}

/**
 * Looks up `NAME[:GROUP]`.
 * @throws PrivilegeError when it is no account, or one that we cannot become
 */
export function findAccount(text: string): Account {
  const c = open();
  const [user = "", group, ...others] = text.split(":");
  const entry = c.getpwnam(cString(user));
  if (entry === null || others.length > 0) throw new PrivilegeError(`Cannot run as ${text}: there is no user ${user}`);
  const uid = read.u32(entry, NUMBER_OFFSET);
  let gid = read.u32(entry, PASSWD_GID_OFFSET);
  if (group !== undefined) {
    const groupEntry = c.getgrnam(cString(group));
    if (groupEntry === null) throw new PrivilegeError(`Cannot run as ${text}: there is no group ${group}`);
    gid = read.u32(groupEntry, NUMBER_OFFSET);
  }
  if (process.geteuid?.() !== 0 && process.geteuid?.() !== uid)
    throw new PrivilegeError(`Cannot run as ${text}: only root can change to another user`);
  return { text, user, uid, gid };
}

/**
 * Makes this process, and those that it starts from its main thread, run as `account`. Other threads keep no capability at all.
 * @param keep capabilities
 * @throws PrivilegeError; then nobody may go on
 */
export function dropPrivileges({ text, user, uid, gid }: Account, keep: readonly number[]): void {
  const c = open();
  const check = (result: number, what: string) => {
    if (result === 0) return;
    throw new PrivilegeError(`Cannot run as ${text}: ${what}: ${libc ? errnoText(errno(libc)) : "refused"}`);
  };
  if (process.geteuid?.() === 0 && uid !== 0) {
    for (let cap = 0; cap < CAPABILITIES; cap++) if (!keep.includes(cap)) c.prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
    check(c.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "prctl");
    check(c.initgroups(cString(user), gid), "initgroups");
    check(c.setresgid(gid, gid, gid), "setresgid");
    check(c.setresuid(uid, uid, uid), "setresuid");
    const mask = keep.reduce((bits, cap) => bits | (1 << cap), 0);
    // Effective, permitted and inheritable set of the capabilities 0 to 31, then of the others.
    check(c.capset(Uint32Array.of(CAPABILITY_VERSION_3, 0), Uint32Array.of(mask, mask, mask, 0, 0, 0)), "capset");
    for (const cap of keep) check(c.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0), "ambient capabilities");
    // Else our own workers could not look at what we have loaded (`unnamed-file.ts`).
    c.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  }
  check(c.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
}

/** Programs that this process starts have none of its capabilities, and other users cannot read the files that it makes. */
export function keepToOurselves(): void {
  process.umask(UMASK);
  open().prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

function cString(text: string): Uint8Array {
  return Buffer.from(`${text}\0`);
}
