/** Reads a multicast socket in batches, see `batch-reader.ts`. */
import { BatchReader } from "./batch-reader.ts";
import type { DatagramReceiver, DatagramSink } from "./datagram-receiver.ts";
import { changeMembership, type Membership, openMulticastSocket } from "./multicast.ts";

export class BatchedReceiver implements DatagramReceiver {
  readonly kind = "batched";
  /** The constructor has thrown it. */
  readonly failure = undefined;
  readonly receiveBuffer: number;
  readonly #membership: Membership;
  readonly #reader: BatchReader;
  readonly #fd: number;

  constructor(membership: Membership, receiveBufferBytes: number) {
    this.#membership = membership;
    const socket = openMulticastSocket(membership, receiveBufferBytes);
    this.#fd = socket.fd;
    this.receiveBuffer = socket.receiveBuffer;
    this.#reader = new BatchReader(socket.fd);
  }

  receive(sink: DatagramSink): number {
    return this.#reader.receive(sink);
  }

  consumeReadError(): Error | undefined {
    return this.#reader.consumeReadError();
  }

  rejoin(): void {
    changeMembership(this.#fd, this.#membership, "leave");
    changeMembership(this.#fd, this.#membership, "join");
  }

  close(): void {
    this.#reader.close();
  }
}
