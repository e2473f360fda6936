import { expect, test } from "bun:test";
import fc from "fast-check";
import { Outbox } from "../../src/demo/outbox.ts";

const MAX_WAITING_BYTES = 256 * 1024;

/** A socket that takes `room` bytes until there is room again. */
class Narrow {
  room = 0;
  isOpen = true;
  readonly taken: number[] = [];

  write(bytes: Uint8Array): number {
    const part = bytes.subarray(0, this.room);
    this.taken.push(...part);
    this.room -= part.length;
    return part.length;
  }

  terminate(): void {
    this.isOpen = false;
  }
}

function open(): { socket: Narrow; outbox: Outbox } {
  const socket = new Narrow();
  return { socket, outbox: new Outbox(socket as unknown as ConstructorParameters<typeof Outbox>[0]) };
}

test("all bytes arrive in their order, however few the socket takes at a time", () => {
  const step = fc.oneof(fc.nat(50), fc.uint8Array({ minLength: 1, maxLength: 40 }));
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const { socket, outbox } = open();
      const sent: number[] = [];
      for (const what of steps) {
        if (typeof what === "number") {
          socket.room += what;
          outbox.drained();
        } else {
          sent.push(...what);
          outbox.send(what);
          // It may be used again.
          what.fill(0);
        }
        expect(outbox.isEmpty).toBe(socket.taken.length === sent.length);
      }
      socket.room = sent.length;
      outbox.drained();
      expect(socket.taken).toEqual(sent);
    }),
  );
});

test("whoever lets too much wait is disconnected", () => {
  const { socket, outbox } = open();
  outbox.send(new Uint8Array(MAX_WAITING_BYTES));
  expect(socket.isOpen).toBe(true);
  outbox.send(new Uint8Array(1));
  expect(socket.isOpen).toBe(false);
});
