/** Raw file-descriptor sockets through libc, and their options. All throw SystemCallError. */
import { descriptorsForUpstreams } from "./descriptors.ts";
import { errnoText } from "./errno.ts";
import { errno, type Libc, libc } from "./libc.ts";
import { readSocketAddress, SOCKADDR_IN6_BYTES } from "./socket-address.ts";

export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_SNDBUF = 7;
const SO_RCVBUF = 8;
export const SO_KEEPALIVE = 9;
export const SO_REUSEPORT = 15;
const SO_RCVLOWAT = 18;
const SO_BINDTODEVICE = 25;
const SO_SNDBUFFORCE = 32;
const SO_RCVBUFFORCE = 33;
/** Nine 32-bit numbers, the last of which counts drops (sk_meminfo of linux/sock_diag.h); since Linux 4.12. */
const SO_MEMINFO = 55;
const MEMINFO_NUMBERS = 9;
const MEMINFO_DROPS = 8;

export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
const EMFILE = 24;
const EINPROGRESS = 115;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;

/** A call to the kernel was refused. */
export class SystemCallError extends Error {
  readonly code = "system-call";
  readonly errno: number;

  constructor(call: string, number: number) {
    super(`${call}: ${errnoText(number)}`);
    this.errno = number;
  }
}

function needLibc(): Libc {
  if (!libc) throw new Error("the C library cannot be opened here");
  return libc;
}

function check(result: number, call: string): number {
  if (result < 0) throw new SystemCallError(call, errno(needLibc()));
  return result;
}

/** A non-blocking socket that child processes do not inherit. The last descriptors are not to be had this way. */
export function openSocket(family: number, type: number, protocol = 0): number {
  const fd = check(needLibc().socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol), "socket");
  if (fd < descriptorsForUpstreams()) return fd;
  closeSocket(fd);
  throw new SystemCallError("socket", EMFILE);
}

export function closeSocket(fd: number): void {
  needLibc().close(fd);
}

export function bindSocket(fd: number, address: Uint8Array): void {
  check(needLibc().bind(fd, address, address.length), "bind");
}

/**
 * A stream socket of ours does not wait: whether it is connected shows later.
 * @param call what the error calls it
 */
export function startConnecting(fd: number, address: Uint8Array, call: string): void {
  const c = needLibc();
  if (c.connect(fd, address, address.length) >= 0) return;
  const number = errno(c);
  if (number !== EINPROGRESS) throw new SystemCallError(call, number);
}

/** The port that an IPv4 or IPv6 socket is bound to. */
export function localPort(fd: number): number {
  const address = new Uint8Array(SOCKADDR_IN6_BYTES);
  check(needLibc().getsockname(fd, address, Uint32Array.of(address.length)), "getsockname");
  return readSocketAddress(address).port;
}

export function sendTo(fd: number, bytes: Uint8Array, address: Uint8Array): void {
  check(needLibc().sendto(fd, bytes, bytes.length, 0, address, address.length), "sendto");
}

/**
 * @param value a 32-bit number, or the bytes of a structure
 * @param call what the error calls it
 */
export function setOption(
  fd: number,
  level: number,
  option: number,
  value: number | Uint8Array,
  call = `setsockopt(${level}, ${option})`,
): void {
  const bytes = typeof value === "number" ? new Uint8Array(Int32Array.of(value).buffer) : value;
  check(needLibc().setsockopt(fd, level, option, bytes, bytes.length), call);
}

/** False when the kernel refuses. */
export function tryOption(fd: number, level: number, option: number, value: number | Uint8Array): boolean {
  try {
    setOption(fd, level, option, value);
    return true;
  } catch {
    return false;
  }
}

/** A 32-bit option's value. */
export function getOption(fd: number, level: number, option: number): number {
  const value = new Int32Array(1);
  const length = Int32Array.of(4);
  check(needLibc().getsockopt(fd, level, option, value, length), `getsockopt(${level}, ${option})`);
  return value[0]!;
}

/** What we ask the kernel for unless `-B` says otherwise: we read in batches, and the usual size would overflow between two. */
export const USUAL_RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/**
 * Sets a buffer size: past the system's limit where we may, else up to it.
 * @returns the bytes now in force, in the kernel's own count (twice what was asked for, when it was granted)
 */
export function setBufferSize(fd: number, kind: "receive" | "send", bytes: number): number {
  const [force, plain] = kind === "receive" ? [SO_RCVBUFFORCE, SO_RCVBUF] : [SO_SNDBUFFORCE, SO_SNDBUF];
  if (!tryOption(fd, SOL_SOCKET, force, bytes)) tryOption(fd, SOL_SOCKET, plain, bytes);
  return getOption(fd, SOL_SOCKET, plain);
}

/**
 * Lets a TCP socket's receive buffer begin at that size, as far as the system allows; the kernel goes on fitting it to what comes,
 * which it would not after SO_RCVBUF. A low-water mark makes the kernel find room for it, and keep the room when the mark is gone.
 */
export function widenReceiveBuffer(fd: number, bytes: number): void {
  if (tryOption(fd, SOL_SOCKET, SO_RCVLOWAT, bytes / 2)) tryOption(fd, SOL_SOCKET, SO_RCVLOWAT, 1);
}

/** Bytes of a socket's receive buffer, in the kernel's own count: its bookkeeping takes about half of them. */
export function receiveBufferSize(fd: number): number {
  return getOption(fd, SOL_SOCKET, SO_RCVBUF);
}

/** Datagrams that the kernel has dropped because a socket's receive buffer was full; 0 where it does not tell. */
export function droppedDatagrams(fd: number): number {
  const numbers = new Uint32Array(MEMINFO_NUMBERS);
  const length = Int32Array.of(numbers.byteLength);
  return needLibc().getsockopt(fd, SOL_SOCKET, SO_MEMINFO, numbers, length) === 0 ? numbers[MEMINFO_DROPS]! : 0;
}

/** Best effort: an older kernel wants a privilege for it. */
export function bindToDevice(fd: number, name: string): boolean {
  return tryOption(fd, SOL_SOCKET, SO_BINDTODEVICE, Buffer.from(`${name}\0`));
}
