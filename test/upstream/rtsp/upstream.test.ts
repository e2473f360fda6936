/** A session from PLAY to its end, with a ring and without HTTP. */

import { describe, expect, test } from "bun:test";
import { RECEIVER_KIND } from "../../../src/system/datagram-receiver.ts";
import { closesItsSockets } from "../../fakes/namespace.ts";
import { answer, impatient, on, type React, RtspServer, together } from "../../fakes/rtsp-server.ts";
import { until } from "../../fakes/until.ts";
import { Viewer } from "./viewer.ts";

const WAIT_MS = 6000;
/** 80 Mb/s: all buffers on the way are full in no time. */
const FAST_DATAGRAMS = 40;

closesItsSockets(WAIT_MS);

describe.each(["tcp", "udp"] as const)("over %s", (transport) => {
  test.each(["rtp", "udp"] as const)("%s comes whole, with key frames where newcomers begin", async (carrier) => {
    using server = await RtspServer.open({ transport, media: { carrier } });
    using viewer = new Viewer(server.url("/ch"));
    await viewer.playing(500);
    expect(viewer.verifier.clean).toBe(true);
    expect(viewer.verifier.first).toBe(0);
    expect(viewer.subscription.cursor.sentBytes).toBeGreaterThan(0);
    const { source } = viewer.subscription;
    const payload = carrier === "rtp" ? "mp2t-rtp" : "mp2t-direct";
    expect(viewer.info!.metadata).toContainEqual(["R2H-Upstream-Payload", payload]);
    expect(source.about).toMatchObject({
      kind: `rtsp-${transport}`,
      receiver: transport === "tcp" ? "stream" : RECEIVER_KIND,
    });
    expect(source.rtp).toMatchObject({ lost: 0 });
    const stream = source as unknown as { ring: { randomAccess: unknown } };
    expect(stream.ring.randomAccess).toBeDefined();
  });

  test("what waits for an earlier packet at the end is still handed over", async () => {
    const fault = (index: number) => (index === 20 ? "drop" : undefined);
    using server = await RtspServer.open({ transport, datagramsPerBeat: 0, media: { fault } });
    using viewer = new Viewer(server.url("/ch"));
    await until(() => server.count("PLAY") === 1, WAIT_MS, "PLAY");
    const connection = server.connections[0]!;
    connection.sendMedia(24);
    await viewer.playing(20 * 7);
    connection.end("eof");
    expect(await viewer.ended()).toBeUndefined();
    expect(viewer.verifier.counts).toMatchObject({ packets: 23 * 7, lost: 7, stray: 0 });
    expect(server.count("TEARDOWN")).toBe(0);
  });

  test.each([400, 401, 404, 405, 451, 454, 500, 501, 551])(
    "a keepalive refused with %d ends nothing",
    async (status) => {
      const refuse: React = (usual, request) =>
        request.headers.has("session") && ["GET_PARAMETER", "OPTIONS"].includes(request.method)
          ? { ...usual, status, reason: "Oh" }
          : usual;
      using server = await RtspServer.open({ transport, react: together(impatient, refuse) });
      using viewer = new Viewer(server.url("/ch"));
      await viewer.playing();
      await until(() => server.count("OPTIONS") >= 3, WAIT_MS, "other keepalives");
      await viewer.playing(viewer.verifier.packets + 100);
      expect(viewer.verifier.clean).toBe(true);
      expect(viewer.lines("ERROR")).toEqual([]);
    },
  );

  test("RTCP BYE and nothing behind it ends the stream, and the server is told", async () => {
    using server = await RtspServer.open({ transport, datagramsPerBeat: 0 });
    using viewer = new Viewer(server.url("/ch"));
    await until(() => server.count("PLAY") === 1, WAIT_MS, "PLAY");
    server.connections[0]!.sendMedia(8);
    await viewer.playing(8 * 7);
    server.connections[0]!.sendReport(Uint8Array.of(0x81, 203, 0, 1, 0, 0, 0, 1));
    expect(await viewer.ended()).toBeUndefined();
    expect(viewer.verifier.clean).toBe(true);
    expect(viewer.lines("INFO").join()).toContain("RTCP BYE");
    viewer.subscription.close();
    await until(() => server.sessions.size === 0, WAIT_MS, "TEARDOWN");
  });

  test("lost packets are told once a second, not each", async () => {
    const fault = (index: number) => (index % 50 === 30 ? "drop" : undefined);
    using server = await RtspServer.open({ transport, media: { fault } });
    using viewer = new Viewer(server.url("/ch"));
    await until(() => viewer.lines("WARN").length > 0, WAIT_MS, "a warning");
    const { lost } = viewer.subscription.source.rtp!;
    expect(lost).toBeGreaterThan(1);
    expect(viewer.lines("WARN")).toHaveLength(1);
    expect(viewer.lines("WARN")[0]).toMatch(/^WARN rtsp:\/\/127.0.0.1:\d+: \d+ RTP packets lost on the way to us$/);
  });
});

