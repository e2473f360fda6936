/** What the sender sends arrives at a member of the group on the loopback interface. */

import { afterEach, expect, test } from "bun:test";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { freeUdpPort, uniqueGroup } from "./free-port.ts";
import { MulticastSender, type MulticastSenderOptions } from "./multicast-sender.ts";
import { TsVerifier } from "./ts-verifier.ts";
import { until } from "./until.ts";

const WAIT_MS = 3000;
const RTP_HEADER_BYTES = 12;

let resources = new DisposableStack();
afterEach(() => {
  resources.dispose();
  resources = new DisposableStack();
});

async function receiver(group: string, port: number): Promise<Socket> {
  const socket = createSocket({ type: "udp4", reuseAddr: true });
  resources.defer(() => socket.close());
  socket.bind(port, group);
  await once(socket, "listening");
  socket.addMembership(group, "127.0.0.1");
  return socket;
}

async function sender(options: Partial<MulticastSenderOptions> = {}) {
  const where = { group: uniqueGroup(), port: await freeUdpPort() };
  const verifier = new TsVerifier(1);
  const socket = await receiver(where.group, where.port);
  const header = options.carrier === "rtp" ? RTP_HEADER_BYTES : 0;
  socket.on("message", (datagram) => verifier.push(datagram.subarray(header)));
  const multicast = await MulticastSender.open({ streamId: 1, carrier: "udp", ...where, ...options });
  resources.use(multicast);
  return { multicast, verifier, socket };
}

test.each(["udp", "rtp"] as const)("datagrams on demand over %s", async (carrier) => {
  const { multicast, verifier } = await sender({ carrier });
  multicast.send(20);
  await until(() => verifier.packets === 140, WAIT_MS, "140 TS packets");
  expect(verifier.counts).toMatchObject({ first: 0, last: 139, lost: 0, stray: 0, beganAtRandomAccess: true });
  expect(multicast.sentDatagrams).toBe(20);
});

test("faults arrive as faults", async () => {
  const { multicast, verifier } = await sender({ fault: (index) => (index === 3 ? "drop" : undefined) });
  multicast.send(10);
  await until(() => verifier.last === 69, WAIT_MS, "the last TS packet");
  expect(verifier.counts).toMatchObject({ packets: 63, lost: 7 });
});

test("raw datagrams come from the source port", async () => {
  const { multicast, socket } = await sender();
  const arrival = once(socket, "message");
  multicast.sendRaw(Buffer.from("anything"));
  const [bytes, peer] = await arrival;
  expect(bytes.toString()).toBe("anything");
  expect(peer).toMatchObject({ address: "127.0.0.1", port: multicast.sourcePort });
});

test("groups do not mix", async () => {
  const [one, two] = [await sender(), await sender()];
  one.multicast.send(3);
  two.multicast.send(1);
  await until(() => one.verifier.packets === 21 && two.verifier.packets === 7, WAIT_MS, "both streams");
  expect(two.verifier.last).toBe(6);
});

test("the paced rate is right, and pauses", async () => {
  const bitsPerSecond = 8_000_000;
  const { multicast, verifier } = await sender();
  const started = performance.now();
  multicast.start(bitsPerSecond);
  await until(() => multicast.sentBytes >= 300_000, WAIT_MS, "300 kB");
  multicast.pause();
  const seconds = (performance.now() - started) / 1000;
  const sent = multicast.sentBytes;
  // A busy machine makes it slower, never faster: one interval of slack.
  expect((sent * 8) / seconds).toBeLessThan(bitsPerSecond * 1.1);
  await until(() => verifier.packets * 188 === sent, WAIT_MS, "all of it");
  expect(multicast.sentBytes).toBe(sent);
  expect(verifier.clean).toBe(true);
});
