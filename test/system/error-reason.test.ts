import { expect, test } from "bun:test";
import { openSync } from "node:fs";
import { errorCode, errorReason } from "../../src/system/error-reason.ts";
import { SystemCallError } from "../../src/system/socket.ts";
import { errorOf } from "../fakes/error-of.ts";

const EADDRINUSE = 98;

test("the reason is the kernel's, whoever asked the kernel", () => {
  expect(errorReason(new SystemCallError("bind", EADDRINUSE))).toBe("address already in use");
  const missing = errorOf(() => openSync("/nowhere/file", "r"));
  expect(errorReason(missing)).toBe("no such file or directory");
  expect(errorCode(missing)).toBe("ENOENT");
});

test("other errors speak for themselves", () => {
  expect(errorReason(new Error("out of luck"))).toBe("out of luck");
  expect(errorReason("thrown text")).toBe("thrown text");
  expect(errorCode(new Error("out of luck"))).toBeUndefined();
  expect(errorCode("thrown text")).toBeUndefined();
});
