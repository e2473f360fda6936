/** The way to PLAY as a table: per transport and request, what servers do, and how it ends. */

import { describe, expect, spyOn, test } from "bun:test";
import { UdpTransport } from "../../../src/upstream/rtsp/udp-transport.ts";
import { CLIENT_STATE } from "../../../src/wire/status/client-state.ts";
import { freeTcpPort } from "../../fakes/free-port.ts";
import { BlackHole } from "../../fakes/http-origin.ts";
import { closesItsSockets } from "../../fakes/namespace.ts";
import { requirePassword, unauthorized } from "../../fakes/rtsp-auth.ts";
import { interleavedFrame } from "../../fakes/rtsp-connection.ts";
import { answer, emitAnswer, on, type React, RtspServer, together } from "../../fakes/rtsp-server.ts";
import { until } from "../../fakes/until.ts";
import { Viewer } from "./viewer.ts";

const WAIT_MS = 6000;
/** For servers that are silent; longer than a busy machine takes for an answer. */
const STAGE_TIMEOUT_MS = 1500;
const METHODS = ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"];
const JUNK = Buffer.from("no RTSP at all\r\n\0\x01\x02$");

type Transport = "tcp" | "udp";
/** The transport is of no matter before it is chosen. */
const STAGES: [method: string, transport: Transport][] = [
  ["OPTIONS", "tcp"],
  ["DESCRIBE", "tcp"],
  ["SETUP", "tcp"],
  ["SETUP", "udp"],
  ["PLAY", "tcp"],
  ["PLAY", "udp"],
];

closesItsSockets(WAIT_MS);

interface Failure {
  readonly react: React;
  readonly code: string;
  readonly log: RegExp;
  /** The connection is gone, so that nobody can be told that a session is over. */
  readonly isGone?: true;
}

/** After this answer to the only request of its kind there is another way. */
const OTHER_WAYS: Readonly<Record<string, readonly string[]>> = {
  OPTIONS: [
    ...["201", "302 without a location", "404", "454", "500", "461", "its end", "a reset", "nothing", "junk"],
    ...["a half status line", "a half header", "a half answer and its end", "half a body", "too long a body"],
    ...["a length that is none", "a request for the end"],
  ],
  DESCRIBE: ["404", "454", "461"],
};

/** A server that does something else in the place of an answer. */
function oddities(method: string): Record<string, Failure> {
  const status =
    (code: number, reason = "No"): React =>
    (usual) => ({ ...usual, status: code, reason });
  const refused = (code: number) => ({
    react: status(code),
    code: "refused",
    log: new RegExp(`${method} answered with ${code} No`),
  });
  const silent = { code: "no-answer", log: new RegExp(`no answer to ${method} within ${STAGE_TIMEOUT_MS} ms`) };
  const headers =
    (more: Record<string, string>): React =>
    (usual) => ({ ...usual, headers: { ...usual.headers, ...more } });
  const half =
    (bytes: number): React =>
    (usual) =>
      emitAnswer(usual).subarray(0, bytes);
  const teardown = Buffer.from("TEARDOWN rtsp://h/ RTSP/1.0\r\nCSeq: 1\r\n\r\n");
  return {
    "201": refused(201),
    "302 without a location": refused(302),
    "302 to HTTP": {
      react: () => answer(302, "Moved", { Location: "http://h/" }),
      code: "redirect",
      log: /not to an rtsp/,
    },
    "401 without a user": {
      react: (_, request) => unauthorized(request, 'Basic realm="r"'),
      code: "unauthorized",
      log: new RegExp(`${method} needs a password and the URL names no user`),
    },
    "404": refused(404),
    "454": refused(454),
    "500": refused(500),
    ...(method === "SETUP" ? {} : { "461": refused(461) }),
    "its end": { react: () => "eof", code: "closed", log: /closed the connection/, isGone: true },
    "a reset": { react: () => "reset", code: "closed", log: /connection reset by peer|closed/, isGone: true },
    nothing: { react: () => "silence", ...silent },
    junk: { react: () => JUNK, ...silent },
    "a half status line": { react: half(8), ...silent },
    "a half header": { react: half(30), ...silent },
    "a half answer and its end": {
      react: (usual) => ({ ...usual, headers: { ...usual.headers, "Content-Length": "9" }, end: "eof" }),
      code: "closed",
      log: /closed the connection/,
      isGone: true,
    },
    "half a body": { react: headers({ "Content-Length": "60000" }), ...silent },
    "too long a body": {
      react: headers({ "Content-Length": "999999999" }),
      code: "closed",
      log: /body too large/,
      isGone: true,
    },
    "a length that is none": {
      react: headers({ "Content-Length": "x" }),
      code: "closed",
      log: /bad content length/,
      isGone: true,
    },
    "a request for the end": { react: () => teardown, code: "closed", log: /has sent TEARDOWN/, isGone: true },
  };
}

