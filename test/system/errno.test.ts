import { expect, test } from "bun:test";
import { lookup } from "node:dns/promises";
import { openSync } from "node:fs";
import { constants } from "node:os";
import { getSystemErrorMessage, getSystemErrorName } from "node:util";
import { errnoText, errnoWords, errorCode, errorReason } from "../../src/system/errno.ts";
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

/** Known to us, and to Bun too, whose table lacks a few. */
function isKnown(number: number): boolean {
  return !errnoText(number).startsWith("errno ") && !getSystemErrorMessage(-number).startsWith("Unknown");
}

test("names and words are those of the system", () => {
  const known = Object.values(constants.errno).filter((number) => isKnown(number));
  expect(known.length).toBeGreaterThan(30);
  for (const number of known) {
    expect(errnoWords(-number)).toBe(getSystemErrorMessage(-number));
    expect(errnoText(number)).toStartWith(`${getSystemErrorName(-number)} (${getSystemErrorMessage(-number)}`);
  }
});

test("a number that is not in the table is told as it is", () => {
  expect(errnoText(4000)).toBe("errno 4000");
  expect(errorReason(new SystemCallError("ioctl", 4000))).toBe("errno 4000");
});

test.each([
  ["ENODEV", "ip link"],
  ["EADDRINUSE", "another port"],
  ["ENOBUFS", "igmp_max_memberships"],
] as const)("%s says what to do", (name, advice) => {
  expect(new SystemCallError("join", constants.errno[name]).message).toContain(advice);
});

test("an unknown name is told as such, whoever asked for it", async () => {
  const reasonOf = (promise: Promise<unknown>) => promise.then(() => "", errorReason);
  expect(await reasonOf(lookup("no.such.host.invalid"))).toBe("name or service not known");
  expect(await reasonOf(fetch("http://no.such.host.invalid/"))).toBe("name or service not known");
});
