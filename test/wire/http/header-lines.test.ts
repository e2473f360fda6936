import { describe, expect, test } from "bun:test";
import { HeaderLines } from "../../../src/wire/http/header-lines.ts";

function collect(...lines: string[]): unknown {
  const headers = new HeaderLines(3);
  const problems = lines.map((line) => headers.add(line)).filter((problem) => problem !== undefined);
  return problems.length > 0 ? problems : headers.fields;
}

describe("HeaderLines", () => {
  test("joins folded lines by one space, and cuts blanks, those before the colon too", () => {
    expect(collect("A \t:  1 ", " 2", "\t ", "\t3\t", "b:", " \xa0")).toEqual([
      ["A", "1 2 3"],
      ["b", "\xa0"],
    ]);
  });

  test("refuses what is no header, a fold of none, and too many", () => {
    expect(collect(" fold")).toEqual(["malformed"]);
    expect(collect("a b: 1", ": 1", "a", "a: \0")).toEqual(Array(4).fill("malformed"));
    expect(collect("a: 1", "b", " fold of b")).toEqual(Array(2).fill("malformed"));
    expect(collect("a:", "b:", "c:", " fold", "d:")).toEqual(["too many"]);
  });

  test("begins anew", () => {
    const headers = new HeaderLines(1);
    headers.add("a: 1");
    headers.clear();
    expect(headers.add(" fold")).toBe("malformed");
    expect(headers.add("b: 2")).toBeUndefined();
    expect(headers.fields).toEqual([["b", "2"]]);
  });
});
