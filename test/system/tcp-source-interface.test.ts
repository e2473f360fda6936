/** Outgoing connections through an interface that the routing table would not choose, plain and TLS. */

import { beforeAll, expect, test } from "bun:test";
import { TcpSource } from "../../src/system/tcp-source.ts";
import { parseIpAddress } from "../../src/wire/ip/address.ts";
import { HttpOrigin } from "../fakes/http-origin.ts";
import { addInterfacePair, describeInNamespace } from "../fakes/namespace.ts";
import { until } from "../fakes/until.ts";

const WAIT_MS = 5000;

describeInNamespace(import.meta.path, "an interface", () => {
  beforeAll(() => addInterfacePair("a0", "a1", "10.1.1.1/24"));

  test.each([undefined, "origin.test"])("is the only way out (TLS name: %p)", async (tlsName) => {
    using resources = new DisposableStack();
    const server = resources.use(new HttpOrigin());
    const connect = (interfaceName: string) => {
      const target = { address: parseIpAddress("127.0.0.1")!, port: server.port, interfaceName, tlsName };
      const source = new TcpSource(target, { connected() {}, readable() {} });
      resources.defer(() => source.close());
      return source;
    };
    // The server's address is not to be reached through this one; through the other it is reached at once.
    const elsewhere = connect("a0");
    const right = connect("lo");
    await until(() => server.connections.length > 0, WAIT_MS, "a connection");
    expect([elsewhere.isBound, right.isBound]).toEqual([true, true]);
    expect(server.connections.map(({ peerPort }) => peerPort)).toEqual([right.localPort!]);
  });
});
