/** `/rtsp/…` from URL to stream: what is asked of the server, what the client is answered, and how it all ends. */

import { describe, expect, test } from "bun:test";
import { RECEIVER_KIND } from "../../src/system/datagram-receiver.ts";
import { soakMs } from "../e2e/soak.ts";
import { closesItsSockets } from "../fakes/namespace.ts";
import type { RtspConnection } from "../fakes/rtsp-connection.ts";
import { answer, impatient, on, RtspServer, together } from "../fakes/rtsp-server.ts";
import { until } from "../fakes/until.ts";
import { type Player, Relay } from "./rtsp-relay.ts";

const WAIT_MS = 6000;
/** RTSP promises it to servers. */
const TEARDOWN_MS = 1000;
const STALL_MS = Math.min(soakMs(1500), 30_000);
/** 80 Mb/s: all buffers on the way are full in no time. */
const FAST_DATAGRAMS = 40;

closesItsSockets(WAIT_MS);

async function torndown(server: RtspServer, ms = TEARDOWN_MS): Promise<void> {
  await until(() => server.sessions.size === 0, ms, "TEARDOWN");
}

describe.each(["tcp", "udp"] as const)("over %s", (transport) => {
  test.each(["rtp", "udp"] as const)("plays %s from the first packet on", async (carrier) => {
    using server = await RtspServer.open({ transport, media: { carrier } });
    using relay = new Relay();
    using player = await relay.play(server);
    const { status, raw } = await player.playing(500);
    expect(status).toBe(200);
    const payload = carrier === "rtp" ? "mp2t-rtp" : "mp2t-direct";
    expect(raw.split("\r\n").slice(0, 9)).toEqual([
      "HTTP/1.1 200 OK",
      "Content-Type: video/mp2t",
      "Connection: close",
      "R2H-Upstream-Protocol: rtsp",
      `R2H-Upstream-Transport: ${transport === "tcp" ? "tcp-interleaved" : "udp"}`,
      `R2H-Upstream-Payload: ${payload}`,
      "R2H-Playback-Scale: 1",
      "R2H-Playback-Range: npt=0-",
      "R2H-Media-Duration: 60.5",
    ]);
    player.verifier.end();
    expect(player.verifier.counts).toMatchObject({ first: 0, lost: 0, duplicate: 0, corrupt: 0, stray: 0 });
    expect(server.violations).toEqual([]);
  });

  test("what came behind a lost packet is not held back when nothing more comes", async () => {
    const fault = (index: number) => (index === 20 ? "drop" : undefined);
    using server = await RtspServer.open({ transport, datagramsPerBeat: 0, media: { fault } });
    using relay = new Relay();
    using player = await relay.play(server);
    await until(() => server.methods.includes("PLAY"), WAIT_MS, "PLAY");
    server.connections[0]!.sendMedia(40);
    await player.playing(39 * 7);
    expect(player.verifier.counts).toMatchObject({ first: 0, lost: 7, reordered: 0, stray: 0 });
  });

  test("the status page sees each stage, and then the upstream", async () => {
    using server = await RtspServer.open({ transport });
    using relay = new Relay();
    const states: number[] = [];
    relay.clients.watch(true, 0);
    relay.clients.onChanged = () => states.push(relay.clients.report(0).clients[0]?.state ?? -1);
    using player = await relay.play(server);
    await player.playing();
    expect([...new Set(states)]).toEqual([7, 8, 11, 13, 16, 19, 20]);
    const { clients, upstreams } = relay.clients.report(performance.now());
    const kind = `rtsp-${transport}`;
    const receiver = transport === "tcp" ? "stream" : RECEIVER_KIND;
    expect(clients).toMatchObject([{ upstream: kind, receiver, upstreamId: upstreams[0]!.id }]);
    expect(upstreams).toMatchObject([{ kind, receiver, url: `rtsp://127.0.0.1:${server.port}/ch`, rtpLost: 0 }]);
    expect(upstreams[0]!.totalBytes).toBeGreaterThan(0);
    expect(clients[0]!.bytesSent).toBeGreaterThan(player.verifier.packets * 188);
    player.client.close();
    await relay.idle();
    expect(relay.clients.report(0)).toEqual({ clients: [], upstreams: [] });
  });

  test("a client that leaves ends the session", async () => {
    using server = await RtspServer.open({ transport });
    using relay = new Relay({ maxClients: 1 });
    using player = await relay.play(server);
    await player.playing();
    player.client.close();
    await torndown(server);
    await relay.idle();
    expect(server.connections).toHaveLength(1);
    await until(() => server.connections[0]!.state !== "open", WAIT_MS, "the end of the connection");
  });

  test("a server that takes its time with TEARDOWN keeps nobody waiting", async () => {
    using server = await RtspServer.open({ transport, react: on("TEARDOWN", () => "silence") });
    using relay = new Relay({ maxClients: 1 });
    using player = await relay.play(server);
    await player.playing();
    player.client.close();
    await until(() => relay.clientLimit.count === 0, TEARDOWN_MS, "the place to be free");
    using next = await relay.play(server);
    expect((await next.playing()).status).toBe(200);
    next.client.close();
    await until(() => server.count("TEARDOWN") === 2, TEARDOWN_MS, "both TEARDOWNs");
    // And after three seconds it is left all the same.
    const isLeft = ({ state }: RtspConnection) => state !== "open";
    await until(() => server.connections.every(isLeft), WAIT_MS, "the end of the connections");
  });

  test.each<[what: string, end: (connection: RtspConnection) => void, answers: number, told: boolean]>([
    ["EOF", (connection) => connection.end("eof"), 0, false],
    ["ANNOUNCE", (connection) => connection.send("ANNOUNCE rtsp://h/ RTSP/1.0\r\nCSeq: 7\r\n\r\n"), 1, true],
    ["TEARDOWN", (connection) => connection.send("TEARDOWN rtsp://h/ RTSP/1.0\r\nCSeq: 7\r\n\r\n"), 1, false],
    ["REDIRECT", (connection) => connection.send("REDIRECT rtsp://h/ RTSP/1.0\r\nCSeq: 7\r\n\r\n"), 1, true],
  ])("%s ends the stream behind its last byte", async (_, end, answers, isTold) => {
    using server = await RtspServer.open({ transport, datagramsPerBeat: 0 });
    using relay = new Relay();
    const playing = relay.play(server);
    await until(() => server.count("PLAY") === 1, WAIT_MS, "PLAY");
    const connection = server.connections[0]!;
    connection.sendMedia(64);
    using player = await playing;
    await player.playing(448);
    connection.sendMedia(64);
    if (transport === "udp") await player.playing(896);
    end(connection);
    await player.ended();
    expect(player.verifier.counts).toMatchObject({ packets: 896, lost: 0, stray: 0 });
    await until(() => server.responses.length === answers, WAIT_MS, "our answer");
    for (const response of server.responses) expect(response).toBe("RTSP/1.0 200 OK\r\nCSeq: 7\r\n\r\n");
    await relay.idle();
    // Only who has ended the session himself need not be told.
    if (isTold) await torndown(server);
    else expect(server.count("TEARDOWN")).toBe(0);
  });

  test("what the server asks is answered, and media goes on", async () => {
    using server = await RtspServer.open({ transport });
    using relay = new Relay();
    using player = await relay.play(server);
    await player.playing();
    const asked = ["OPTIONS", "SET_PARAMETER", "GET_PARAMETER", "PAUSE"];
    asked.forEach((method, i) => {
      server.connections[0]!.send(`${method} * RTSP/1.0\r\nCSeq: ${i}\r\n\r\n`);
    });
    await until(() => server.responses.length === 4, WAIT_MS, "our answers");
    expect(server.responses.map((raw) => raw.split(" ")[1])).toEqual(["200", "200", "200", "501"]);
    await player.playing(player.verifier.packets + 100);
    expect(player.verifier.clean).toBe(true);
  });

  test("the server is reminded in time", async () => {
    using server = await RtspServer.open({ transport, react: impatient });
    using relay = new Relay();
    using player = await relay.play(server);
    await player.playing();
    const punches = server.datagrams.length;
    await until(() => server.count("GET_PARAMETER") === 2, WAIT_MS, "keepalives");
    expect(server.requests.at(-1)!.headers.get("session")).toBe("fake-1");
    if (transport === "udp") await until(() => server.datagrams.length > punches, WAIT_MS, "punches");
    expect(player.verifier.clean).toBe(true);
  });

  test.each([454, 501])("GET_PARAMETER answered with %d is OPTIONS from then on", async (status) => {
    const refuse = on("GET_PARAMETER", (usual) => ({ ...usual, status }));
    using server = await RtspServer.open({ transport, react: together(impatient, refuse) });
    using relay = new Relay();
    using player = await relay.play(server);
    await player.playing();
    await until(() => server.count("OPTIONS") === 3, WAIT_MS, "two OPTIONS");
    expect(server.count("GET_PARAMETER")).toBe(1);
    expect(player.client.state).toBe("open");
  });

  test("a keepalive refused is asked otherwise", async () => {
    const refuse = on("GET_PARAMETER", (usual) => ({ ...usual, status: 500, reason: "Oh" }));
    using server = await RtspServer.open({ transport, react: together(impatient, refuse) });
    using relay = new Relay();
    using player = await relay.play(server);
    await player.playing();
    await until(() => server.count("OPTIONS") === 3, WAIT_MS, "keepalives");
    expect(player.client.state).toBe("open");
    expect(server.count("GET_PARAMETER")).toBe(1);
  });

  test("keepalives that are never answered go on", async () => {
    const mute = on("GET_PARAMETER", () => "silence");
    using server = await RtspServer.open({ transport, react: together(impatient, mute) });
    using relay = new Relay();
    using player = await relay.play(server);
    await player.playing();
    await until(() => server.count("GET_PARAMETER") + server.count("OPTIONS") === 4, WAIT_MS, "keepalives");
    expect(player.client.state).toBe("open");
  });
});

