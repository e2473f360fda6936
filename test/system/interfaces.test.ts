import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { interfaceAddress, interfaceIndex } from "../../src/system/interfaces.ts";

describe("an interface", () => {
  test("has the index that the kernel says", () => {
    for (const name of readdirSync("/sys/class/net")) {
      if (name === "bonding_masters") continue;
      expect(interfaceIndex(name)).toBe(Number(readFileSync(`/sys/class/net/${name}/ifindex`, "utf8")));
    }
  });

  test.each(["nosuch0", "", "l", "a-name-of-sixteen", "ö".repeat(8), "constructor"])("%j does not exist", (name) => {
    expect(interfaceIndex(name)).toBeUndefined();
    expect(interfaceAddress(name, 4)).toBeUndefined();
    expect(interfaceAddress(name, 6)).toBeUndefined();
  });

  test("has an address", () => {
    expect(interfaceAddress("lo", 4)).toBe("127.0.0.1");
  });
});