describe.each(STAGES)("%s over %s", (method, transport) => {
  const otherWays = OTHER_WAYS[method] ?? [];
  const all = Object.entries(oddities(method));

  test.each(all.filter(([name]) => otherWays.includes(name)))(
    "plays when it is answered with %s",
    async (_, { react }) => {
      using server = await RtspServer.open({ transport, react: on(method, react) });
      using viewer = new Viewer(server.url("/ch"), { stageTimeoutMs: STAGE_TIMEOUT_MS });
      await viewer.playing();
      expect(viewer.lines("ERROR")).toEqual([]);
      expect(server.methods.slice(-2)).toEqual(["SETUP", "PLAY"]);
    },
  );

  describe("fails when it is answered with", () => {
    test.each(all.filter(([name]) => !otherWays.includes(name)))("%s", async (_, { react, code, log, isGone }) => {
      using server = await RtspServer.open({ transport, react: on(method, react), datagramsPerBeat: 0 });
      using viewer = new Viewer(server.url("/ch"), code === "no-answer" ? { stageTimeoutMs: STAGE_TIMEOUT_MS } : {});
      expect(await viewer.ended()).toBe(code);
      expect(viewer.cause).toMatchObject({ status: 503 });
      expect(viewer.info).toBeUndefined();
      expect(viewer.states.at(-1)).toBe(CLIENT_STATE.error);
      expect(viewer.lines("ERROR")).toHaveLength(1);
      expect(viewer.lines("ERROR")[0]).toMatch(log);
      expect(viewer.lines("ERROR")[0]).toContain(`rtsp://127.0.0.1:${server.port}`);
      expect(viewer.hub.size).toBe(0);
      expect(server.violations).toEqual([]);
      // A session that was set up is torn down, if anybody is there to hear it.
      if (method === "PLAY" && !isGone) await until(() => server.sessions.size === 0, WAIT_MS, "TEARDOWN");
      else expect(server.methods).not.toContain("TEARDOWN");
    });

    test("401 three times", async () => {
      const react = on(method, (_, request) => unauthorized(request, 'Digest realm="r", nonce="n"'));
      using server = await RtspServer.open({ transport, react });
      using viewer = new Viewer(server.url("/ch").replace("//", "//u:p@"));
      expect(await viewer.ended()).toBe("unauthorized");
      expect(server.methods.filter((asked) => asked === method)).toHaveLength(3);
      expect(viewer.lines("ERROR").join()).toContain("does not accept ours");
    });

    test("302 for ever", async () => {
      const react = on(method, (_, { url }) => answer(302, "Moved", { Location: url }));
      using server = await RtspServer.open({ transport, react });
      using viewer = new Viewer(server.url("/ch"));
      expect(await viewer.ended()).toBe("redirect");
      expect(viewer.lines("ERROR").join()).toContain("over 5 times");
      expect(server.methods.filter((asked) => asked === method)).toHaveLength(6);
      if (method === "PLAY") await until(() => server.sessions.size === 0, WAIT_MS, "TEARDOWN of all sessions");
    });
  });

  describe("succeeds", () => {
    async function plays(react: React, url = (server: RtspServer) => server.url("/ch")): Promise<RtspServer> {
      using server = await RtspServer.open({ transport, react });
      using viewer = new Viewer(url(server));
      await viewer.playing();
      expect(viewer.verifier.counts).toMatchObject({ first: 0, lost: 0, stray: 0, corrupt: 0 });
      expect(viewer.lines("ERROR")).toEqual([]);
      expect(viewer.info!.metadata).toContainEqual([
        "R2H-Upstream-Transport",
        transport === "tcp" ? "tcp-interleaved" : "udp",
      ]);
      return server;
    }

    test.each(["basic", "digest", "digest-auth"] as const)("with %s", async (scheme) => {
      const account = { user: "us er", password: "p:w", realm: "r" };
      const withUser = (server: RtspServer) => server.url("/ch").replace("//", "//us%20er:p%3Aw@");
      const server = await plays(requirePassword(account, scheme, [method]), withUser);
      expect(server.requests.filter(({ url }) => url.includes("us"))).toEqual([]);
      expect(server.methods.filter((asked) => asked === method)).toHaveLength(2);
      expect(server.requests[0]!.headers.has("authorization")).toBe(false);
    });

    test("when the second password is right", async () => {
      let refusals = 0;
      const react: React = (usual, request) =>
        refusals++ < 2 ? unauthorized(request, `Digest realm="r", nonce="${refusals}"`) : usual;
      const server = await plays(on(method, react), (asked) => asked.url("/ch").replace("//", "//u:p@"));
      expect(server.methods.filter((asked) => asked === method)).toHaveLength(3);
    });

    test("at another server", async () => {
      using right = await RtspServer.open({ transport });
      const moved: React = () => answer(301, "Moved", { Location: right.url("/elsewhere?x=1") });
      using wrong = await RtspServer.open({ transport, react: on(method, moved) });
      using viewer = new Viewer(wrong.url("/ch"));
      await viewer.playing();
      expect(right.requests[0]!.url).toBe(right.url("/elsewhere?x=1"));
      expect(viewer.states).toContain(CLIENT_STATE.rtspReconnecting);
      // The number goes on, also after TEARDOWN; the session does not.
      const asked = METHODS.indexOf(method) + 1 + (method === "PLAY" ? 1 : 0);
      expect(right.requests[0]!.headers.get("cseq")).toBe(String(asked + 1));
      expect(right.requests[0]!.headers.has("session")).toBe(false);
      if (method === "PLAY") await until(() => wrong.sessions.size === 0, WAIT_MS, "TEARDOWN of the first session");
    });

    test("behind junk, a report, provisional and double answers", async () => {
      const report = interleavedFrame(1, Buffer.from("report"));
      const early = Buffer.from("RTSP/1.0 100 Continue\r\n\r\n");
      const react: React = (usual) => ({
        ...usual,
        before: Buffer.concat([Buffer.from("junk\r\n"), report, early]),
        after: method === "PLAY" ? Buffer.of() : emitAnswer(usual),
      });
      expect((await plays(on(method, react))).methods.slice(0, 4)).toEqual(METHODS);
    });

    test.each([undefined, "0", "77", "x"])("with CSeq %s", async (CSeq) => {
      await plays(on(method, (usual) => ({ ...usual, headers: { ...usual.headers, CSeq } })));
    });
  });

  test("ends when the client leaves meanwhile", async () => {
    using server = await RtspServer.open({ transport, react: on(method, () => "silence") });
    const viewer = new Viewer(server.url("/ch"));
    await until(() => server.methods.includes(method), WAIT_MS, method);
    viewer.subscription.close();
    await until(() => server.connections[0]!.state !== "open", WAIT_MS, "the end of the connection");
    expect(viewer.lines("ERROR")).toEqual([]);
    expect(server.methods.includes("TEARDOWN")).toBe(method === "PLAY");
  });
});

