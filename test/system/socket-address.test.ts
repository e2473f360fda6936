import { expect, test } from "bun:test";
import { addressFamily, socketAddress } from "../../src/system/socket-address.ts";
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
