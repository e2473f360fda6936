/** Byte areas with a stable address, and copying between them without making an object per copy. */
import { addressOf, libc } from "./libc.ts";

/** An area of bytes; `address` is 0 where libc cannot be opened. */
export interface Memory {
  readonly bytes: Uint8Array;
  readonly address: number;
}

/** Makes a zeroed area of `size` bytes, 1 or more. The kernel supplies its pages when they are first touched. */
export function allocate(size: number): Memory {
  // A small array without a buffer of its own would move as soon as somebody takes a subarray of it.
  return areaOf(new Uint8Array(new ArrayBuffer(size)));
}

/** An array whose memory never moves, such as that of a WebAssembly module until it grows. */
export function areaOf(bytes: Uint8Array): Memory {
  return { bytes, address: libc ? addressOf(bytes) : 0 };
}

type Address = Parameters<NonNullable<typeof libc>["memcpy"]>[0];

/**
 * Copies `length` bytes between two different areas. The offsets must lie inside: libc checks nothing.
 * memcpy through ffi takes half the time of `set(subarray())`, which also leaves a view to collect for each packet.
 */
export const copyBytes: (to: Memory, toOffset: number, from: Memory, fromOffset: number, length: number) => void = libc
  ? (
      (memcpy) => (to, toOffset, from, fromOffset, length) =>
        memcpy((to.address + toOffset) as Address, (from.address + fromOffset) as Address, length)
    )(libc.memcpy)
  : (to, toOffset, from, fromOffset, length) =>
      to.bytes.set(from.bytes.subarray(fromOffset, fromOffset + length), toOffset);