describe("a client that does not read", () => {
  /** Plays at a high rate and stops reading until the server has been stopped. */
  async function stalled(server: RtspServer, relay: Relay): Promise<Player> {
    const player = await relay.play(server);
    await player.playing();
    player.client.pause();
    let sent = -1;
    let since = performance.now();
    const isStopped = () => {
      const now = server.connections[0]!.sentDatagrams;
      if (now !== sent) since = performance.now();
      sent = now;
      return performance.now() - since > 200;
    };
    await until(isStopped, WAIT_MS, "the server to be stopped");
    return player;
  }

  test(
    "stops the server, is kept alive, and misses nothing",
    async () => {
      using server = await RtspServer.open({ react: impatient, datagramsPerBeat: FAST_DATAGRAMS });
      using relay = new Relay({ bufferSlots: 1024 });
      using player = await stalled(server, relay);
      const reminders = () => server.count("GET_PARAMETER") + server.count("OPTIONS");
      const kept = reminders();
      const end = performance.now() + STALL_MS;
      await until(() => performance.now() > end, STALL_MS + WAIT_MS, "the stall");
      expect(reminders() - kept).toBeGreaterThanOrEqual(Math.floor(STALL_MS / 500) - 1);
      player.client.resume();
      await player.playing(player.verifier.packets + 50_000);
      expect(player.verifier.clean).toBe(true);
      expect(player.client.state).toBe("open");
    },
    STALL_MS + 3 * WAIT_MS,
  );

  test.each(["eof", "reset"] as const)("gets all that came before %s", async (how) => {
    using server = await RtspServer.open({ datagramsPerBeat: FAST_DATAGRAMS });
    using relay = new Relay({ bufferSlots: 1024 });
    using player = await stalled(server, relay);
    const sent = server.connections[0]!.sentDatagrams;
    server.connections[0]!.end(how);
    player.client.resume();
    await player.ended();
    player.verifier.end();
    expect(player.verifier.clean).toBe(true);
    // A reset may destroy what the relay's kernel had not handed over.
    if (how === "eof") expect(player.verifier.packets).toBe(sent * 7);
    await relay.idle();
  });

  test("and leaves ends the session all the same", async () => {
    using server = await RtspServer.open({ datagramsPerBeat: FAST_DATAGRAMS });
    using relay = new Relay({ bufferSlots: 1024 });
    using player = await stalled(server, relay);
    player.client.destroy();
    await torndown(server);
    await relay.idle();
  });
});