test("an opening of the way that fails is told, and the session goes on", async () => {
  using server = await RtspServer.open({ transport: "udp" });
  using chosen = spyOn(UdpTransport.prototype, "chosen").mockRejectedValue(new Error("no way"));
  using viewer = new Viewer(server.url("/ch"));
  await viewer.playing();
  expect(chosen).toHaveBeenCalledTimes(1);
  expect(viewer.lines("ERROR").join()).toContain("Opening the way for UDP failed: no way");
});

describe.each(["tcp", "udp"] as const)("over %s", (transport) => {
  test("each stage is told", async () => {
    using server = await RtspServer.open({ transport });
    using viewer = new Viewer(server.url("/ch"));
    await viewer.playing();
    const { rtspConnecting, rtspAwaitingOptions, rtspAwaitingDescribe, rtspAwaitingSetup } = CLIENT_STATE;
    const { rtspAwaitingPlay, rtspPlaying } = CLIENT_STATE;
    const asked = [rtspAwaitingOptions, rtspAwaitingDescribe, rtspAwaitingSetup, rtspAwaitingPlay];
    expect(viewer.states).toEqual([rtspConnecting, ...asked, rtspPlaying]);
  });

  test("PLAY without media is a failure, and the session torn down", async () => {
    using server = await RtspServer.open({ transport, datagramsPerBeat: 0 });
    using viewer = new Viewer(server.url("/ch"), { stageTimeoutMs: STAGE_TIMEOUT_MS });
    expect(await viewer.ended()).toBe("no-media");
    await until(() => server.sessions.size === 0, WAIT_MS, "TEARDOWN");
    expect(viewer.lines("ERROR").join()).toContain(`no media within ${STAGE_TIMEOUT_MS} ms of PLAY over ${transport}`);
  });

  test("SETUP refused with 461 is tried with each transport alone", async () => {
    const wanted = transport === "tcp" ? "RTP/AVP/TCP;" : "RTP/AVP;";
    const react: React = (usual, request) =>
      request.headers.get("transport")?.startsWith(wanted) ? usual : answer(461, "Unsupported Transport", {});
    using server = await RtspServer.open({ transport, react: on("SETUP", react) });
    using viewer = new Viewer(server.url("/ch"));
    await viewer.playing();
    const offers = server.requests
      .filter(({ method }) => method === "SETUP")
      .map(({ headers }) => headers.get("transport")!);
    expect(offers).toHaveLength(transport === "tcp" ? 2 : 3);
    expect(offers.at(-1)).not.toContain(",");
  });

  test("SETUP refused with 461 for all transports is a failure", async () => {
    using server = await RtspServer.open({
      transport,
      react: on("SETUP", () => answer(461, "Unsupported Transport", {})),
    });
    using viewer = new Viewer(server.url("/ch"));
    expect(await viewer.ended()).toBe("refused");
    expect(server.methods).toEqual(["OPTIONS", "DESCRIBE", "SETUP", "SETUP", "SETUP"]);
    expect(viewer.lines("ERROR").join()).toContain("check which transports the server allows");
  });

  test.each([1, 2, 3, 7])("bytes that come in pieces of %d are as good", async (size) => {
    const cut = (bytes: Uint8Array) =>
      Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size));
    using server = await RtspServer.open({ transport, cut, datagramsPerBeat: 0 });
    using viewer = new Viewer(server.url("/ch"));
    await until(() => server.methods.includes("PLAY"), WAIT_MS, "PLAY");
    server.connections[0]!.sendMedia(4);
    await viewer.playing(28);
    expect(viewer.verifier.counts).toMatchObject({ packets: 28, first: 0, lost: 0, stray: 0 });
  });
});

