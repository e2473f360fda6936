import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  existingInterfaces,
  hasInterface,
  interfaceAddress,
  interfaceIndex,
  zoneIndex,
} from "../../src/system/interfaces.ts";

describe("an interface", () => {
  test("has the index that the kernel says", () => {
    for (const name of readdirSync("/sys/class/net")) {
      if (name === "bonding_masters") continue;
      expect(interfaceIndex(name)).toBe(Number(readFileSync(`/sys/class/net/${name}/ifindex`, "utf8")));
    }
  });

  test.each(["nosuch0", "", "l", "a-name-of-sixteen", "ö".repeat(8), "constructor"])("%j does not exist", (name) => {
    expect(interfaceIndex(name)).toBeUndefined();
    expect(hasInterface(name)).toBe(false);
    expect(interfaceAddress(name, 4)).toBeUndefined();
    expect(interfaceAddress(name, 6)).toBeUndefined();
  });

  test("is among those that there are, with its address, and loopback is the last", () => {
    expect(hasInterface("lo")).toBe(true);
    expect(existingInterfaces()).toMatch(/^there (is|are) (.*, )?lo \(127\.0\.0\.1\)$/);
  });

  test("is named by a zone with its name or its number", () => {
    expect(zoneIndex("lo")).toBe(interfaceIndex("lo"));
    expect(zoneIndex("7")).toBe(7);
    for (const zone of ["", "0", "07", "-1", "1e3", "nosuch0", "9".repeat(10)]) expect(zoneIndex(zone)).toBeUndefined();
  });

  test("is not called missing when there is no descriptor left to ask with", async () => {
    const script = `
      import { interfaceIndex } from ${JSON.stringify(join(import.meta.dir, "../../src/system/interfaces.ts"))};
      import { openSync } from "node:fs";
      interfaceIndex("lo");
      try { for (;;) openSync("/dev/null", "r"); } catch {}
      try { console.log("index", interfaceIndex("lo")); } catch (error) { console.log(error.errno); }`;
    const child = Bun.spawn(["sh", "-c", `ulimit -n 64 && exec "$0" -e "$1"`, process.execPath, script], {
      stderr: "inherit",
    });
    expect((await new Response(child.stdout).text()).trim()).toBe("24");
  });

  test("has an address", () => {
    expect(interfaceAddress("lo", 4)).toBe("127.0.0.1");
  });
});
