import { afterEach, describe, expect, test } from "bun:test";
import { readFileSync, readlinkSync } from "node:fs";
import {
  bindSocket,
  closeSocket,
  getOption,
  openSocket,
  receiveBufferSize,
  SO_REUSEADDR,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  SystemCallError,
  sendTo,
  setBufferSize,
  setOption,
  tryOption,
  widenReceiveBuffer,
} from "../../src/system/socket.ts";
import { AF_INET, socketAddress } from "../../src/system/socket-address.ts";
import { parseIpAddress } from "../../src/wire/ip/address.ts";
import { errorOf } from "../fakes/error-of.ts";
import { freeUdpPort } from "../fakes/free-port.ts";
import { openSockets } from "../fakes/namespace.ts";
import { within } from "../fakes/until.ts";

const SO_RCVBUF = 8;
const SO_RCVLOWAT = 18;
const SO_SNDBUF = 7;

const EINVAL = 22;
const ENOPROTOOPT = 92;
const EADDRNOTAVAIL = 99;
const LOOPBACK = parseIpAddress("127.0.0.1")!;

const open: number[] = [];
afterEach(() => {
  for (const fd of open.splice(0)) closeSocket(fd);
});

function udpSocket(): number {
  const fd = openSocket(AF_INET, SOCK_DGRAM);
  open.push(fd);
  return fd;
}

describe("a receive buffer of TCP", () => {
  test("begins larger, as far as the system allows, and wakes nobody later for it", () => {
    const fd = openSocket(AF_INET, SOCK_STREAM);
    open.push(fd);
    const usual = receiveBufferSize(fd);
    const most = Number(readFileSync("/proc/sys/net/ipv4/tcp_rmem", "latin1").split("\t")[2]) / 2;
    widenReceiveBuffer(fd, 2 * usual);
    expect(receiveBufferSize(fd)).toBe(Math.max(usual, Math.min(2 * usual, most)));
    expect(getOption(fd, SOL_SOCKET, SO_RCVLOWAT)).toBe(1);
  });
});

describe("a socket", () => {
  test("is there from open to close, and no child inherits it", () => {
    const fd = openSocket(AF_INET, SOCK_DGRAM);
    const name = readlinkSync(`/proc/self/fd/${fd}`);
    expect(openSockets()).toContain(name);
    const child = Bun.spawnSync(["ls", "-l", "/proc/self/fd"]);
    expect(child.stdout.toString()).not.toContain(name);
    closeSocket(fd);
    expect(openSockets()).not.toContain(name);
  });

  test("sends from the address that it is bound to", async () => {
    const { promise, resolve } = Promise.withResolvers<{ text: string; port: number; address: string }>();
    const receiver = await Bun.udpSocket({
      hostname: "127.0.0.1",
      socket: { data: (_, bytes, port, address) => resolve({ text: bytes.toString(), port, address }) },
    });
    try {
      const port = await freeUdpPort();
      const fd = udpSocket();
      bindSocket(fd, socketAddress(LOOPBACK, port));
      sendTo(fd, Buffer.from("hello"), socketAddress(LOOPBACK, receiver.port));
      expect(await within(promise, 3000, "the datagram")).toEqual({ text: "hello", port, address: "127.0.0.1" });
    } finally {
      receiver.close();
    }
  });

  test("keeps its options", () => {
    const fd = udpSocket();
    expect(getOption(fd, SOL_SOCKET, SO_REUSEADDR)).toBe(0);
    setOption(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    expect(getOption(fd, SOL_SOCKET, SO_REUSEADDR)).toBe(1);
    expect(tryOption(fd, SOL_SOCKET, SO_REUSEADDR, Uint8Array.of(0, 0, 0, 0))).toBe(true);
    expect(getOption(fd, SOL_SOCKET, SO_REUSEADDR)).toBe(0);
  });

  test.each(["receive", "send"] as const)("has the %s buffer that it says", (kind) => {
    const fd = udpSocket();
    const bytes = setBufferSize(fd, kind, 64 * 1024);
    expect(bytes).toBe(128 * 1024);
    expect(getOption(fd, SOL_SOCKET, kind === "receive" ? SO_RCVBUF : SO_SNDBUF)).toBe(bytes);
  });

  test("says which call was refused, and why", () => {
    const fd = udpSocket();
    const elsewhere = socketAddress(parseIpAddress("192.0.2.99")!, 1);
    expect(errorOf(() => bindSocket(fd, elsewhere))).toMatchObject({ code: "system-call", errno: EADDRNOTAVAIL });
    expect(() => bindSocket(fd, elsewhere)).toThrow("bind: address not available");
    expect(errorOf(() => bindSocket(fd, new Uint8Array(1)))).toMatchObject({ errno: EINVAL });
    expect(() => setOption(fd, SOL_SOCKET, 9999, 1)).toThrow(`setsockopt(1, 9999): errno ${ENOPROTOOPT}`);
    expect(() => setOption(fd, SOL_SOCKET, 9999, 1, "a name")).toThrow(`a name: errno ${ENOPROTOOPT}`);
    expect(() => getOption(fd, SOL_SOCKET, 9999)).toThrow(`getsockopt(1, 9999): errno ${ENOPROTOOPT}`);
    expect(tryOption(fd, SOL_SOCKET, 9999, 1)).toBe(false);
    expect(() => openSocket(9999, SOCK_DGRAM)).toThrow(SystemCallError);
  });
});
