/** Ports are free and never given twice in a row; groups differ. */

import { expect, test } from "bun:test";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { freeTcpPort, freeUdpPort, uniqueGroup } from "./free-port.ts";

test("a TCP port can be bound at once, and is not given again while it is", async () => {
  const port = await freeTcpPort();
  using server = Bun.listen({ hostname: "0.0.0.0", port, socket: { data() {} } });
  expect(server.port).toBe(port);
  const others = new Set<number>();
  for (let i = 0; i < 250; i++) others.add(await freeTcpPort());
  expect(others.has(port)).toBe(false);
  expect(others.size).toBeGreaterThan(150);
});

test("a UDP port can be bound at once, and is not given again while it is", async () => {
  const port = await freeUdpPort();
  const socket = createSocket("udp4").bind(port);
  await once(socket, "listening");
  const others = new Set<number>();
  for (let i = 0; i < 250; i++) others.add(await freeUdpPort());
  socket.close();
  expect(others.has(port)).toBe(false);
});

test("groups are multicast addresses and differ", () => {
  const groups = Array.from({ length: 254 }, uniqueGroup);
  expect(new Set(groups).size).toBe(254);
  for (const group of groups) expect(group).toMatch(/^239\.\d{1,3}\.\d{1,3}\.\d{1,3}$/);
});
