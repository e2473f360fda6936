/** Ways to a server: names, several addresses, silence, loops, and giving up. */

import { afterEach, describe, expect, test } from "bun:test";
import { type DialError, Dialer, type DialOptions, type DialTarget } from "../../src/system/dialer.ts";
import { allocate } from "../../src/system/memory.ts";
import { Reach } from "../../src/system/reach.ts";
import type { TcpSource } from "../../src/system/tcp-source.ts";
import { formatIpAddress, type IpAddress, parseIpAddress } from "../../src/wire/ip/address.ts";
import { freeTcpPort } from "../fakes/free-port.ts";
import { BlackHole, HttpOrigin, NewCertificate } from "../fakes/http-origin.ts";
import { openSockets } from "../fakes/namespace.ts";
import { OPEN_REACH, reachOf } from "../fakes/reach.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { until } from "../fakes/until.ts";

const WAIT_MS = 4000;
const TIMEOUT_MS = 300;
const AREA_BYTES = 1024;

const REFUSED = parseIpAddress("127.0.0.2")!;
const RIGHT = parseIpAddress("127.0.0.1")!;

let resources = new DisposableStack();
afterEach(() => {
  resources.dispose();
  resources = new DisposableStack();
});

class Client {
  readonly first: string[] = [];
  source: TcpSource | undefined;
  failure: DialError | undefined;
  readonly log: string[] = [];
  readonly dialer: Dialer;
  readableCalls = 0;

  constructor(port: number, options: Partial<DialOptions> & { target?: Partial<DialTarget> } = {}) {
    const { target, ...others } = options;
    this.dialer = new Dialer(
      { host: "tv.test", port, ...target },
      { timeoutMs: TIMEOUT_MS, reach: OPEN_REACH, resolve: async () => [RIGHT], ...others },
      this,
      recordingLog(this.log),
    );
    resources.defer(() => {
      this.dialer.close();
      this.source?.close();
    });
  }

  resolved(first: IpAddress): void {
    this.first.push(formatIpAddress(first));
  }

  connected(source: TcpSource): void {
    this.source = source;
    source.handOver({
      readable: () => {
        this.readableCalls++;
      },
    });
  }

  failed(cause: DialError): void {
    this.failure = cause;
  }

  /** The address that was reached, or why none was. */
  async settled(): Promise<string> {
    await until(() => this.source !== undefined || this.failure !== undefined, WAIT_MS, "an outcome");
    return this.failure?.code ?? formatIpAddress(this.source!.target.address);
  }

  get isSilent(): boolean {
    return this.first.length === 0 && !this.source && !this.failure;
  }
}

function server(script?: ConstructorParameters<typeof HttpOrigin>[0]): HttpOrigin {
  return resources.use(new HttpOrigin(script));
}

describe("addresses", () => {
  test("are tried in their order; the first that answers is used", async () => {
    const { port } = server();
    const client = new Client(port, { resolve: async () => [REFUSED, RIGHT, REFUSED] });
    expect(await client.settled()).toBe("127.0.0.1");
    expect(client.first).toEqual(["127.0.0.2"]);
    expect(client.log).toHaveLength(1);
    expect(client.log[0]).toStartWith(`DEBUG tv.test: 127.0.0.2:${port}: `);
  });

  test("that are silent are given up after a while, and the next is tried", async () => {
    const hole = resources.use(new BlackHole(await freeTcpPort()));
    const alone = new Client(hole.port);
    expect(await alone.settled()).toBe("unreachable");
    expect(alone.failure!.message).toBe(`127.0.0.1:${hole.port}: no answer within ${TIMEOUT_MS} ms`);
    const origin = resources.use(new HttpOrigin(undefined, { hostname: "::1" }));
    const silent = resources.use(new BlackHole(origin.port));
    const client = new Client(silent.port, { resolve: async () => [RIGHT, parseIpAddress("::1")!] });
    expect(await client.settled()).toBe("::1");
  });

  test("that cannot even be tried are passed over", async () => {
    // Without an interface a link-local address leads nowhere.
    const client = new Client(server().port, {
      resolve: async () => [parseIpAddress("fe80::1")!, RIGHT],
      reach: reachOf({ allow: "fe80::/10 *" }),
    });
    expect(await client.settled()).toBe("127.0.0.1");
  });

  test("that all refuse are told with the last reason", async () => {
    const client = new Client(await freeTcpPort(), { resolve: async () => [REFUSED, RIGHT] });
    expect(await client.settled()).toBe("unreachable");
    expect(client.failure!.message).toStartWith("127.0.0.1:");
  });

  test("of our own are a loop, also behind others", async () => {
    const asked: string[] = [];
    const reach = new Reach({ upstreamAllow: [], upstreamDeny: [] }, (address, port) => {
      asked.push(`${formatIpAddress(address)} ${port}`);
      return address === RIGHT;
    });
    const { port, connections } = server();
    const client = new Client(port, { resolve: async () => [REFUSED, RIGHT], reach });
    expect(await client.settled()).toBe("loop");
    expect(asked).toEqual([`127.0.0.2 ${port}`, `127.0.0.1 ${port}`]);
    expect(connections).toEqual([]);
  });
});

