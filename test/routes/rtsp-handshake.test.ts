/** The way to PLAY against servers of all manners: each failure is a 503 in time, with nothing left open. */

import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { requirePassword, unauthorized } from "../fakes/rtsp-auth.ts";
import { interleavedFrame } from "../fakes/rtsp-connection.ts";
import { answer, emitAnswer, on, type React, RtspServer } from "../fakes/rtsp-server.ts";
import { until } from "../fakes/until.ts";
import { openSockets, Relay } from "./rtsp-relay.ts";

const WAIT_MS = 4000;
/** For servers that are silent; longer than a busy machine takes for an answer. */
const STAGE_TIMEOUT_MS = 400;
const METHODS = ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"];
const JUNK = Buffer.from("no RTSP at all\r\n\0\x01\x02$");

let socketsBefore = 0;
beforeEach(() => {
  socketsBefore = openSockets();
});
afterEach(async () => {
  await until(() => openSockets() <= socketsBefore, WAIT_MS, "all sockets to be closed");
});

async function statusOf(server: RtspServer, relay: Relay, path?: string): Promise<number> {
  const { head } = await relay.ask(server, path);
  await relay.idle();
  return head.status;
}

describe.each(METHODS)("a server that answers %s", (method) => {
  test.each<[manner: string, react: React, log: RegExp]>([
    ["with its end", () => "eof", /closed the connection|is over|connection/],
    ["with a reset", () => "reset", /ECONNRESET|errno|closed/],
    ["never", () => "silence", new RegExp(`no answer to ${method}`)],
    [
      "with 404",
      (usual) => ({ ...usual, status: 404, reason: "Gone" }),
      new RegExp(`${method} answered with 404 Gone`),
    ],
    ["with 201", (usual) => ({ ...usual, status: 201 }), /answered with 201/],
    ["with junk", () => JUNK, /no answer/],
    ["with too long a body", (usual) => ({ ...usual, headers: { "Content-Length": "999999999" } }), /body too large/],
    ["with a length that is none", (usual) => ({ ...usual, headers: { "Content-Length": "x" } }), /bad content length/],
    ["by half", (usual) => emitAnswer(usual).subarray(0, 20), /no answer|malformed header/],
    ["with a redirect to nowhere", () => answer(302, "Moved", {}), /answered with 302/],
    ["with a redirect to HTTP", () => answer(302, "Moved", { Location: "http://h/" }), /not to an rtsp/],
    ["with a farewell", () => Buffer.from("TEARDOWN rtsp://h/ RTSP/1.0\r\nCSeq: 1\r\n\r\n"), /has sent TEARDOWN/],
  ])("%s", async (_, react, log) => {
    using server = await RtspServer.open({ react: on(method, react) });
    const isSilent = log.source.includes("no answer");
    using relay = new Relay(isSilent ? { stageTimeoutMs: STAGE_TIMEOUT_MS } : {});
    expect(await statusOf(server, relay)).toBe(503);
    const errors = relay.log.filter((line) => line.startsWith("error"));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toMatch(log);
    expect(errors[0]).toContain(`rtsp://127.0.0.1:${server.port}`);
    expect(server.complaints).toEqual([]);
  });

  test("only when asked with a password", async () => {
    for (const scheme of ["basic", "digest", "digest-auth"] as const) {
      const account = { user: "us er", password: "p:w", realm: "r" };
      using server = await RtspServer.open({ react: requirePassword(account, scheme, [method]) });
      using relay = new Relay();
      using player = await relay.request(`/rtsp/us%20er:p%3Aw@127.0.0.1:${server.port}/ch`);
      expect((await player.head(WAIT_MS)).status).toBe(200);
      expect(server.requests.filter((request) => request.url.includes("us"))).toEqual([]);
    }
  });

  test("with 401 for ever", async () => {
    using server = await RtspServer.open({
      react: on(method, (_, request) => unauthorized(request, 'Basic realm="r"')),
    });
    using relay = new Relay();
    using client = await relay.request(`/rtsp/u:p@127.0.0.1:${server.port}/ch`);
    expect((await client.head(WAIT_MS)).status).toBe(503);
    expect(server.methods.filter((asked) => asked === method)).toHaveLength(3);
    expect(relay.log.join("\n")).toContain("does not accept ours");
  });

  test("with a redirect to another server", async () => {
    using right = await RtspServer.open();
    const moved: React = () => answer(301, "Moved", { Location: right.url("/elsewhere?x=1") });
    using wrong = await RtspServer.open({ react: on(method, moved) });
    using relay = new Relay();
    using player = await relay.play(wrong);
    expect((await player.playing()).status).toBe(200);
    expect(right.requests[0]!.url).toBe(right.url("/elsewhere?x=1"));
    // The number goes on, also after TEARDOWN; the session does not.
    const asked = METHODS.indexOf(method) + 1 + (method === "PLAY" ? 1 : 0);
    expect(right.requests[0]!.headers.get("cseq")).toBe(String(asked + 1));
    expect(right.requests[0]!.headers.has("session")).toBe(false);
    if (method === "PLAY") await until(() => wrong.sessions.size === 0, WAIT_MS, "TEARDOWN of the first session");
  });

  test("behind junk, a report, provisional and double answers", async () => {
    const react: React = (usual) => {
      const twice = emitAnswer(usual);
      const before = Buffer.concat([Buffer.from("junk\r\n"), interleavedFrame(1, Buffer.from("report"))]);
      const early = Buffer.from("RTSP/1.0 100 Continue\r\n\r\n");
      return { ...usual, before: Buffer.concat([before, early]), after: method === "PLAY" ? Buffer.of() : twice };
    };
    using server = await RtspServer.open({ react: on(method, react) });
    using relay = new Relay();
    using player = await relay.play(server);
    await player.playing();
    expect(player.verifier.counts).toMatchObject({ first: 0, lost: 0, stray: 0 });
    expect(server.methods).toEqual(METHODS);
  });

  test.each([undefined, "0", "77", "x"])("with CSeq %s", async (CSeq) => {
    const react: React = (usual) => ({ ...usual, headers: { ...usual.headers, CSeq } });
    using server = await RtspServer.open({ react: on(method, react) });
    using relay = new Relay();
    using player = await relay.play(server);
    expect((await player.playing()).status).toBe(200);
  });

  test("when the client has left", async () => {
    using server = await RtspServer.open({ react: on(method, () => "silence") });
    using relay = new Relay();
    const client = await relay.request(`/rtsp/127.0.0.1:${server.port}/ch`);
    await until(() => server.methods.includes(method), WAIT_MS, method);
    client.close();
    await relay.idle();
    await until(() => server.connections[0]!.state !== "open", WAIT_MS, "the end of the connection");
    expect(relay.log.filter((line) => line.startsWith("error"))).toEqual([]);
  });
});

