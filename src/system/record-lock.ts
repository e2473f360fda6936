/** POSIX record locks, which belong to a process and end with it: children do not inherit them (fcntl(2)). */
import { errno, libc } from "./libc.ts";
import { SystemCallError } from "./socket.ts";

const F_SETLK = 6;
const F_WRLCK = 1;
const EACCES = 13;
const EAGAIN = 11;
/** `struct flock` on 64-bit Linux: type and whence (16 bits each), start and length at 8 and 16, process id at 24. */
const FLOCK_BYTES = 32;

/**
 * Takes the write lock of a whole file, until the process ends or closes **any** descriptor of that file.
 * @returns false when another process holds it
 * @throws SystemCallError
 */
export function tryLockFile(fd: number): boolean {
  if (!libc) throw new Error("the C library cannot be opened here");
  // Start 0 and length 0 from the file's beginning: all of it, however long it grows.
  const flock = new Uint8Array(FLOCK_BYTES);
  new DataView(flock.buffer).setInt16(0, F_WRLCK, true);
  if (libc.fcntl(fd, F_SETLK, flock) === 0) return true;
  const number = errno(libc);
  if (number === EACCES || number === EAGAIN) return false;
  throw new SystemCallError("fcntl", number);
}
