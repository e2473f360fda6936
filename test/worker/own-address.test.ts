import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { ownAddress } from "../../src/worker/own-address.ts";

/** `lo 127.0.0.1, lan 192.168.1.1` */
function choose(text: string): string {
  const all = text.split(", ").map((pair) => {
    const [interfaceName = "", address = ""] = pair.split(" ");
    return { interfaceName, address };
  });
  return ownAddress(all, ["up", "up6"]);
}

describe("of the addresses", () => {
  test.each([
    ["lo 127.0.0.1, lan 192.168.1.1", "192.168.1.1"],
    ["wan 198.51.100.1, lan 192.168.1.1", "192.168.1.1"],
    ["lan 192.168.1.2, lan2 192.168.1.1", "192.168.1.2"],
    ["up 192.168.1.1, wan 198.51.100.1", "198.51.100.1"],
    ["up 10.0.0.1, lan 2001:db8::1", "10.0.0.1"],
    ["up 2001:db8::1, lan 2001:db8::2", "2001:db8::2"],
    ["lan fe80::1, up6 2001:db8::1", "2001:db8::1"],
    ["lan febf::1, lo ::1, lo 127.1.2.3", "localhost"],
    ["lan fec0::1", "fec0::1"],
    ["docker0 172.17.0.1, lan 198.51.100.1", "198.51.100.1"],
    ["br-0123456789ab 172.18.0.1, up 10.0.0.1", "10.0.0.1"],
    ["br-lan 192.168.1.1, lan 192.168.2.1", "192.168.1.1"],
    ["docker0 172.17.0.1, lan 2001:db8::1", "172.17.0.1"],
    ["", "localhost"],
  ])("%j it is %s", (all, address) => {
    expect(choose(all)).toBe(address);
  });

  test.each(["10.1.2.3", "172.16.0.1", "172.31.0.1", "192.168.0.1", "100.64.0.1", "100.127.0.1", "169.254.0.1"])(
    "%s, which is private, comes first",
    (address) => {
      expect(choose(`wan 8.8.8.8, lan ${address}`)).toBe(address);
    },
  );

  test.each(["11.1.2.3", "172.15.0.1", "172.32.0.1", "192.169.0.1", "100.63.0.1", "100.128.0.1", "169.253.0.1"])(
    "%s, which is not private, does not",
    (address) => {
      expect(choose(`wan 8.8.8.8, lan ${address}`)).toBe("8.8.8.8");
    },
  );
});

test("no text makes it throw, and none is made up", () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string());
  fc.assert(
    fc.property(fc.array(fc.record({ interfaceName: fc.constantFrom("lan", "up"), address })), (all) => {
      expect([...all.map((candidate) => candidate.address), "localhost"]).toContain(ownAddress(all, ["up"]));
    }),
  );
});