test("a session of a server that refuses PLAY is torn down", async () => {
  using server = await RtspServer.open({ react: on("PLAY", (usual) => ({ ...usual, status: 500 })) });
  using relay = new Relay();
  expect(await statusOf(server, relay)).toBe(503);
  await until(() => server.sessions.size === 0, WAIT_MS, "TEARDOWN");
  expect(server.methods.at(-1)).toBe("TEARDOWN");
});

test("redirects in a circle end after the fifth", async () => {
  using server = await RtspServer.open({ react: (_, { url }) => answer(302, "Moved", { Location: url }) });
  using relay = new Relay();
  expect(await statusOf(server, relay)).toBe(503);
  expect(server.connections).toHaveLength(6);
});

test("a URL without user is not enough for a server that wants one", async () => {
  using server = await RtspServer.open({ react: (_, request) => unauthorized(request, 'Basic realm="r"') });
  using relay = new Relay();
  expect(await statusOf(server, relay)).toBe(503);
  expect(server.methods).toEqual(["OPTIONS"]);
  expect(relay.log.join("\n")).toContain("names no user");
});

test("a session that OPTIONS names is named from then on", async () => {
  const early: React = (usual) => ({ ...usual, headers: { ...usual.headers, Session: "early;timeout=30" } });
  using server = await RtspServer.open({ react: on("OPTIONS", early) });
  using relay = new Relay();
  using player = await relay.play(server);
  await player.playing();
  expect(server.requests.map(({ headers }) => headers.get("session"))).toEqual([null, "early", "early", "fake-1"]);
});

test.each([
  ["", "/ch"],
  ["v=0\r\n", "/ch"],
  ["v=0\r\nm=video 0 RTP/AVP 33\r\n", "/ch"],
  ["m=video 0 RTP/AVP 33\r\na=control:*\r\n", "/ch"],
  ["m=video 0 RTP/AVP 33\r\na=control:trackID=1\r\n", "/ch/trackID=1"],
])("the description %j leads to SETUP of %s", async (sdp, path) => {
  using server = await RtspServer.open({ sdp });
  using relay = new Relay();
  using player = await relay.play(server);
  await player.playing();
  expect(server.requests[2]!.url).toBe(server.url(path));
});

test.each([1, 2, 3, 7])("bytes that come in pieces of %d are as good", async (size) => {
  const cut = (bytes: Uint8Array) =>
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
  using server = await RtspServer.open({ cut, datagramsPerBeat: 0 });
  using relay = new Relay();
  using player = await relay.play(server);
  await until(() => server.methods.includes("PLAY"), WAIT_MS, "PLAY");
  server.connections[0]!.sendMedia(4);
  await player.playing(28);
  expect(player.verifier.counts).toMatchObject({ packets: 28, first: 0, lost: 0, stray: 0 });
});

test.each(["tcp", "udp"] as const)(
  "PLAY without media over %s is answered 503, and the session torn down",
  async (transport) => {
    using server = await RtspServer.open({ transport, datagramsPerBeat: 0 });
    using relay = new Relay({ stageTimeoutMs: STAGE_TIMEOUT_MS });
    expect(await statusOf(server, relay)).toBe(503);
    await until(() => server.sessions.size === 0, WAIT_MS, "TEARDOWN");
    expect(relay.log.join("\n")).toContain(`no media within ${STAGE_TIMEOUT_MS} ms of PLAY over ${transport}`);
  },
);

test("media before the answer to PLAY is kept", async () => {
  const react: React = (usual, _, connection) => {
    connection.sendMedia(20);
    return usual;
  };
  using server = await RtspServer.open({ react: on("PLAY", react) });
  using relay = new Relay();
  using player = await relay.play(server);
  await player.playing(200);
  expect(player.verifier.counts).toMatchObject({ first: 0, lost: 0, stray: 0 });
});

test("nobody there", async () => {
  const server = await RtspServer.open();
  server.close();
  using relay = new Relay();
  expect(await statusOf(server, relay)).toBe(503);
  expect(relay.log.join("\n")).toContain("no connection");
});
