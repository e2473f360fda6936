/** Pairs of UDP ports over real sockets, and which of our addresses leads somewhere. */

import { afterEach, describe, expect, test } from "bun:test";
import { localAddressTowards } from "../../src/system/local-address.ts";
import type { Memory } from "../../src/system/memory.ts";
import { resolveHost } from "../../src/system/resolve.ts";
import { UdpPair } from "../../src/system/udp-pair.ts";
import type { DatagramSink } from "../../src/system/udp-socket.ts";
import { formatIpAddress, parseIpAddress } from "../../src/wire/ip/address.ts";
import { until } from "../fakes/until.ts";

const WAIT_MS = 2000;
const LOOPBACK = parseIpAddress("127.0.0.1")!;
const OPTIONS = { address: LOOPBACK, receiveBufferBytes: 256 * 1024, interfaceName: undefined };

let resources = new DisposableStack();
afterEach(() => {
  resources.dispose();
  resources = new DisposableStack();
});

function pair(): UdpPair {
  const opened = new UdpPair(OPTIONS);
  resources.defer(() => opened.close());
  return opened;
}

async function received(
  from: UdpPair,
  receive: (sink: DatagramSink) => unknown = (sink) => from.media.receive(sink),
): Promise<string[]> {
  const texts: string[] = [];
  const sink = {
    datagram: ({ bytes }: Memory, offset: number, length: number) => {
      texts.push(Buffer.from(bytes.subarray(offset, offset + length)).toString());
    },
  };
  await until(
    () => {
      receive(sink);
      return texts.length > 0;
    },
    WAIT_MS,
    "a datagram",
  );
  return texts;
}

describe("a pair", () => {
  test("is two neighbours, the even one first, of its own", () => {
    const pairs = Array.from({ length: 20 }, pair);
    for (const { port, family, media, control } of pairs) {
      expect(port % 2).toBe(0);
      expect(port).toBeGreaterThanOrEqual(10_000);
      expect(port).toBeLessThanOrEqual(19_998);
      expect(family).toBe(4);
      expect(control.port).toBe(port + 1);
      expect(media.receiveBuffer).toBeGreaterThan(0);
    }
    expect(new Set(pairs.map(({ port }) => port)).size).toBe(20);
  });

  test("sends from both, receives media from one and reports from the other", async () => {
    const [a, b] = [pair(), pair()];
    a.media.send(Buffer.from("one"), LOOPBACK, b.port);
    expect(await received(b)).toEqual(["one"]);
    a.control.send(Buffer.from("two"), LOOPBACK, b.port);
    a.control.send(Buffer.from("three"), LOOPBACK, b.port + 1);
    expect(await received(b)).toEqual(["two"]);
    expect(await received(b, (sink) => b.receiveControl(sink))).toEqual(["three"]);
    expect(b.media.consumeReadError()).toBeUndefined();
  });

  test("neither sends to another family nor when it is closed, and says nothing of it", async () => {
    const [a, b] = [pair(), pair()];
    a.media.send(Buffer.from("no"), parseIpAddress("::1")!, b.port);
    a.close();
    a.close();
    a.media.send(Buffer.from("no"), LOOPBACK, b.port);
    expect(b.media.receive({ datagram() {} })).toBe(0);
    expect(a.media.receive({ datagram() {} })).toBe(0);
  });

  test("cannot be had on an address that is not ours", () => {
    expect(() => new UdpPair({ ...OPTIONS, address: parseIpAddress("192.0.2.1")! })).toThrow("address not available");
  });
});

test.each([
  ["127.0.0.1", "127.0.0.1"],
  ["127.1.2.3", "127.0.0.1"],
  ["::1", undefined],
])("towards %s we are %s", (remote, own) => {
  const address = localAddressTowards(parseIpAddress(remote)!, undefined);
  expect(address && formatIpAddress(address)).toBe(own!);
});

test.each([
  ["192.0.2.1", ["192.0.2.1"]],
  ["2001:db8::1", ["2001:db8::1"]],
  ["::ffff:192.0.2.1", ["192.0.2.1"]],
])("%s is its own address", async (host, addresses) => {
  expect((await resolveHost(host)).map(formatIpAddress)).toEqual(addresses);
});

test("names are resolved, or the failure is told", async () => {
  expect((await resolveHost("localhost")).map(formatIpAddress)).toContain("127.0.0.1");
  expect(resolveHost("no.such.host.invalid")).rejects.toThrow();
});