describe("connecting", () => {
  const REFUSED = { family: 4, bytes: Uint8Array.of(127, 0, 0, 2) } as const;
  const RIGHT = { family: 4, bytes: Uint8Array.of(127, 0, 0, 1) } as const;

  test("goes from one address to the next", async () => {
    using server = await RtspServer.open();
    using viewer = new Viewer(`rtsp://tv.test:${server.port}/ch`, { resolve: async () => [REFUSED, RIGHT] });
    await viewer.playing();
    expect(server.requests[0]!.url).toBe(`rtsp://tv.test:${server.port}/ch`);
  });

  test("to nobody is a failure", async () => {
    const port = await freeTcpPort();
    using viewer = new Viewer(`rtsp://127.0.0.1:${port}/ch`);
    expect(await viewer.ended()).toBe("unreachable");
    expect(viewer.lines("ERROR").join()).toContain("no connection");
  });

  test("to a server that is silent is a failure", async () => {
    using hole = new BlackHole(await freeTcpPort());
    using viewer = new Viewer(`rtsp://127.0.0.1:${hole.port}/ch`, { stageTimeoutMs: STAGE_TIMEOUT_MS });
    expect(await viewer.ended()).toBe("unreachable");
    expect(viewer.lines("ERROR").join()).toContain(`no answer within ${STAGE_TIMEOUT_MS} ms`);
  });

  test.each<[what: string, resolve: () => Promise<never[]>, code: string]>([
    ["nothing", async () => [], "unreachable"],
    ["an error", () => Promise.reject(new Error("not found")), "unresolved"],
    ["silence", () => new Promise(() => {}), "unresolved"],
  ])("to a name that resolves to %s is a failure", async (_, resolve, code) => {
    using viewer = new Viewer("rtsp://tv.test/ch", { resolve, stageTimeoutMs: STAGE_TIMEOUT_MS });
    expect(await viewer.ended()).toBe(code);
  });
});

