/** Reads a datagram socket in batches with recvmmsg; the socket is never in the event loop, so a packet wakes nobody. */
import type { DatagramSink } from "./datagram-receiver.ts";
import { addressOf, errno, libc } from "./libc.ts";
import { allocate } from "./memory.ts";
import { closeSocket, SystemCallError } from "./socket.ts";

const BATCH = 64;
/** Room for the largest UDP payload. Only the first pages of each slot are ever touched, and so resident, by usual packets. */
const SLOT_BYTES = 65536;
/** Slots begin at different offsets within a page, or they would all compete for the same few cache sets. */
const SLOT_STRIDE = SLOT_BYTES + 2048 + 64;
const MSG_DONTWAIT = 0x40;
const EINTR = 4;
const EAGAIN = 11;
/** struct mmsghdr on 64-bit Linux: msg_iov at 16, msg_iovlen at 24, msg_len at 56. */
const MMSGHDR_BYTES = 64;
const IOVEC_BYTES = 16;
/** Batches a call reads at the most, so that one flooded socket cannot hold up the others: 8192 datagrams. */
const MAX_BATCHES = 128;

type Pointer = Parameters<NonNullable<typeof libc>["recvmmsg"]>[1];

/** One staging area serves all readers: a batch is handed over before the next is read. */
class Staging {
  readonly slots = allocate(BATCH * SLOT_STRIDE);
  readonly #vectors = new BigUint64Array((BATCH * IOVEC_BYTES) / 8);
  readonly #headers = new BigUint64Array((BATCH * MMSGHDR_BYTES) / 8);
  readonly lengths = new Uint32Array(this.#headers.buffer);
  readonly headersAddress: Pointer;

  constructor() {
    const vectors = addressOf(this.#vectors);
    for (let i = 0; i < BATCH; i++) {
      this.#vectors[i * 2] = BigInt(this.slots.address + i * SLOT_STRIDE);
      this.#vectors[i * 2 + 1] = BigInt(SLOT_BYTES);
      this.#headers[i * 8 + 2] = BigInt(vectors + i * IOVEC_BYTES);
      this.#headers[i * 8 + 3] = 1n;
    }
    this.headersAddress = addressOf(this.#headers) as Pointer;
  }
}

let staging: Staging | undefined;

export class BatchReader {
  #fd: number;
  readonly #staging: Staging;
  readonly #recvmmsg: NonNullable<typeof libc>["recvmmsg"];
  #readErrno = 0;

  /** @param fd a bound datagram socket, which is the reader's from now on */
  constructor(fd: number) {
    if (!libc) throw new Error("batched receiving needs the C library");
    this.#recvmmsg = libc.recvmmsg;
    this.#fd = fd;
    staging ??= new Staging();
    this.#staging = staging;
  }

  /** As `DatagramReceiver.receive`, but it never throws. */
  receive(sink: DatagramSink): number {
    const { slots, lengths, headersAddress } = this.#staging;
    let total = 0;
    for (let batch = 0; batch < MAX_BATCHES; batch++) {
      const count = this.#recvmmsg(this.#fd, headersAddress, BATCH, MSG_DONTWAIT, null);
      for (let i = 0; i < count; i++) {
        const length = lengths[i * (MMSGHDR_BYTES / 4) + 14]!;
        if (length > 0) sink.datagram(slots, i * SLOT_STRIDE, length);
      }
      if (count > 0) total += count;
      if (count < 0) this.#readFailed();
      // Fewer than asked for, or an error: nothing (more) is there.
      if (count < BATCH) break;
    }
    return total;
  }

  #readFailed(): void {
    const code = errno(libc!);
    if (code !== EAGAIN && code !== EINTR) this.#readErrno = code;
  }

  /** As `DatagramReceiver.consumeReadError`. */
  consumeReadError(): Error | undefined {
    const code = this.#readErrno;
    this.#readErrno = 0;
    return code === 0 ? undefined : new SystemCallError("recvmmsg", code);
  }

  /** Closes the socket. Harmless when repeated, and from within `receive`. */
  close(): void {
    if (this.#fd >= 0) closeSocket(this.#fd);
    this.#fd = -1;
  }
}
