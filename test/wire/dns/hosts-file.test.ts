import { expect, test } from "bun:test";
import fc from "fast-check";
import { addressesInHosts } from "../../../src/wire/dns/hosts-file.ts";
import { formatIpAddress } from "../../../src/wire/ip/address.ts";

const TABLE = `# 10.9.9.9 nas
127.0.0.1\tlocalhost
10.0.0.1 nas nas.lan # 10.0.0.2 tv
 fd00::1  nas\t
10.0.0.3 mynas nasty nas-2 x.nas
nonsense nas
10.0.0.4
10.0.0.5 tv#x
10.0.0.6 last`;

test.each([
  ["nas", ["10.0.0.1", "fd00::1"]],
  ["nas.lan", ["10.0.0.1"]],
  ["nasty", ["10.0.0.3"]],
  ["tv", ["10.0.0.5"]],
  ["last", ["10.0.0.6"]],
  ["as", []],
  ["10.0.0.4", []],
])("%s", (name, addresses) => {
  expect(addressesInHosts(TABLE, name).map(formatIpAddress)).toEqual(addresses);
  expect(addressesInHosts(TABLE.replaceAll("\n", "\r\n"), name).map(formatIpAddress)).toEqual(addresses);
});

test("is what taking the table apart finds", () => {
  const word = fc.constantFrom("nas", "tv", "nas.tv", "10.0.0.1", "::1", "x", "#", "#nas", "");
  const table = fc.array(
    fc.array(word, { maxLength: 5 }).map((words) => words.join(" ")),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(table, fc.constantFrom("nas", "tv", "x"), (lines, name) => {
      const taken = lines.flatMap((line) => {
        const [address = "", ...names] = line.split("#")[0]!.trim().split(/ +/);
        return address === "10.0.0.1" || address === "::1"
          ? names.filter((each) => each === name).map(() => address)
          : [];
      });
      expect(addressesInHosts(lines.join("\n"), name).map(formatIpAddress)).toEqual(taken);
    }),
  );
});

test("anything may stand in it", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "binary" }),
      fc.string({ minLength: 1 }),
      (table, name) => void addressesInHosts(table, name),
    ),
  );
});