test("a chain of five redirects is followed", async () => {
  const servers: RtspServer[] = [await RtspServer.open()];
  for (let i = 0; i < 5; i++) {
    const next = servers[0]!;
    servers.unshift(await RtspServer.open({ react: () => answer(302, "Moved", { Location: next.url("/ch") }) }));
  }
  using viewer = new Viewer(servers[0]!.url("/ch"));
  await viewer.playing();
  for (const server of servers) server.close();
});

test("a late answer to TEARDOWN does not name the session of another server", async () => {
  const description = Promise.withResolvers<Uint8Array>();
  const hold: React = (usual) => {
    description.resolve(emitAnswer(usual));
    return "silence";
  };
  using right = await RtspServer.open({ react: on("DESCRIBE", hold) });
  const moved = on("PLAY", () => answer(302, "Moved", { Location: right.url("/ch") }));
  const react: React = (usual, request, connection) =>
    request.method === "TEARDOWN" ? "silence" : moved(usual, request, connection);
  using wrong = await RtspServer.open({ react });
  using viewer = new Viewer(wrong.url("/ch"));
  const described = await description.promise;
  const [before] = wrong.connections;
  before!.send("RTSP/1.0 200 OK\r\nSession: before\r\n\r\n");
  await until(() => before!.state !== "open", WAIT_MS, "the end of the connection");
  right.connections[0]!.send(described);
  await viewer.playing();
  expect(right.requests.map(({ headers }) => headers.get("session"))).toEqual([null, null, null, "fake-1"]);
});

test("a session that OPTIONS names is named from then on", async () => {
  const early: React = (usual) => ({ ...usual, headers: { ...usual.headers, Session: "early;timeout=30" } });
  using server = await RtspServer.open({ react: on("OPTIONS", early) });
  using viewer = new Viewer(server.url("/ch"));
  await viewer.playing();
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
  using viewer = new Viewer(server.url("/ch"));
  await viewer.playing();
  expect(server.requests[2]!.url).toBe(server.url(path));
});

/** Knows one track only. */
const setupOf = (path: string): React => {
  let server = "";
  return (usual, request, connection) => {
    if (request.method === "OPTIONS") server = request.url.match(/^rtsp:\/\/[^/]*/)![0];
    return request.method !== "SETUP" || request.url === server + path ? usual : notFound(usual, request, connection);
  };
};
const notFound: React = () => answer(404, "Stream Not Found", {});
const describedAs = (sdp: string, headers: (base: string) => Record<string, string | undefined>): React =>
  on("DESCRIBE", (usual, { url }) => ({
    ...usual,
    body: sdp,
    headers: { "Content-Base": undefined, ...headers(url.match(/^rtsp:\/\/[^/]*/)![0]), CSeq: usual.headers["CSeq"] },
  }));
const MEDIUM = "v=0\r\nm=video 0 RTP/AVP 33\r\na=control:";

