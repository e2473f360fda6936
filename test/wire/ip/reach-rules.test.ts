import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseIpAddress } from "../../../src/wire/ip/address.ts";
import { readReachRule, unreadableRule } from "../../../src/wire/ip/reach-rule.ts";
import { reachRefusal } from "../../../src/wire/ip/reach-rules.ts";
import { rules } from "../../fakes/reach.ts";

/** `ADDRESS PORT`, or `NAME ADDRESS PORT`. */
function refusal(target: string, { allow = "", deny = "" } = {}): string | undefined {
  const words = target.split(" ");
  const [host = "", addressText = "", port = ""] = words.length === 3 ? words : [words[0], ...words];
  const address = parseIpAddress(addressText)!;
  return reachRefusal(
    { upstreamAllow: rules(allow), upstreamDeny: rules(deny) },
    { host, address, port: Number(port) },
  );
}

function matches(rule: string, target: string): boolean {
  return refusal(target, { deny: rule })?.includes("upstream-deny") === true;
}

describe("a rule", () => {
  test.each([
    ["10.0.0.1", "10.0.0.1 80", "10.0.0.2 80"],
    ["10.0.0.0/8", "10.255.0.1 80", "11.0.0.0 80"],
    ["10.1.2.3/8", "10.9.9.9 80", "11.0.0.0 80"],
    ["192.168.128.0/17", "192.168.255.1 80", "192.168.127.1 80"],
    ["10.0.0.0/8:8080", "10.0.0.1 8080", "10.0.0.1 8081"],
    ["10.0.0.1:80-90", "10.0.0.1 90", "10.0.0.1 91"],
    ["0.0.0.0/0", "8.8.8.8 80", "2001:db8::1 80"],
    ["::/0", "2001:db8::1 80", "8.8.8.8 80"],
    ["2001:db8::/32", "2001:db8:ffff::1 80", "2001:db9::1 80"],
    ["[2001:db8::]/32", "2001:db8::1 80", "2001:db9::1 80"],
    ["[2001:db8::/32]:443", "2001:db8::1 443", "2001:db8::1 80"],
    ["[2001:db8::]/32:443", "2001:db8::1 443", "2001:db8::1 80"],
    ["2001:db8::1", "2001:db8::1 1", "2001:db8::2 1"],
    [":8080", "10.0.0.1 8080", "10.0.0.1 80"],
    ["*:8080", "2001:db8::1 8080", "10.0.0.1 80"],
    ["*", "10.0.0.1 1", ""],
    ["tv.example", "TV.Example. 10.0.0.1 80", "a.tv.example 10.0.0.1 80"],
    ["tv.example:554", "tv.example 10.0.0.1 554", "tv.example 10.0.0.1 80"],
    ["*.example.net", "a.b.Example.net 10.0.0.1 80", "example.net 10.0.0.1 80"],
    ["*.example.net", "a.example.net. 10.0.0.1 80", "aexample.net 10.0.0.1 80"],
    ["nas_1", "NAS_1 10.0.0.1 80", "nas 10.0.0.1 80"],
    ["239.0.0.0/8:1234", "239.1.1.1 1234", "239.1.1.1 1235"],
  ])("%s is for %s and not for %s", (rule, yes, no) => {
    expect(matches(rule, yes)).toBe(true);
    if (no !== "") expect(matches(rule, no)).toBe(false);
  });

  test.each([
    ["10.0.0.0/8", "::ffff:10.1.1.1 80"],
    ["10.0.0.0/8", "::10.1.1.1 80"],
    ["10.0.0.0/8", "64:ff9b::10.1.1.1 80"],
    ["10.0.0.0/8", "2002:a01:101::1 80"],
    ["127.0.0.0/8", "0.0.0.0 80"],
    ["127.0.0.0/8", ":: 80"],
    ["::1", ":: 80"],
    ["::1", "0.0.0.0 80"],
  ])("%s is also for what leads there: %s", (rule, target) => {
    expect(matches(rule, target)).toBe(true);
  });

  test.each([
    ["", "write an address"],
    [":", "no port"],
    [":0", "no port"],
    [":70000", "no port"],
    [":9-8", "no port"],
    ["10.0.0.0/33", "write 0 to 32"],
    ["10.0.0.0/", "write 0 to 32"],
    ["10.0.0.0/-1", "write 0 to 32"],
    ["::/129", "write 0 to 128"],
    ["10.0.0", "no address"],
    ["10.0.0.256", "no address"],
    ["010.0.0.1", "no address"],
    ["tv.example/24", "tv.example is no address"],
    ["fe80::1%eth0", "without a zone"],
    ["[10.0.0.1]:80", "brackets are for IPv6"],
    ["*example.net", "asterisk"],
    ["a.*.net", "asterisk"],
    ["http://tv.example/", "no port"],
    ["tv example", "no host name"],
    [`${"a.".repeat(130)}b`, "no host name"],
  ])("is not %j: %s", (text, reason) => {
    expect(readReachRule(text)).toEqual(expect.stringContaining(reason));
  });

  test("is read or refused, whatever the text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[*a-f0-9.:[\]/%-]{0,24}$/)), (text) => {
        const rule = readReachRule(text);
        if (typeof rule !== "string") expect(readReachRule(rule.text)).toEqual(rule);
        else expect(rule).not.toBe("");
      }),
    );
  });
});

