import { expect, test } from "bun:test";
import fc from "fast-check";
import { emitReceiverReport, hasBye } from "../../../src/wire/rtp/rtcp.ts";

test("an empty receiver report", () => {
  expect(Buffer.from(emitReceiverReport()).toString("hex")).toBe("80c9000100000000");
  expect(Buffer.from(emitReceiverReport(0xdeadbeef)).toString("hex")).toBe("80c90001deadbeef");
});

const BYE = Uint8Array.of(0x81, 203, 0, 1, 0, 0, 0, 1);
const SENDER_REPORT = Buffer.concat([Uint8Array.of(0x80, 200, 0, 6), Buffer.alloc(24)]);

test.each<[string, Uint8Array, boolean]>([
  ["a goodbye", BYE, true],
  ["one behind a report", Buffer.concat([SENDER_REPORT, BYE]), true],
  ["a report", SENDER_REPORT, false],
  ["a goodbye that is cut", BYE.subarray(0, 7), false],
  ["a goodbye behind something else", Buffer.concat([Uint8Array.of(0x47, 0, 0, 0), BYE]), false],
  ["nothing", Uint8Array.of(), false],
])("%s says so: %j", (_, bytes, isBye) => {
  const around = Buffer.concat([Uint8Array.of(1, 2, 3), bytes, BYE]);
  expect(hasBye(around, 3, bytes.length)).toBe(isBye);
});

test("random bytes never make it throw, nor read behind their end", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const alone = hasBye(bytes, 0, bytes.length);
      expect(hasBye(Buffer.concat([bytes, BYE]), 0, bytes.length)).toBe(alone);
    }),
  );
});
