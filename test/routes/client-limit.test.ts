import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Connection } from "../../src/http/connection.ts";
import type { HttpRequest } from "../../src/http/request.ts";
import type { SendMeter } from "../../src/http/send-queue.ts";
import { ClientLimit } from "../../src/routes/client-limit.ts";
import type { Exchange } from "../../src/routes/route.ts";
import { ClientRegistry } from "../../src/status/clients.ts";
import { SharedSlots } from "../../src/status/shared-slots.ts";
import { CLIENT_STATE } from "../../src/wire/status/client-state.ts";
import { asByteString } from "../../src/wire/text/byte-string.ts";

const request = { header: () => undefined } as Partial<HttpRequest> as HttpRequest;

const PLAN = {
  about: { kind: "http", url: "", interfaceName: undefined, receiver: "stream" },
  firstState: CLIENT_STATE.httpConnecting,
};

function exchangeOf(connection: Connection): Exchange {
  const [path, query] = [asByteString("/"), asByteString("")];
  return { request, connection, path, query, clientAddress: "1.2.3.4:5", isCors: false, isForeignEmbed: false };
}

function enter(clientLimit: ClientLimit): (() => void) | undefined {
  const connection = { sentBytes: 0, countSends: (_meter: SendMeter) => {} } as Connection;
  return clientLimit.enter(exchangeOf(connection), PLAN)?.leave;
}

test("never lets in more than the limit, and gets each slot back once", () => {
  const step = fc.oneof(fc.constant("enter" as const), fc.nat(20));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 60 }), (limit, steps) => {
      const clientLimit = new ClientLimit(limit);
      const inside = new Set<() => void>();
      const all: (() => void)[] = [];
      for (const what of steps) {
        if (what === "enter") {
          const leave = enter(clientLimit);
          expect(leave !== undefined).toBe(inside.size < limit);
          if (!leave) continue;
          inside.add(leave);
          all.push(leave);
        } else if (all.length > 0) {
          const leave = all[what % all.length]!;
          leave();
          inside.delete(leave);
        }
        expect(clientLimit.count).toBe(inside.size);
      }
    }),
  );
});

test("a dead worker's slots come back, and nobody else's", () => {
  const counters = new Int32Array(SharedSlots.size(2));
  const [first, second] = [new SharedSlots(counters, 0), new SharedSlots(counters, 1)];
  for (let i = 0; i < 3; i++) expect(first.take(5)).toBe(true);
  expect(second.take(5)).toBe(true);
  expect(second.take(4)).toBe(false);
  expect(first.reclaim()).toBe(3);
  expect(first.reclaim()).toBe(0);
  expect(second.taken).toBe(1);
  second.giveBack();
  expect(second.taken).toBe(0);
});

test("a smaller limit lets nobody in and nobody out", () => {
  const clientLimit = new ClientLimit(3);
  const leave = [enter(clientLimit), enter(clientLimit), enter(clientLimit)];
  clientLimit.limit = 2;
  leave[0]!();
  expect(enter(clientLimit)).toBeUndefined();
  leave[1]!();
  expect(enter(clientLimit)).toBeFunction();
});

test("what is sent to who is inside is counted", () => {
  const clients = new ClientRegistry();
  const meters: SendMeter[] = [];
  const connection = { sentBytes: 0, countSends: (meter: SendMeter) => void meters.push(meter) } as Connection;
  new ClientLimit(1, undefined, clients).enter(exchangeOf(connection), PLAN);
  expect(meters).toHaveLength(1);
  expect(meters[0]).toBe(clients.sendCounts);
});
