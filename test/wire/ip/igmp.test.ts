import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { IGMP_V3_REPORTS, membershipReportV2, membershipReportV3 } from "../../../src/wire/ip/igmp.ts";
import { onesComplementSum } from "../../fakes/internet-checksum.ts";

const address = fc.uint8Array({ minLength: 4, maxLength: 4 });
const GROUP = Uint8Array.of(239, 1, 2, 3);
const SOURCE = Uint8Array.of(10, 0, 0, 9);

describe("membership reports", () => {
  test("have the bytes of multicast.md section 4", () => {
    // 1600 + ef01 + 0203 = 10704 → 0705 → complement f8fa
    expect(membershipReportV2(GROUP)).toEqual(Uint8Array.of(0x16, 0, 0xf8, 0xfa, 239, 1, 2, 3));
    // 2200 + 0001 + 0200 + ef01 + 0203 = 11505 → 1506 → complement eaf9
    expect(membershipReportV3(GROUP)).toEqual(Uint8Array.of(0x22, 0, 0xea, 0xf9, 0, 0, 0, 1, 2, 0, 0, 0, 239, 1, 2, 3));
    // 2200 + 0001 + 0100 + 0001 + ef01 + 0203 + 0a00 + 0009 = 11e0f → 1e10 → complement e1ef
    expect(membershipReportV3(GROUP, SOURCE)).toEqual(
      Uint8Array.of(0x22, 0, 0xe1, 0xef, 0, 0, 0, 1, 1, 0, 0, 1, 239, 1, 2, 3, 10, 0, 0, 9),
    );
    expect([...IGMP_V3_REPORTS]).toEqual([224, 0, 0, 22]);
  });

  test("of any addresses sum up to ffff, as a receiver checks them", () => {
    fc.assert(
      fc.property(address, address, (group, source) => {
        for (const report of [
          membershipReportV2(group),
          membershipReportV3(group),
          membershipReportV3(group, source),
        ]) {
          expect(onesComplementSum(report)).toBe(0xffff);
        }
      }),
    );
  });
});
