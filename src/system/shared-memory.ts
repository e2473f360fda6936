/** A few numbers that several processes share: whoever has the descriptor maps the same page. */
import { toArrayBuffer } from "bun:ffi";
import { errno, libc } from "./libc.ts";
import { SystemCallError } from "./socket.ts";

const MFD_CLOEXEC = 1;
const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;

/** A new file in memory that holds `count` zeros; a child that is given the descriptor maps it with `mapIntegers`. */
export function createSharedIntegers(count: number): number {
  return createShared(count * Int32Array.BYTES_PER_ELEMENT);
}

/** The same for floats and `mapFloats`. */
export function createSharedFloats(count: number): number {
  return createShared(count * Float64Array.BYTES_PER_ELEMENT);
}

function createShared(bytes: number): number {
  const fd = createMemoryDescriptor();
  if (libc && libc.ftruncate(fd, bytes) < 0) throw new SystemCallError("ftruncate", errno(libc));
  return fd;
}

/** A new file in memory, of no bytes. @throws SystemCallError */
export function createMemoryDescriptor(): number {
  if (!libc) throw new Error("the C library cannot be opened here");
  const fd = libc.memfd_create(Buffer.from("sluice\0"), MFD_CLOEXEC);
  if (fd < 0) throw new SystemCallError("memfd_create", errno(libc));
  return fd;
}

/**
 * Maps the integers behind a descriptor, for as long as the process lives. Use `Atomics`: others write at any time.
 * @throws SystemCallError
 */
export function mapIntegers(fd: number, count: number): Int32Array {
  return new Int32Array(map(fd, count * Int32Array.BYTES_PER_ELEMENT));
}

/**
 * Maps the floats behind a descriptor, for as long as the process lives. Each must have only one writer at a time; others
 * read one that is whole, if maybe old.
 * @throws SystemCallError
 */
export function mapFloats(fd: number, count: number): Float64Array {
  return new Float64Array(map(fd, count * Float64Array.BYTES_PER_ELEMENT));
}

function map(fd: number, bytes: number): ArrayBuffer {
  if (!libc) throw new Error("the C library cannot be opened here");
  const address = libc.mmap(null, bytes, PROT_READ_WRITE, MAP_SHARED, fd, 0n);
  // MAP_FAILED is −1, which as a pointer is the largest there is.
  if (address === null || address > Number.MAX_SAFE_INTEGER) throw new SystemCallError("mmap", errno(libc));
  return toArrayBuffer(address, 0, bytes);
}