test.each<[what: string, resolve: NonNullable<DialOptions["resolve"]>, code: string, reason: string]>([
  ["none", async () => [], "unreachable", "its name has no address"],
  ["an error", () => Promise.reject(new Error("not found")), "unresolved", "not found"],
  ["silence", () => new Promise(() => {}), "unresolved", `no answer within ${TIMEOUT_MS} ms`],
])("a name that resolves to %s", async (_, resolve, code, reason) => {
  const client = new Client(1, { resolve });
  expect(await client.settled()).toBe(code);
  expect([client.failure!.message, client.first]).toEqual([reason, []]);
});

test("a name that nobody knows is told in words", async () => {
  const client = new Client(1, { resolve: undefined, timeoutMs: WAIT_MS, target: { host: "no.such.host.invalid" } });
  expect(await client.settled()).toBe("unresolved");
  expect(client.failure!.message).toBe("name or service not known");
});

test("an address is its own name", async () => {
  const client = new Client(server().port, { resolve: undefined, target: { host: "127.0.0.1" } });
  expect(await client.settled()).toBe("127.0.0.1");
});

test("a certificate for another name is no connection", async () => {
  const certificate = resources.use(new NewCertificate(["DNS:tv.test"]));
  const { port } = resources.use(new HttpOrigin(undefined, { certificate }));
  const client = new Client(port, { timeoutMs: WAIT_MS, target: { tlsName: "tv.test" } });
  expect(await client.settled()).toBe("unreachable");
  expect(client.failure!.message).toContain("certificate refused");
});

test("an interface that is not there is told, and the routing table chooses", async () => {
  const client = new Client(server().port, { target: { interfaceName: "no-device0" } });
  expect(await client.settled()).toBe("127.0.0.1");
  expect(client.log).toEqual([
    expect.stringMatching(
      /^ERROR tv\.test: cannot be bound to the interface no-device0, the routing table chooses: it does not exist \(now\), there .*\blo \(127\.0\.0\.1\)/,
    ),
  ]);
});

test("the connection belongs to the parent: its bytes, and its end", async () => {
  const { port } = server((connection) => connection.send("hello"));
  const client = new Client(port);
  await client.settled();
  client.dialer.close();
  await until(() => client.readableCalls > 0, WAIT_MS, "bytes");
  const area = allocate(AREA_BYTES);
  expect(client.source!.read(area, 0, AREA_BYTES)).toBe(5);
});

describe("what was closed says nothing any more", () => {
  test("while the name is resolved", async () => {
    const { port, connections } = server();
    const { promise, resolve } = Promise.withResolvers<IpAddress[]>();
    const client = new Client(port, { resolve: () => promise });
    client.dialer.close();
    resolve([RIGHT]);
    // Whoever comes later is served, so the first would have been by now.
    expect(await new Client(port).settled()).toBe("127.0.0.1");
    expect([client.isSilent, connections.length]).toEqual([true, 1]);
  });

  test("when the name turns out to be unknown", async () => {
    const { promise, reject } = Promise.withResolvers<IpAddress[]>();
    const client = new Client(1, { resolve: () => promise });
    client.dialer.close();
    reject(new Error("not found"));
    await promise.catch(() => {});
    expect(client.isSilent).toBe(true);
  });

  test("from within resolved", async () => {
    const { port, connections } = server();
    const { promise, resolve } = Promise.withResolvers<IpAddress[]>();
    const client = new Client(port, { resolve: () => promise });
    client.resolved = () => client.dialer.close();
    resolve([RIGHT]);
    expect(await new Client(port).settled()).toBe("127.0.0.1");
    expect([client.source, client.failure, connections.length]).toEqual([undefined, undefined, 1]);
  });

  test("while an address is tried, whose socket is closed", async () => {
    const hole = resources.use(new BlackHole(await freeTcpPort()));
    const before = openSockets();
    const client = new Client(hole.port);
    await until(() => openSockets(before).length > 0, WAIT_MS, "the attempt");
    client.dialer.close();
    client.dialer.close();
    await until(() => openSockets(before).length === 0, WAIT_MS, "the socket to be closed");
    expect([client.source, client.failure]).toEqual([undefined, undefined]);
  });

  test("after a failure", async () => {
    const client = new Client(1, { resolve: async () => [] });
    await client.settled();
    const first = client.failure;
    client.dialer.close();
    expect(client.failure).toBe(first!);
  });
});
