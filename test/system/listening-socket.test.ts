import { expect, test } from "bun:test";
import { openListeningSocket } from "../../src/system/listening-socket.ts";
import { closeSocket, getOption, localPort, SOL_SOCKET, SystemCallError } from "../../src/system/socket.ts";
import { AF_INET, socketAddress } from "../../src/system/socket-address.ts";
import { parseIpAddress } from "../../src/wire/ip/address.ts";
import { openSockets } from "../fakes/namespace.ts";

const SO_ACCEPTCONN = 30;
const LOOPBACK = socketAddress(parseIpAddress("127.0.0.1")!, 0);

test("a socket listens and knows its port", async () => {
  const fd = openListeningSocket(AF_INET, LOOPBACK);
  expect(getOption(fd, SOL_SOCKET, SO_ACCEPTCONN)).toBe(1);
  const client = await Bun.connect({ hostname: "127.0.0.1", port: localPort(fd), socket: { data() {} } });
  client.terminate();
  closeSocket(fd);
});

test("a refusal leaves no descriptor", () => {
  const before = openSockets();
  expect(() => openListeningSocket(AF_INET, new Uint8Array(1))).toThrow("bind: invalid argument");
  const refuse = () => {
    throw new Error("no option");
  };
  expect(() => openListeningSocket(AF_INET, LOOPBACK, refuse)).toThrow("no option");
  expect(() => localPort(-1)).toThrow(SystemCallError);
  expect(openSockets(before)).toEqual([]);
});