describe("media that comes before the answer to PLAY", () => {
  const early = (datagrams: number) =>
    on("PLAY", (usual, _, connection) => {
      connection.sendMedia(datagrams);
      return usual;
    });

  test("is kept, in order and before what comes later", async () => {
    using server = await RtspServer.open({ react: early(500) });
    using viewer = new Viewer(server.url("/ch"));
    await viewer.playing(500 * 7 + 200);
    expect(viewer.verifier.clean).toBe(true);
    expect(viewer.verifier.first).toBe(0);
  });

  test("waits for a client that is slow, in a small ring too", async () => {
    using server = await RtspServer.open({ react: early(700), datagramsPerBeat: 0 });
    using viewer = new Viewer(server.url("/ch"), {}, {}, 64);
    viewer.isStalled = true;
    await until(() => viewer.pauses.length > 0, WAIT_MS, "the pause");
    viewer.resume();
    await viewer.playing(700 * 7);
    expect(viewer.verifier.clean).toBe(true);
  });

  test("is not shown to a client whose PLAY is refused", async () => {
    const refused = on("PLAY", (_, __, connection) => {
      connection.sendMedia(20);
      return answer(500, "No", {});
    });
    using server = await RtspServer.open({ react: refused });
    using viewer = new Viewer(server.url("/ch"));
    expect(await viewer.ended()).toBe("refused");
    expect([viewer.info, viewer.verifier.packets]).toEqual([undefined, 0]);
    await until(() => server.sessions.size === 0, WAIT_MS, "TEARDOWN");
  });
});

describe("a consumer that takes nothing", () => {
  test("stops the server without a loss, which is still reminded", async () => {
    using server = await RtspServer.open({ react: impatient, datagramsPerBeat: FAST_DATAGRAMS });
    using viewer = new Viewer(server.url("/ch"), {}, {}, 1024);
    await viewer.playing();
    viewer.isStalled = true;
    await until(() => viewer.pauses.at(-1) === true, WAIT_MS, "the pause");
    const stream = viewer.subscription.source as unknown as { receivedBytes: number; tickMs: number };
    const received = stream.receivedBytes;
    const reminders = server.count("GET_PARAMETER");
    await until(() => server.count("GET_PARAMETER") >= reminders + 2, WAIT_MS, "keepalives");
    expect(stream.receivedBytes).toBe(received);
    // An upstream that waits for its consumer costs nothing.
    expect(stream.tickMs).toBeGreaterThanOrEqual(500);
    viewer.resume();
    await viewer.playing(viewer.verifier.packets + 20_000);
    expect(viewer.pauses.at(-1)).toBe(false);
    expect(viewer.verifier.clean).toBe(true);
    expect(viewer.subscription.droppedPackets).toBe(0);
  });

  test("over UDP loses, and stops nobody", async () => {
    using server = await RtspServer.open({ transport: "udp", datagramsPerBeat: FAST_DATAGRAMS });
    using viewer = new Viewer(server.url("/ch"), {}, {}, 1024);
    await viewer.playing();
    viewer.isStalled = true;
    await until(() => viewer.subscription.droppedPackets > 0, WAIT_MS, "a loss");
    expect(viewer.pauses).toEqual([]);
  });
});

test("a server that is quiet is not asked, and what comes then goes out at once", async () => {
  using server = await RtspServer.open({ datagramsPerBeat: 0 });
  using viewer = new Viewer(server.url("/ch"));
  await until(() => server.count("PLAY") === 1, WAIT_MS, "PLAY");
  const connection = server.connections[0]!;
  connection.sendMedia(8);
  await viewer.playing(8 * 7);
  const stream = viewer.subscription.source as unknown as { tickMs: number };
  await until(() => stream.tickMs >= 1000, WAIT_MS, "the calm");
  const sent = performance.now();
  connection.sendMedia(1);
  await viewer.playing(9 * 7);
  expect(performance.now() - sent).toBeLessThan(1000);
});

describe("questions", () => {
  test("HEAD is answered by the description alone", async () => {
    using server = await RtspServer.open({ react: on("DESCRIBE", (usual) => ({ ...usual, end: "reset" })) });
    using viewer = new Viewer(server.url("/ch?r2h-duration=1"), {}, { method: "HEAD" });
    expect(await viewer.ended()).toBeUndefined();
    expect(viewer.info).toEqual({
      metadata: [
        ["R2H-Upstream-Protocol", "rtsp"],
        ["R2H-Upstream-Payload", "mp2t-rtp"],
        ["R2H-Media-Duration", "60.5"],
      ],
    });
    expect(viewer.taken).toEqual([]);
    expect(server.methods).toEqual(["OPTIONS", "DESCRIBE"]);
  });

  test.each([
    [undefined, '{"duration": "60.500"}'],
    ["v=0\r\na=range:npt=now-\r\n", '{"duration": "-1.000"}'],
  ])("the duration with %j", async (sdp, json) => {
    using server = await RtspServer.open(sdp === undefined ? {} : { sdp });
    using viewer = new Viewer(server.url("/ch?r2h-duration=1"));
    expect(await viewer.ended()).toBeUndefined();
    expect(viewer.info!.response).toEqual({ status: 200, headers: [["Content-Type", "application/json"]] });
    expect(Buffer.concat(viewer.taken).toString()).toBe(json);
    expect(server.methods).toEqual(["OPTIONS", "DESCRIBE"]);
  });

  test.each(["HEAD", "GET"])("%s that fails says why", async (method) => {
    using server = await RtspServer.open({ react: () => answer(404, "No", {}) });
    using viewer = new Viewer(server.url("/ch?r2h-duration=1"), {}, { method });
    expect(await viewer.ended()).toBe("refused");
    expect(viewer.info).toBeUndefined();
  });
});
