import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { interfaceIndex } from "../../../src/system/interfaces.ts";
import type { Membership } from "../../../src/system/multicast.ts";
import { sendReports } from "../../../src/upstream/multicast/rejoin.ts";
import { parseIpAddress } from "../../../src/wire/ip/address.ts";
import { onesComplementSum } from "../../fakes/internet-checksum.ts";
import { addInterfacePair, describeInNamespace, IgmpCapture, withoutRawSockets } from "../../fakes/namespace.ts";

const GROUP = [239, 1, 2, 3];
const SOURCE = [10, 99, 0, 7];
const ROUTER_ALERT = "94040000";

describeInNamespace(import.meta.path, "IGMP reports", () => {
  let capture: IgmpCapture;
  let membership: Membership;

  beforeAll(async () => {
    await addInterfacePair("media0", "media1", "10.99.0.1/24");
    membership = {
      group: parseIpAddress(GROUP.join("."))!,
      port: 5000,
      interfaceName: "media0",
      interfaceIndex: interfaceIndex("media0")!,
    };
  });
  beforeEach(() => {
    capture?.close();
    capture = new IgmpCapture(interfaceIndex("media1")!);
  });
  afterAll(() => capture.close());

  /** The reports that arrive at the other end, their checksums taken out after a look at them. */
  async function reports(count: number): Promise<{ to: string; message: number[] }[]> {
    const packets = await capture.take(count, ({ message }) => message.includes(GROUP[0]!));
    return packets.map(({ to, ttl, options, message }) => {
      expect({ ttl, options }).toEqual({ ttl: 1, options: ROUTER_ALERT });
      expect(onesComplementSum(message)).toBe(0xffff);
      return { to, message: [...message.with(2, 0).with(3, 0)] };
    });
  }

  const anySource = [
    { to: "224.0.0.22", message: [0x22, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, ...GROUP] },
    { to: GROUP.join("."), message: [0x16, 0, 0, 0, ...GROUP] },
  ];

  test("for any source are one of version 3 and one of version 2", async () => {
    expect(sendReports(membership)).toBeUndefined();
    expect(await reports(2)).toEqual(anySource);
    expect(capture.rest()).toEqual([]);
  });

  test("go to the interface of which only the index is known", async () => {
    const { interfaceName: _, ...unnamed } = membership;
    expect(sendReports(unnamed)).toBeUndefined();
    expect(await reports(2)).toEqual(anySource);
  });

  test("for one source are of version 3 only", async () => {
    expect(sendReports({ ...membership, source: parseIpAddress(SOURCE.join("."))! })).toBeUndefined();
    expect(await reports(1)).toEqual([
      { to: "224.0.0.22", message: [0x22, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1, ...GROUP, ...SOURCE] },
    ]);
    expect(capture.rest()).toEqual([]);
  });

  test("without the privilege are not sent, which is no exception", () => {
    let failure: Error | undefined;
    withoutRawSockets(() => {
      failure = sendReports(membership);
    });
    expect(failure?.message).toBe("socket: operation not permitted");
    expect(capture.rest()).toEqual([]);
  });

  test("to an interface that is gone are not sent, which is no exception", () => {
    expect(sendReports({ ...membership, interfaceName: "nosuch0", interfaceIndex: 999_999 })).toBeInstanceOf(Error);
  });
});