test("a TEARDOWN that meets a broken connection is sent on another", async () => {
  let resets = 0;
  const react = on("TEARDOWN", (usual) => (resets++ === 0 ? "reset" : usual));
  using server = await RtspServer.open({ react });
  using relay = new Relay();
  using player = await relay.play(server);
  await player.playing();
  player.client.close();
  await until(() => server.count("TEARDOWN") === 2, WAIT_MS, "the second TEARDOWN");
  expect(server.requests.at(-1)).toMatchObject({ connection: 2, method: "TEARDOWN" });
  expect(server.requests.at(-1)!.headers.get("session")).toBe("fake-1");
  await until(() => server.connections[1]!.state !== "open", WAIT_MS, "the end of the connection");
});

describe("what a URL asks for", () => {
  async function played(path: string): Promise<{ url: string; range: string | null }> {
    using server = await RtspServer.open();
    using relay = new Relay();
    using player = await relay.play(server, path);
    expect((await player.playing(1)).status).toBe(200);
    const { url, headers } = server.requests.at(-1)!;
    return { url: url.slice(server.url("").length), range: headers.get("range") };
  }

  test.each([
    ["/ch", "/ch", null],
    ["/ch?a=b&c", "/ch?a=b&c", null],
    ["/ch?r2h-token=t&a=b&R2H-ifname=lo&r2h-ifname-fcc=x", "/ch?a=b", null],
    ["/ch?r2h-start=12.5", "/ch", "npt=12.5-"],
    ["/ch?playseek=20240101000000-20240101010000", "/ch?playseek=20240101000000-20240101010000", null],
    ["/c{Y}?tvdr=20240101000000", "/c2024", null],
  ])("%s", async (path, url, range) => {
    expect(await played(path)).toEqual({ url, range });
  });

  test("a recent time becomes a range", async () => {
    const begin = new Date(Date.now() - 60_000).toISOString().replace(/[-:]|\.\d+/g, "");
    const { url, range } = await played(`/ch?playseek=${begin}&r2h-seek-mode=range`);
    expect({ url, range }).toEqual({ url: "/ch", range: `clock=${begin}-` });
  });

  test.each([
    ["/rtsp/", 404],
    ["/rtsp/h/ch?playseek=%zz", 404],
    ["/rtsp/[::1/ch", 503],
    ["/rtsp/a%zz@h/ch", 503],
    ["/rtsp/h:99999/ch", 503],
  ])("%s is answered %d", async (target, status) => {
    using relay = new Relay();
    using client = await relay.request(target);
    expect((await client.head()).status).toBe(status);
    await relay.idle();
  });
});

