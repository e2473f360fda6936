/** RTSP from a server that has an IPv6 address only: no ZTE mode, and ports of that family (rtsp.md sections 2, 5.4 and 7). */

import { expect, test } from "bun:test";
import { RtspServer } from "../fakes/rtsp-server.ts";
import { until } from "../fakes/until.ts";
import { Relay } from "./rtsp-relay.ts";

const WAIT_MS = 3000;
const RTP_PUNCH = Buffer.concat([Buffer.of(0x80, 0), Buffer.alloc(10)]);

test.each(["tcp", "udp"] as const)("plays over %s without a loss, and is told the end", async (transport) => {
  using server = await RtspServer.open({ host: "::1", transport });
  using relay = new Relay();
  {
    using player = await relay.play(server);
    expect((await player.playing(500)).status).toBe(200);
    expect(player.verifier.counts).toMatchObject({ first: 0, lost: 0, duplicate: 0, corrupt: 0, stray: 0 });
  }
  await until(() => server.sessions.size === 0, WAIT_MS, "TEARDOWN");
  expect(server.requests[0]!.url).toBe(server.url("/ch"));
  const [setup] = server.requests.filter(({ method }) => method === "SETUP");
  expect(setup!.headers.get("transport")).toMatch(/,RTP\/AVP;unicast;client_port=\d+-\d+$/);
  expect(setup!.headers.has("x-nat")).toBe(false);
  expect(server.violations).toEqual([]);
});

test("the way to our ports is opened towards the address that the server names", async () => {
  using server = await RtspServer.open({
    host: "::1",
    transport: "udp",
    react: (usual, { method }) =>
      method === "SETUP"
        ? { ...usual, headers: { ...usual.headers, Transport: `${usual.headers["Transport"]};source=::1` } }
        : usual,
  });
  using relay = new Relay();
  using player = await relay.play(server);
  await player.playing();
  await until(() => server.datagrams.length >= 6, WAIT_MS, "three punches for each port");
  expect(server.datagrams.filter(({ to }) => to === "rtp").map(({ bytes }) => Buffer.from(bytes))).toEqual(
    Array(3).fill(RTP_PUNCH),
  );
});
