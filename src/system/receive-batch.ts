/** The memory that recvmmsg reads into: headers, vectors and one slot for each datagram of a batch (recvmmsg(2)). */
import type { IpAddress } from "../wire/ip/address.ts";
import { addressOf, type libc } from "./libc.ts";
import { allocate } from "./memory.ts";
import { readSocketAddress, SOCKADDR_IN6_BYTES } from "./socket-address.ts";

export const BATCH = 64;
/** Room for the largest UDP payload. Only the first pages of each slot are ever touched, and so resident, by usual packets. */
const SLOT_BYTES = 65536;
/** Slots begin at different offsets within a page, or they would all compete for the same few cache sets. */
export const SLOT_STRIDE = SLOT_BYTES + 2048 + 64;
/** struct mmsghdr on 64-bit Linux: msg_name at 0, msg_namelen at 8, msg_iov at 16, msg_iovlen at 24, msg_len at 56. */
const HEADER_BYTES = 64;
const HEADER_LONGS = HEADER_BYTES / 8;
export const HEADER_WORDS = HEADER_BYTES / 4;
const NAME_LENGTH_WORD = 2;
export const LENGTH_WORD = 14;
const IOVEC_BYTES = 16;
/** A `sockaddr_in6`, aligned. */
const NAME_STRIDE = 32;

type Pointer = Parameters<NonNullable<typeof libc>["recvmmsg"]>[1];

/** All sockets read here: a batch is handed over before the next is read. */
class Slots {
  readonly memory = allocate(BATCH * SLOT_STRIDE);
  readonly vectors = new BigUint64Array((BATCH * IOVEC_BYTES) / 8);
  readonly vectorsAddress: number;

  constructor() {
    for (let i = 0; i < BATCH; i++) {
      this.vectors[i * 2] = BigInt(this.memory.address + i * SLOT_STRIDE);
      this.vectors[i * 2 + 1] = BigInt(SLOT_BYTES);
    }
    this.vectorsAddress = addressOf(this.vectors);
  }
}

interface Sender {
  readonly address: IpAddress;
  readonly port: number;
}

let slots: Slots | undefined;

/** Headers that point at the shared slots, with or without room for the senders' addresses. */
export class ReceiveBatch {
  /** Where the datagrams are: `SLOT_STRIDE` apart. */
  readonly memory: Slots["memory"];
  /** The headers as 32-bit numbers: `words[i * HEADER_WORDS + LENGTH_WORD]` is the length of datagram i. */
  readonly words: Uint32Array;
  readonly headersAddress: Pointer;
  readonly #names = allocate(BATCH * NAME_STRIDE);
  readonly #lastName = new Uint8Array(SOCKADDR_IN6_BYTES);
  #lastSender: Sender | undefined;
  /** libc uses its memory. */
  readonly #slots: Slots;

  constructor(hasNames: boolean) {
    slots ??= new Slots();
    this.#slots = slots;
    this.memory = slots.memory;
    const headers = new BigUint64Array(BATCH * HEADER_LONGS);
    for (let i = 0; i < BATCH; i++) {
      if (hasNames) headers[i * HEADER_LONGS] = BigInt(this.#names.address + i * NAME_STRIDE);
      headers[i * HEADER_LONGS + 2] = BigInt(this.#slots.vectorsAddress + i * IOVEC_BYTES);
      headers[i * HEADER_LONGS + 3] = 1n;
    }
    this.words = new Uint32Array(headers.buffer);
    this.headersAddress = addressOf(this.words) as Pointer;
  }

  /** Makes room for the senders' addresses again: the kernel has written their lengths there. */
  resetNames(): void {
    for (let i = 0; i < BATCH; i++) this.words[i * HEADER_WORDS + NAME_LENGTH_WORD] = SOCKADDR_IN6_BYTES;
  }

  /** The same object as long as the sender is the same: a burst from one makes no garbage. */
  senderOf(datagram: number): Sender {
    const { bytes } = this.#names;
    const at = datagram * NAME_STRIDE;
    const last = this.#lastName;
    let same = 0;
    while (same < last.length && bytes[at + same] === last[same]) same++;
    if (same === last.length && this.#lastSender) return this.#lastSender;
    for (let i = 0; i < last.length; i++) last[i] = bytes[at + i]!;
    this.#lastSender = readSocketAddress(bytes, at);
    return this.#lastSender;
  }
}
