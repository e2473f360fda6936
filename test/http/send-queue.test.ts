import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SendQueue } from "../../src/http/send-queue.ts";

/** A queue before a kernel that takes as many bytes of each write as it is told to, and then all. */
function queueOf(...limits: number[]) {
  const writes: Buffer[] = [];
  const queue = new SendQueue({
    write(bytes, offset = 0, length = 0) {
      const taken = Math.min(length, limits.shift() ?? length);
      writes.push(Buffer.from((bytes as Uint8Array).subarray(offset, offset + Math.max(0, taken))));
      return taken;
    },
  });
  return { queue, writes, sent: () => Buffer.concat(writes).toString() };
}

const piece = (text: string) => Buffer.from(text);

describe("the queue", () => {
  test("is untouched until the kernel takes a byte of it, and empty when it has taken all", () => {
    const { queue } = queueOf(-1, 1);
    const state = () => [queue.isUntouched, queue.isEmpty];
    expect(state()).toEqual([false, true]);
    queue.fill([piece("head"), piece("body")]);
    expect([queue.flush(), ...state()]).toEqual([false, true, false]);
    expect([queue.flush(), ...state()]).toEqual([false, false, false]);
    expect([queue.flush(), ...state()]).toEqual([true, false, true]);
  });

  test("leaves what is not made yet to another turn when this one is over", () => {
    const { queue, sent } = queueOf();
    const made: string[] = [];
    const more = function* () {
      for (const text of ["a ", "b "]) {
        made.push(text);
        yield piece(text);
      }
    };
    queue.fill([piece("head ")], more());
    expect([queue.isMadeOnTheWay, queue.flush(() => true), sent(), made]).toEqual([true, false, "head ", []]);
    expect([queue.flush(() => true), sent()]).toEqual([false, "head a "]);
    expect([queue.flush(() => false), sent()]).toEqual([true, "head a b "]);
  });

  test("can be replaced while nothing of it is sent, and forgotten", () => {
    const { queue, sent } = queueOf();
    queue.fill([piece("stream")]);
    queue.fill([piece("answer")]);
    expect(queue.flush()).toBe(true);
    queue.fill([piece("late")]);
    queue.clear();
    expect([queue.flush(), sent()]).toEqual([true, "answer"]);
  });

  test("goes out in one write with what is sent behind it, and what is sent then has no copy of it", () => {
    const { queue, writes } = queueOf();
    queue.fill([piece("head")]);
    expect([queue.sendBehind(piece("..media"), 2, 5), queue.isEmpty, queue.send(piece("more"), 0, 4)]).toEqual([
      5,
      true,
      4,
    ]);
    expect(writes.map(String)).toEqual(["headmedia", "more"]);
  });

  test("is sent once and in order, and counted with its meter, whatever the kernel takes", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1, max: 12 })), fc.array(fc.string()), (limits, texts) => {
        const { queue, sent } = queueOf(...limits);
        const pieces = texts.map(piece).filter(({ length }) => length > 0);
        const whole = Buffer.concat(pieces).toString();
        let counted = 0;
        queue.meter = {
          sent: (_, taken) => {
            counted += taken;
          },
        };
        queue.fill(pieces);
        for (let i = 0; !queue.flush(); i++) expect(i).toBeLessThanOrEqual(limits.length);
        expect([sent(), queue.sentBytes, counted]).toEqual([whole, Buffer.byteLength(whole), queue.sentBytes]);
      }),
    );
  });
});