describe("a track is found", () => {
  test.each<[what: string, path: string, sdp: string, base: string | undefined, wanted: string]>([
    ["behind a base without slash", "/live/av0", `${MEDIUM}trackID=1\r\n`, "/live/av0", "/live/av0/trackID=1"],
    ["without any base", "/live/av0", `${MEDIUM}trackID=1\r\n`, undefined, "/live/av0/trackID=1"],
    ["behind a query", "/1?a=b&c=d", `${MEDIUM}track1\r\n`, "/1?a=b&c=d/", "/1?a=b&c=d/track1"],
    ["behind the query of the request", "/1?a=b", `${MEDIUM}track1\r\n`, undefined, "/1?a=b/track1"],
    ["below the session's own", "/a/b", `v=0\r\na=control:/s/\r\n${MEDIUM.slice(5)}t\r\n`, undefined, "/s/t"],
    ["where the request went", "/a/b", `${MEDIUM}rtsp://192.0.2.1/t\r\n`, undefined, "/t"],
    ["as the request itself", "/a/b", `${MEDIUM}x\r\n`, "/c/", "/a/b"],
  ])("%s", async (_, path, sdp, base, wanted) => {
    const react = together(
      describedAs(sdp, (server) => (base === undefined ? {} : { "Content-Base": server + base })),
      setupOf(wanted),
    );
    using server = await RtspServer.open({ react });
    using viewer = new Viewer(server.url(path));
    await viewer.playing();
    expect(server.requests.findLast(({ method }) => method === "SETUP")!.url).toBe(server.url(wanted));
    expect(server.connections).toHaveLength(1);
  });

  test("by Content-Location, when there is no base", async () => {
    const react = together(
      describedAs(`${MEDIUM}t\r\n`, (server) => ({ "Content-Location": `${server}/x/` })),
      setupOf("/x/t"),
    );
    using server = await RtspServer.open({ react });
    using viewer = new Viewer(server.url("/ch"));
    await viewer.playing();
    expect(server.count("SETUP")).toBe(1);
  });

  test("nowhere: what is told is the first refusal", async () => {
    using server = await RtspServer.open({ react: on("SETUP", notFound) });
    using viewer = new Viewer(server.url("/ch"));
    expect(await viewer.ended()).toBe("refused");
    expect(viewer.lines("ERROR").join()).toContain("SETUP answered with 404 Stream Not Found; check path");
    expect(server.count("SETUP")).toBeLessThanOrEqual(5);
  });
});

describe.each<[what: string, refusal: React]>([
  ["400", () => answer(400, "Bad Request", {})],
  ["406", () => answer(406, "Not Acceptable", {})],
  ["500", () => answer(500, "Oh", {})],
  ["551", () => answer(551, "Option not supported", {})],
  ["a hang-up", () => "eof"],
  ["a reset", () => "reset"],
])("SETUP of several transports answered with %s", (_, refusal) => {
  test.each(["tcp", "udp"] as const)("is asked with %s alone", async (transport) => {
    const wanted = transport === "tcp" ? "RTP/AVP/TCP;" : "RTP/AVP;";
    const react: React = (usual, request, connection) =>
      request.headers.get("transport")?.startsWith(wanted) ? usual : refusal(usual, request, connection);
    using server = await RtspServer.open({ transport, react: on("SETUP", react) });
    using viewer = new Viewer(server.url("/ch"));
    await viewer.playing();
    expect(viewer.lines("ERROR")).toEqual([]);
    expect(server.violations).toEqual([]);
  });
});

test("PLAY that ends the connection is asked with another transport", async () => {
  const react: React = (usual, _, connection) => (connection === server.connections[0] ? "eof" : usual);
  using server = await RtspServer.open({ react: on("PLAY", react) });
  using viewer = new Viewer(server.url("/ch"));
  await viewer.playing();
  expect(server.requests.findLast(({ method }) => method === "SETUP")!.headers.get("transport")).not.toContain(",");
});

test.each([404, 455, 459, 460])(
  "PLAY answered with %d is asked for the session that the description names",
  async (status) => {
    const react = together(
      describedAs(`v=0\r\na=control:/session\r\n${MEDIUM.slice(5)}/session/t\r\n`, () => ({})),
      on("PLAY", (usual, { url }) => (url.endsWith("/session") ? usual : answer(status, "No", {}))),
    );
    using server = await RtspServer.open({ react });
    const viewer = new Viewer(server.url("/ch"));
    await viewer.playing();
    viewer.subscription.close();
    await until(() => server.count("TEARDOWN") === 1, WAIT_MS, "TEARDOWN");
    expect(server.requests.at(-1)!.url).toBe(server.url("/session"));
  },
);

