import { expect, test } from "bun:test";
import { getOption, SO_KEEPALIVE, SOL_SOCKET } from "../../src/system/socket.ts";
import { tuneListeningSocket } from "../../src/system/tcp.ts";
import { within } from "../fakes/until.ts";

const SO_SNDBUF = 7;

const IPPROTO_TCP = 6;
const TCP_KEEPIDLE = 4;
const TCP_KEEPINTVL = 5;
const TCP_KEEPCNT = 6;
const TCP_USER_TIMEOUT = 18;

/** Accepts one connection on a listener, tuned or not, and tells the options of the accepted socket. */
async function optionsOfAccepted(tuned: boolean): Promise<Record<string, number>> {
  const { promise, resolve } = Promise.withResolvers<Record<string, number>>();
  const read = (fd: number) => ({
    keepAlive: getOption(fd, SOL_SOCKET, SO_KEEPALIVE),
    idleS: getOption(fd, IPPROTO_TCP, TCP_KEEPIDLE),
    intervalS: getOption(fd, IPPROTO_TCP, TCP_KEEPINTVL),
    probes: getOption(fd, IPPROTO_TCP, TCP_KEEPCNT),
    userTimeoutMs: getOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT),
    sendBuffer: getOption(fd, SOL_SOCKET, SO_SNDBUF),
  });
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { data() {}, open: (socket) => resolve(read((socket as typeof socket & { fd: number }).fd)) },
  });
  try {
    if (tuned) tuneListeningSocket((listener as typeof listener & { fd: number }).fd);
    const client = await Bun.connect({ hostname: "127.0.0.1", port: listener.port, socket: { data() {} } });
    const options = await within(promise, 3000, "the connection");
    client.terminate();
    return options;
  } finally {
    listener.stop(true);
  }
}

test("accepted sockets inherit the options of a tuned listener", async () => {
  const { sendBuffer, ...others } = await optionsOfAccepted(true);
  expect(others).toEqual({ keepAlive: 1, idleS: 30, intervalS: 5, probes: 3, userTimeoutMs: 60_000 });
  // The kernel counts twice what was asked for, and gives those who are not root less.
  if (process.getuid?.() === 0) expect(sendBuffer).toBe(2 * 1024 * 1024);
  else expect(sendBuffer).toBeLessThanOrEqual(2 * 1024 * 1024);
  expect(await optionsOfAccepted(false)).toMatchObject({ userTimeoutMs: 0 });
});

test("what is no socket is left alone", () => {
  expect(() => tuneListeningSocket(-1)).not.toThrow();
});
