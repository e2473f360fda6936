import { expect, test } from "bun:test";
import { emitReceiverReport } from "../../../src/wire/rtp/rtcp.ts";

test("an empty receiver report", () => {
  expect(Buffer.from(emitReceiverReport()).toString("hex")).toBe("80c9000100000000");
  expect(Buffer.from(emitReceiverReport(0xdeadbeef)).toString("hex")).toBe("80c90001deadbeef");
});