test("457 to a range is asked without", async () => {
  const react: React = (usual, { headers }) => (headers.has("range") ? answer(457, "Invalid Range", {}) : usual);
  using server = await RtspServer.open({ react: on("PLAY", react) });
  using viewer = new Viewer(server.url("/ch?r2h-start=10"));
  await viewer.playing();
  expect(server.count("PLAY")).toBe(2);
  expect(viewer.lines("WARN").join()).toContain("457 Invalid Range");
});

test("457 without a range is a refusal", async () => {
  using server = await RtspServer.open({ react: on("PLAY", () => answer(457, "Invalid Range", {})) });
  using viewer = new Viewer(server.url("/ch"));
  expect(await viewer.ended()).toBe("refused");
});

test("a server that describes nothing is set up by its URL", async () => {
  using server = await RtspServer.open({ react: on("DESCRIBE", notFound) });
  using viewer = new Viewer(server.url("/?src=1&freq=11538"));
  await viewer.playing();
  expect(server.requests.find(({ method }) => method === "SETUP")!.url).toBe(server.url("/?src=1&freq=11538"));
});

test("neither described nor set up: what is told is why it is not described", async () => {
  const react = together(
    on("DESCRIBE", notFound),
    on("SETUP", () => answer(500, "Oh", {})),
  );
  using server = await RtspServer.open({ react });
  using viewer = new Viewer(server.url("/ch"));
  expect(await viewer.ended()).toBe("refused");
  expect(viewer.lines("ERROR").join()).toContain("DESCRIBE answered with 404");
});

describe("a server that ends the connection after 401", () => {
  const closing: React = (usual, request) => {
    const asked = unauthorized(request, 'Digest realm="r", nonce="n"');
    return request.headers.has("authorization") ? usual : { ...asked, end: "eof" };
  };

  test.each(["OPTIONS", "DESCRIBE", "SETUP"])("of %s is asked on another one", async (method) => {
    using server = await RtspServer.open({ react: on(method, closing) });
    using viewer = new Viewer(server.url("/ch").replace("//", "//u:p@"));
    await viewer.playing();
    expect(server.connections).toHaveLength(2);
  });
});

describe("a server that another one has led to", () => {
  const leading = (to: () => string): React => on("DESCRIBE", () => answer(302, "Moved", { Location: to() }));

  test.each<[what: string, react: React]>([
    ["hangs up", on("DESCRIBE", () => "eof")],
    ["is silent", on("DESCRIBE", () => "silence")],
  ])("and that %s: the first one is asked once more", async (_, react) => {
    using bad = await RtspServer.open({ react });
    using good = await RtspServer.open();
    const targets = [bad.url("/ch"), good.url("/ch")];
    using entry = await RtspServer.open({ react: leading(() => targets.shift()!) });
    using viewer = new Viewer(entry.url("/ch"), { stageTimeoutMs: STAGE_TIMEOUT_MS });
    await viewer.playing();
    expect(viewer.lines("WARN").join()).toContain("the server that has led there is asked once more");
  });

  test("is not there: the first one is asked once more, and not for ever", async () => {
    const nobody = `rtsp://127.0.0.1:${await freeTcpPort()}/ch`;
    using entry = await RtspServer.open({ react: leading(() => nobody) });
    using viewer = new Viewer(entry.url("/ch"));
    expect(await viewer.ended()).toBe("unreachable");
    expect(entry.count("DESCRIBE")).toBe(2);
  });
});

test("a redirect may name its scheme in any case", async () => {
  using right = await RtspServer.open();
  const moved = on("DESCRIBE", () => answer(302, "Moved", { Location: right.url("/ch").replace("rtsp", "RTSP") }));
  using entry = await RtspServer.open({ react: moved });
  using viewer = new Viewer(entry.url("/ch"));
  await viewer.playing();
});
