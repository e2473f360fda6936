/** Ways to a server: names, several addresses, silence, and giving up. */

import { afterEach, expect, test } from "bun:test";
import { Connector, type ConnectorOptions } from "../../../src/upstream/rtsp/connector.ts";
import type { RtspError } from "../../../src/upstream/rtsp/errors.ts";
import type { RtspConnection } from "../../../src/upstream/rtsp/rtsp-connection.ts";
import { formatIpAddress, type IpAddress, parseIpAddress } from "../../../src/wire/ip/address.ts";
import { freeTcpPort } from "../../fakes/free-port.ts";
import { BlackHole } from "../../fakes/http-origin.ts";
import { recordingLog } from "../../fakes/recording-log.ts";
import { RtspServer } from "../../fakes/rtsp-server.ts";
import { until } from "../../fakes/until.ts";

const WAIT_MS = 4000;
const TIMEOUT_MS = 400;

let resources = new DisposableStack();
afterEach(() => {
  resources.dispose();
  resources = new DisposableStack();
});

class Client {
  readonly first: string[] = [];
  control: RtspConnection | undefined;
  failure: RtspError | undefined;
  readonly connector: Connector;

  constructor(port: number, resolve: ConnectorOptions["resolve"]) {
    const url = { host: "tv.test", port, path: "/", credentials: undefined };
    const options = { interfaceName: undefined, timeoutMs: TIMEOUT_MS, resolve };
    this.connector = new Connector(`rtsp://tv.test:${port}`, url, options, this, recordingLog());
    resources.defer(() => {
      this.connector.close();
      this.control?.close();
    });
  }

  resolved(first: IpAddress): void {
    this.first.push(formatIpAddress(first));
  }

  connected(control: RtspConnection): void {
    this.control = control;
  }

  failed(cause: RtspError): void {
    this.failure = cause;
  }

  async settled(): Promise<string> {
    await until(() => this.control !== undefined || this.failure !== undefined, WAIT_MS, "an outcome");
    return this.failure?.code ?? formatIpAddress(this.control!.target.address);
  }
}

const REFUSED = parseIpAddress("127.0.0.2")!;
const RIGHT = parseIpAddress("127.0.0.1")!;

test("addresses are tried in their order; the first that answers is used", async () => {
  const server = resources.use(await RtspServer.open());
  const client = new Client(server.port, async () => [REFUSED, RIGHT]);
  expect(await client.settled()).toBe("127.0.0.1");
  expect(client.first).toEqual(["127.0.0.2"]);
});

test("silence is given up after a while", async () => {
  const hole = resources.use(new BlackHole(await freeTcpPort()));
  const client = new Client(hole.port, async () => [RIGHT]);
  expect(await client.settled()).toBe("unreachable");
  expect(client.failure!.message).toContain(`no answer within ${TIMEOUT_MS} ms`);
});

test.each<[what: string, resolve: NonNullable<ConnectorOptions["resolve"]>, code: string]>([
  ["none", async () => [], "unreachable"],
  ["an error", () => Promise.reject(new Error("not found")), "unresolved"],
  ["silence", () => new Promise(() => {}), "unresolved"],
])("a name that resolves to %s", async (_, resolve, code) => {
  expect(await new Client(1, resolve).settled()).toBe(code);
});

test("what was closed says nothing any more", async () => {
  const server = resources.use(await RtspServer.open());
  const { promise, resolve } = Promise.withResolvers<IpAddress[]>();
  const client = new Client(server.port, () => promise);
  client.connector.close();
  resolve([RIGHT]);
  const other = new Client(server.port, async () => [RIGHT]);
  expect(await other.settled()).toBe("127.0.0.1");
  expect(client).toMatchObject({ first: [], control: undefined, failure: undefined });
});