describe("without rules", () => {
  test.each(["169.254.169.254 80", "169.254.0.1 554", "fe80::1 80", "febf::1 80", "::ffff:169.254.169.254 80"])(
    "link-local %s is closed",
    (target) => {
      expect(refusal(target)).toContain("is link-local, which is closed unless upstream-allow names it");
    },
  );

  test.each(["fd00:ec2::254 80", "100.100.100.200 80", "168.63.129.16 80", "192.0.0.192 80", "fd20:ce::254 80"])(
    "the metadata service %s is closed",
    (target) => {
      expect(refusal(target)).toContain("metadata");
    },
  );

  test.each(["10.0.0.1 80", "127.0.0.1 80", "8.8.8.8 80", "239.1.1.1 1234", "::1 80", "fec0::1 80", "100.64.0.1 80"])(
    "%s is open",
    (target) => {
      expect(refusal(target)).toBeUndefined();
    },
  );
});

describe("which rule counts", () => {
  test.each<[what: string, target: string, allow: string, deny: string, part: string | undefined]>([
    ["permissions close all others", "8.8.8.8 80", "10.0.0.0/8", "", "8.8.8.8:80 is not in upstream-allow"],
    ["and open theirs", "10.1.1.1 80", "10.0.0.0/8", "", undefined],
    ["a denial is stronger", "10.1.1.1 80", "10.0.0.0/8", "10.1.0.0/16", "closed by upstream-deny=10.1.0.0/16"],
    ["however exact the permission", "10.1.1.1 80", "10.1.1.1", "10.0.0.0/8", "upstream-deny=10.0.0.0/8"],
    ["a network opens what is closed by default", "169.254.1.1 80", "169.254.0.0/16", "", undefined],
    ["a name does, too", "cam.local fe80::1 80", "cam.local", "", undefined],
    ["a pattern does not: others say what it means", "x.evil.test 169.254.169.254 80", "*.evil.test", "", "link-local"],
    ["nor does an asterisk", "169.254.169.254 80", "*", "", "link-local"],
    ["nor a port", "169.254.169.254 80", ":80", "", "link-local"],
    ["nor a network of all", "169.254.169.254 80", "0.0.0.0/0", "", "link-local"],
    ["beside an asterisk the rest stays open", "8.8.8.8 80", "169.254.1.1 *", "", undefined],
    ["a name is told with its address", "tv.test 10.0.0.1 80", "", "10.0.0.1", "tv.test at 10.0.0.1:80 is closed"],
    ["IPv6 in brackets", "2001:db8::1 80", "", "*", "[2001:db8::1]:80 is closed by upstream-deny=*"],
  ])("%s", (_, target, allow, deny, part) => {
    const told = refusal(target, { allow, deny });
    if (part === undefined) expect(told).toBeUndefined();
    else expect(told).toContain(part);
  });

  test("one that cannot be read denies everything, or permits nothing", () => {
    const target = { host: "8.8.8.8", address: parseIpAddress("8.8.8.8")!, port: 80 };
    const bad = [unreadableRule("10.0.0.0/33")];
    expect(reachRefusal({ upstreamAllow: [], upstreamDeny: bad }, target)).toContain("upstream-deny=10.0.0.0/33");
    expect(reachRefusal({ upstreamAllow: bad, upstreamDeny: [] }, target)).toContain("not in upstream-allow");
  });
});
