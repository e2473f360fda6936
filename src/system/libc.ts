/** The C library through bun:ffi: the few calls that Bun's own sockets cannot make. Undefined where it cannot be opened. */
import { dlopen, type FFIFunction, ptr, read } from "bun:ffi";

const i32 = "i32";
const SYMBOLS = {
  __errno_location: { args: [], returns: "ptr" },
  bind: { args: [i32, "ptr", "u32"], returns: i32 },
  close: { args: [i32], returns: i32 },
  connect: { args: [i32, "ptr", "u32"], returns: i32 },
  // Variadic in C. On Linux both x64 and arm64 pass these arguments as they would to a plain function.
  fcntl: { args: [i32, i32, "ptr"], returns: i32 },
  ftruncate: { args: [i32, "i64"], returns: i32 },
  getrlimit: { args: [i32, "ptr"], returns: i32 },
  getsockname: { args: [i32, "ptr", "ptr"], returns: i32 },
  getsockopt: { args: [i32, i32, i32, "ptr", "ptr"], returns: i32 },
  if_nametoindex: { args: ["ptr"], returns: "u32" },
  isatty: { args: [i32], returns: i32 },
  listen: { args: [i32, i32], returns: i32 },
  madvise: { args: ["ptr", "u64", i32], returns: i32 },
  memfd_create: { args: ["ptr", "u32"], returns: i32 },
  memcpy: { args: ["ptr", "ptr", "u32"], returns: "void" },
  mmap: { args: ["ptr", "u64", i32, i32, i32, "i64"], returns: "ptr" },
  poll: { args: ["ptr", "u64", i32], returns: i32 },
  recv: { args: [i32, "ptr", "u32", i32], returns: i32 },
  recvmmsg: { args: [i32, "ptr", "u32", i32, "ptr"], returns: i32 },
  sendto: { args: [i32, "ptr", "u32", i32, "ptr", "u32"], returns: i32 },
  setrlimit: { args: [i32, "ptr"], returns: i32 },
  setsockopt: { args: [i32, i32, i32, "ptr", "u32"], returns: i32 },
  socket: { args: [i32, i32, i32], returns: i32 },
} as const satisfies Record<string, FFIFunction>;

function open() {
  try {
    // glibc and musl both answer to this name; no other bare name is probed (the loader would look in the current directory).
    return dlopen("libc.so.6", SYMBOLS).symbols;
  } catch {
    return undefined;
  }
}

export type Libc = NonNullable<ReturnType<typeof open>>;

/** The C library, or undefined where bun:ffi or the library is not to be had (no JIT, not Linux). */
export const libc: Libc | undefined = process.platform === "linux" ? open() : undefined;

/** `errno` of the call just made. */
export function errno(c: Libc): number {
  return read.i32(c.__errno_location() as NonNullable<ReturnType<typeof c.__errno_location>>, 0);
}

/** Address of an array's first byte. The caller keeps the array alive for as long as libc may use the address. */
export function addressOf(bytes: NodeJS.TypedArray): number {
  return ptr(bytes);
}
