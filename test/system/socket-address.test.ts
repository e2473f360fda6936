import { expect, test } from "bun:test";
import fc from "fast-check";
import { addressFamily, readSocketAddress, socketAddress } from "../../src/system/socket-address.ts";
import { parseIpAddress } from "../../src/wire/ip/address.ts";

const AF_INET = 2;
const AF_INET6 = 10;

test("an IPv4 address becomes a sockaddr_in", () => {
  const address = parseIpAddress("239.1.2.3")!;
  expect(addressFamily(address)).toBe(AF_INET);
  expect([...socketAddress(address, 0x1234)]).toEqual([AF_INET, 0, 0x12, 0x34, 239, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0]);
});

test("an IPv6 address becomes a sockaddr_in6 with its scope", () => {
  const address = parseIpAddress("ff02::1:2")!;
  const head = [AF_INET6, 0, 0x12, 0x34, 0, 0, 0, 0, ...address.bytes];
  expect(addressFamily(address)).toBe(AF_INET6);
  expect([...socketAddress(address, 0x1234)]).toEqual([...head, 0, 0, 0, 0]);
  expect([...socketAddress(address, 0x1234, 0x0506)]).toEqual([...head, 6, 5, 0, 0]);
});

test("what was written is read again, at any offset", () => {
  const v4 = fc.record({ family: fc.constant(4 as const), bytes: fc.uint8Array({ minLength: 4, maxLength: 4 }) });
  const v6 = fc.record({ family: fc.constant(6 as const), bytes: fc.uint8Array({ minLength: 16, maxLength: 16 }) });
  const number = fc.nat(0xffff);
  fc.assert(
    fc.property(fc.oneof(v4, v6), number, number, fc.nat(40), (address, port, scope, offset) => {
      const bytes = new Uint8Array(offset + 28);
      bytes.set(socketAddress(address, port, scope), offset);
      const zone = address.family === 6 && scope > 0 ? { zone: String(scope) } : {};
      expect(readSocketAddress(bytes, offset)).toEqual({ address: { ...address, ...zone }, port });
    }),
  );
});
