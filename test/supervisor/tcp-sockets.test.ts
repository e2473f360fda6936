import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { TcpAddress } from "../../src/config/settings.ts";
import { TcpSockets } from "../../src/supervisor/tcp-sockets.ts";
import { freeTcpPort } from "../fakes/free-port.ts";
import { openSockets } from "../fakes/namespace.ts";
import { recordingLog } from "../fakes/recording-log.ts";

const NOT_OURS: TcpAddress = { host: "192.0.2.77", port: 8080 };

let before = openSockets();
let log = recordingLog();
let sockets = new TcpSockets(log);

beforeEach(() => {
  before = openSockets();
  log = recordingLog();
  sockets = new TcpSockets(log);
});
afterEach(() => {
  sockets.close();
  expect(openSockets(before)).toEqual([]);
});

/** Prepares and uses; returns how many addresses there are. */
async function use(endpoints: readonly TcpAddress[], workers: number): Promise<number> {
  const change = await sockets.prepare(endpoints, workers);
  change.commit();
  return change.addresses;
}

async function local(): Promise<TcpAddress> {
  return { host: "127.0.0.1", port: await freeTcpPort() };
}

function fdsOf(worker: number): number[] {
  return sockets.of(worker).map(({ fd }) => fd);
}

async function isServed({ port }: TcpAddress): Promise<boolean> {
  try {
    const socket = await Bun.connect({ hostname: "127.0.0.1", port, socket: { data() {} } });
    socket.terminate();
    return true;
  } catch {
    return false;
  }
}

describe("the TCP sockets", () => {
  test("are one for each worker and address", async () => {
    const [one, two] = [await local(), await local()];
    expect(await use([one, two], 3)).toBe(2);
    expect(openSockets(before)).toHaveLength(6);
    for (let worker = 0; worker < 3; worker++) {
      expect(sockets.of(worker)).toMatchObject([
        { address: "127.0.0.1", port: one.port },
        { address: "127.0.0.1", port: two.port },
      ]);
    }
    expect(new Set([0, 1, 2].flatMap(fdsOf)).size).toBe(6);
    expect(sockets.of(3)).toEqual([]);
    expect(log.lines).toEqual([one, two].map(({ port }) => `INFO Listening on 127.0.0.1 port ${port}`));
    sockets.close();
    expect(openSockets(before)).toEqual([]);
    expect(sockets.of(0)).toEqual([]);
  });

  test("on a free port are all on the same one", async () => {
    await use([{ host: "127.0.0.1", port: 0 }], 3);
    const ports = new Set([0, 1, 2].flatMap((worker) => sockets.of(worker).map(({ port }) => port)));
    expect(ports.size).toBe(1);
    expect([...ports][0]).toBeGreaterThan(0);
    const fds = [0, 1, 2].map(fdsOf);
    await use([{ host: "127.0.0.1", port: 0 }], 3);
    expect([0, 1, 2].map(fdsOf)).toEqual(fds);
  });

  test("on an address that is named twice are there once", async () => {
    const address = await local();
    expect(await use([address, { ...address }], 1)).toBe(1);
    expect(fdsOf(0)).toHaveLength(1);
  });

  test("leave out what cannot be bound, and say so", async () => {
    const address = await local();
    expect(await use([NOT_OURS, address], 2)).toBe(1);
    expect(sockets.of(1)).toMatchObject([{ port: address.port }]);
    expect(log.lines[0]).toStartWith(
      "ERROR Cannot bind: 192.0.2.77 port 8080: address not available (no interface has it: there ",
    );
    expect(await use([{ host: "nowhere.invalid", port: 80 }], 2)).toBe(0);
    expect(log.lines.at(-1)).toStartWith("ERROR GAI: nowhere.invalid: ");
  });
});

describe("a change", () => {
  test("keeps the sockets of what stays, whatever the order", async () => {
    const [one, two, three] = [await local(), await local(), await local()];
    await use([one, two], 2);
    const [first, second] = fdsOf(1) as [number, number];
    await use([three, two, one], 2);
    expect(fdsOf(1)).toMatchObject({ length: 3, 1: second, 2: first });
    expect(openSockets(before)).toHaveLength(6);
    expect(log.lines).toHaveLength(3);
  });

  test("closes what is no longer wanted", async () => {
    const [one, two] = [await local(), await local()];
    await use([one], 2);
    await use([two], 2);
    expect(await isServed(one)).toBe(false);
    expect(await isServed(two)).toBe(true);
    expect(openSockets(before)).toHaveLength(2);
  });

  test.each([1, 2])("may go from all addresses of a port to one of them and back, with %d workers", async (workers) => {
    const port = await freeTcpPort();
    for (const [host, address] of [
      [undefined, "0.0.0.0"],
      ["127.0.0.1", "127.0.0.1"],
      [undefined, "0.0.0.0"],
    ] as const) {
      await use([{ host, port }], workers);
      expect(sockets.of(workers - 1)[0]).toMatchObject({ address, port });
      expect(await isServed({ host, port })).toBe(true);
    }
    expect(log.lines.filter((line) => line.startsWith("ERROR"))).toEqual([]);
  });

  test("adds and removes workers", async () => {
    const address = await local();
    await use([address], 1);
    const [first] = fdsOf(0);
    await use([address], 3);
    expect(openSockets(before)).toHaveLength(3);
    await use([address], 1);
    expect(openSockets(before)).toHaveLength(1);
    expect(fdsOf(0)).toEqual([first!]);
    await use([address], 2);
    expect(openSockets(before)).toHaveLength(2);
  });

  test("that is taken back leaves everything as it was", async () => {
    const [one, two] = [await local(), await local()];
    await use([one], 2);
    const fds = [fdsOf(0), fdsOf(1)];
    const change = await sockets.prepare([two, one, NOT_OURS], 3);
    expect(change.addresses).toBe(2);
    expect(openSockets(before)).toHaveLength(2 + 1 + 3);
    expect([fdsOf(0), fdsOf(1)]).toEqual(fds);
    change.rollback();
    expect([fdsOf(0), fdsOf(1), fdsOf(2)]).toEqual([...fds, []]);
    expect(openSockets(before)).toHaveLength(2);
    expect(await isServed(two)).toBe(false);
    expect(await isServed(one)).toBe(true);
  });
});
