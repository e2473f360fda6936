import { describe, expect, test } from "bun:test";
import type { HeaderField } from "../../../src/wire/http/header-fields.ts";
import { type BodyFraming, responseFraming, transferCodings } from "../../../src/wire/http/response-framing.ts";

const lengths = (...values: string[]): HeaderField[] => values.map((value) => ["content-LENGTH", value]);
const codings = (...values: string[]): HeaderField[] => values.map((value) => ["transfer-ENCODING", value]);

describe("a body", () => {
  test.each<[kind: BodyFraming["kind"], headers: HeaderField[]]>([
    ["until-close", []],
    ["none", lengths("0")],
    ["none", lengths("000", "0")],
    ["chunked", codings("chunked")],
    ["chunked", codings("Chunked ,")],
    ["chunked", codings("gzip, chunked")],
    ["chunked", codings("gzip", "chunked")],
    ["chunked", [...lengths("5"), ...codings("chunked")]],
    ["chunked", [...codings("chunked"), ...lengths("x", "5")]],
    ["until-close", codings("gzip")],
    ["until-close", codings("chunked, gzip")],
    ["until-close", codings("chunked;x")],
    ["until-close", codings("")],
    ["until-close", codings("identity")],
    ["none", [...codings("Identity, "), ...lengths("0")]],
    ["chunked", codings("identity, chunked")],
  ])("%s: %j", (kind, headers) => {
    expect(responseFraming("GET", 200, headers)).toEqual({ kind } as BodyFraming);
  });

  test.each<[length: number, values: string[]]>([
    [5, ["5"]],
    [5, ["005"]],
    [5, ["5", "5"]],
    [5, ["5, 5"]],
    [Number.MAX_SAFE_INTEGER, [String(Number.MAX_SAFE_INTEGER)]],
  ])("of %d bytes: %j", (length, values) => {
    expect(responseFraming("GET", 200, lengths(...values))).toEqual({ kind: "length", length });
  });

  test.each([[["5", "6"]], [["5, 6"]], [["0", "6"]]])("is refused when its lengths are %j", (values) => {
    expect(responseFraming("GET", 200, lengths(...values))).toBeUndefined();
  });

  test.each([
    [["5", "x"]],
    [["x"]],
    [["x", "y"]],
    [[""]],
    [["", ""]],
    [["-1"]],
    [["1234567890123 bytes"]],
    [["18446744073709551615"]],
    [["+5"]],
    [["0x5"]],
    [["5 5"]],
    [["5.0"]],
    [["9007199254740992"]],
    [["9".repeat(400)]],
  ])("ends with its connection when its length is %j", (values) => {
    expect(responseFraming("GET", 200, lengths(...values))).toEqual({ kind: "until-close" });
  });

  test.each([
    ["HEAD", 200],
    ["GET", 204],
    ["GET", 304],
  ])("never follows %s with %d", (method, status) => {
    for (const headers of [[], lengths("5"), lengths("x"), codings("chunked")]) {
      expect(responseFraming(method, status, headers)).toEqual({ kind: "none" });
    }
  });
});

test("the codings span all lines", () => {
  expect(transferCodings(codings("GZIP, ", "chunked"))).toEqual(["gzip", "chunked"]);
  expect(transferCodings(codings("", "identity"))).toBeUndefined();
  expect(transferCodings(lengths("5"))).toBeUndefined();
});
