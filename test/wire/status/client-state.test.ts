import { expect, test } from "bun:test";
import { badgeKind, CLIENT_STATE } from "../../../src/wire/status/client-state.ts";

test("the states are those of the specification, without a gap", () => {
  expect(Object.values(CLIENT_STATE)).toEqual(Array.from({ length: 32 }, (_, code) => code as never));
});

test("each has its badge, and so has what is no state", () => {
  expect([4, 6, 9, 17, 20, 29].map(badgeKind)).toEqual(Array(6).fill("active"));
  expect([0, 13, 30, 31].map(badgeKind)).toEqual(["transitional", "transitional", "error", "gone"]);
  expect([32, -1, 0.5, undefined].map(badgeKind)).toEqual(Array(4).fill("unknown"));
});