describe("questions", () => {
  test("HEAD asks for the description only, and takes no place", async () => {
    using server = await RtspServer.open({ react: on("DESCRIBE", (usual) => ({ ...usual, end: "reset" })) });
    using relay = new Relay({ maxClients: 1, corsAllowOrigin: "*" });
    const { head, body } = await relay.ask(server, "/ch?r2h-duration=1", "HEAD");
    expect(head.status).toBe(200);
    expect([...head.headers.keys()].filter((name) => name.startsWith("r2h"))).toEqual([
      "r2h-media-duration",
      "r2h-upstream-payload",
      "r2h-upstream-protocol",
    ]);
    expect(head.headers.get("access-control-expose-headers")).toContain("R2H-Playback-Scale");
    expect(body).toHaveLength(0);
    expect(server.methods).toEqual(["OPTIONS", "DESCRIBE"]);
    expect(relay.clientLimit.count).toBe(0);
  });

  test.each([
    [undefined, '{"duration": "60.500"}'],
    ["v=0\r\na=range:npt=now-\r\n", '{"duration": "-1.000"}'],
  ])("r2h-duration=1 with %j", async (sdp, json) => {
    using server = await RtspServer.open(sdp === undefined ? {} : { sdp });
    using relay = new Relay();
    const { head, body } = await relay.ask(server, "/ch?r2h-duration=1");
    expect(head.headers.get("content-type")).toBe("application/json");
    expect(body.toString()).toBe(json);
    expect(server.methods).toEqual(["OPTIONS", "DESCRIBE"]);
    await relay.idle();
  });

  test.each(["HEAD", "GET"])("%s that fails is answered 503", async (method) => {
    using server = await RtspServer.open({ react: () => answer(404, "No", {}) });
    using relay = new Relay();
    expect((await relay.ask(server, "/ch?r2h-duration=1", method)).head.status).toBe(503);
    await relay.idle();
  });
});

test("no more clients than there are places", async () => {
  using server = await RtspServer.open();
  using relay = new Relay({ maxClients: 1 });
  using player = await relay.play(server);
  await player.playing();
  expect((await relay.ask(server)).head.status).toBe(503);
  expect(server.connections).toHaveLength(1);
  expect((await relay.ask(server, "/ch", "HEAD")).head.status).toBe(200);
});
