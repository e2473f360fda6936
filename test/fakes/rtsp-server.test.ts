/** The fake answers as RFC 2326 asks, and misbehaves as it is told to. */

import { afterEach, describe, expect, test } from "bun:test";
import { basicAuthorization, digestAuthorization, parseChallenges } from "../../src/wire/http/digest.ts";
import { headerValue } from "../../src/wire/http/header-fields.ts";
import { RtspDemux } from "../../src/wire/rtsp/demux.ts";
import type { RtspRequest, RtspResponse } from "../../src/wire/rtsp/message.ts";
import { parseSdp } from "../../src/wire/rtsp/sdp.ts";
import { emitTransportOffers } from "../../src/wire/rtsp/transport.ts";
import { HttpClient } from "./http-client.ts";
import { requirePassword, unauthorized } from "./rtsp-auth.ts";
import { interleavedFrame } from "./rtsp-connection.ts";
import { answer, RtspServer, type RtspServerOptions } from "./rtsp-server.ts";
import { TsVerifier } from "./ts-verifier.ts";
import { until } from "./until.ts";

const WAIT_MS = 3000;
const RTP_HEADER_BYTES = 12;
const TCP = emitTransportOffers(undefined);

let resources = new DisposableStack();
afterEach(() => {
  resources.dispose();
  resources = new DisposableStack();
});

/** A client that asks one thing at a time. */
class Client {
  readonly verifier = new TsVerifier(1);
  readonly responses: RtspResponse[] = [];
  readonly requests: RtspRequest[] = [];
  readonly connection: HttpClient;
  readonly demux: RtspDemux;
  readonly #server: RtspServer;
  #cseq = 0;

  static async connect(server: RtspServer): Promise<Client> {
    return new Client(server, resources.use(await HttpClient.connect({ port: server.port })));
  }

  constructor(server: RtspServer, connection: HttpClient) {
    this.#server = server;
    this.connection = connection;
    this.demux = new RtspDemux({
      frame: (channel, bytes, offset, length) => {
        if (channel === 0) this.verifier.push(bytes.slice(offset + RTP_HEADER_BYTES, offset + length));
      },
      response: (response) => void this.responses.push(response),
      request: (request) => void this.requests.push(request),
    });
    connection.stream((chunk) => this.demux.push(chunk));
  }

  send(method: string, headers: Readonly<Record<string, string>> = {}): void {
    const lines = Object.entries({ CSeq: String(++this.#cseq), ...headers }).map(
      ([name, value]) => `${name}: ${value}`,
    );
    this.connection.send(`${method} ${this.#server.url("/ch")} RTSP/1.0\r\n${lines.join("\r\n")}\r\n\r\n`);
  }

  async ask(method: string, headers: Readonly<Record<string, string>> = {}): Promise<RtspResponse> {
    const count = this.responses.length;
    this.send(method, headers);
    await until(() => this.responses.length > count, WAIT_MS, `the answer to ${method}`);
    return this.responses[count]!;
  }

  /** Up to PLAY; answers the session. */
  async play(transport = TCP): Promise<string> {
    await this.ask("OPTIONS");
    await this.ask("DESCRIBE");
    const setup = await this.ask("SETUP", { Transport: transport });
    const session = headerValue(setup.headers, "session")?.split(";")[0] ?? "";
    await this.ask("PLAY", { Session: session });
    return session;
  }
}

async function open(options: RtspServerOptions = {}): Promise<{ server: RtspServer; client: Client }> {
  const server = resources.use(await RtspServer.open(options));
  return { server, client: await Client.connect(server) };
}

describe("a well-behaved server", () => {
  test("plays interleaved and records what it is asked", async () => {
    const { server, client } = await open();
    const session = await client.play();
    await until(() => client.verifier.packets > 50, WAIT_MS, "media");
    expect(server.sessions.size).toBe(1);
    await client.ask("GET_PARAMETER", { Session: session });
    await client.ask("TEARDOWN", { Session: session });
    expect(client.responses.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
    expect(client.responses.map(({ headers }) => headerValue(headers, "cseq"))).toEqual(["1", "2", "3", "4", "5", "6"]);
    expect(server.methods).toEqual(["OPTIONS", "DESCRIBE", "SETUP", "PLAY", "GET_PARAMETER", "TEARDOWN"]);
    expect(server.requests[2]!.headers.get("transport")).toBe(TCP);
    expect(server.sessions.size).toBe(0);
    expect(server.violations).toEqual([]);
    client.verifier.end();
    expect(client.verifier.clean).toBe(true);
    expect(client.demux.skippedBytes).toBe(0);
  });

  test("describes one track of a minute", async () => {
    const { client } = await open();
    const { headers, body } = await client.ask("DESCRIBE");
    expect(headerValue(headers, "content-base")).toEndWith("/ch/");
    expect(parseSdp(body)).toEqual({
      isRtp: true,
      control: "track1",
      sessionControl: undefined,
      range: { startS: 0, endS: 60.5 },
    });
  });

  test("plays over UDP and records what comes to its ports", async () => {
    const verifier = new TsVerifier(1);
    const data = (_: unknown, datagram: Buffer) => verifier.push(datagram.subarray(RTP_HEADER_BYTES));
    const udp = await Bun.udpSocket({ hostname: "127.0.0.1", socket: { data, error() {} } });
    resources.defer(() => udp.close());
    const { server, client } = await open({ transport: "udp", datagramsPerBeat: 0 });
    await client.play(emitTransportOffers({ rtpPort: udp.port, clientAddress: undefined }));
    server.connections[0]!.sendMedia(20);
    await until(() => verifier.packets === 140, WAIT_MS, "media");
    const transport = headerValue(client.responses[2]!.headers, "transport") ?? "";
    expect(transport).toStartWith(`MP2T/RTP/UDP;unicast;client_port=${udp.port}-${udp.port + 1};server_port=`);
    const [, rtp, rtcp] = /server_port=(\d+)-(\d+)/.exec(transport)!;
    udp.send(Buffer.from("a"), Number(rtp), "127.0.0.1");
    await until(() => server.datagrams.length === 1, WAIT_MS, "a datagram");
    udp.send(Buffer.from("b"), Number(rtcp), "127.0.0.1");
    await until(() => server.datagrams.length === 2, WAIT_MS, "another datagram");
    expect(server.datagrams.map(({ to, bytes }) => `${to} ${Buffer.from(bytes)}`)).toEqual(["rtp a", "rtcp b"]);
  });

  test("refuses what it cannot do", async () => {
    const { client } = await open({ transport: "udp" });
    expect(await client.ask("SETUP", { Transport: TCP })).toMatchObject({ status: 461 });
    expect(await client.ask("PLAY", { Session: "fake-1" })).toMatchObject({ status: 454 });
    expect(await client.ask("RECORD")).toMatchObject({ status: 501 });
  });

  test("may ask the client something", async () => {
    const { server, client } = await open();
    await client.play();
    server.connections[0]!.send("ANNOUNCE rtsp://h/ RTSP/1.0\r\nCSeq: 1\r\n\r\n");
    await until(() => client.requests.length === 1, WAIT_MS, "the request");
    client.connection.send("RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n");
    await until(() => server.responses.length === 1, WAIT_MS, "the response");
    expect(server.responses).toEqual(["RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"]);
  });
});

describe("it notices", () => {
  test.each([
    ["PLAY /ch RTSP/1.0\r\nCSeq: 1\r\n\r\n", "not a request line: PLAY /ch RTSP/1.0"],
    ["OPTIONS * RTSP/1.0\r\n\r\n", "OPTIONS without CSeq"],
    ["OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nCSeq: 2\r\n\r\n", "header sent twice: CSeq: 2"],
    ["OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nSession: \r\n\r\n", "not a header line: Session: "],
    ["OPTIONS * RTSP/1.0\r\nCSeq: 1\r\nContent-Length: 0\r\n\r\n", "OPTIONS with a body"],
  ])("%j", async (text, violation) => {
    const { server, client } = await open();
    client.connection.send(text);
    await until(() => server.violations.length > 0, WAIT_MS, "a violation");
    expect(server.violations).toEqual([violation]);
  });
});

describe("a script", () => {
  test("cuts all bytes, and puts frames around answers", async () => {
    const frame = interleavedFrame(1, Buffer.from("RTCP"));
    const { client } = await open({
      react: (usual) => ({ ...usual, before: frame, after: frame }),
      cut: (bytes) => Array.from(bytes, (_, i) => bytes.subarray(i, i + 1)),
      datagramsPerBeat: 0,
    });
    await client.play();
    expect(client.responses.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(client.demux.skippedBytes).toBe(0);
  });

  test("changes, adds and leaves out headers", async () => {
    const { client } = await open({
      react: (usual) => ({ ...usual, headers: { ...usual.headers, CSeq: undefined, Session: "early" } }),
    });
    const { headers } = await client.ask("OPTIONS");
    expect(headerValue(headers, "cseq")).toBeUndefined();
    expect(headerValue(headers, "session")).toBe("early");
  });

  test("declares more than comes", async () => {
    const { client } = await open({
      react: (usual) => ({ ...usual, headers: { "Content-Length": "999999999" } }),
    });
    client.send("DESCRIBE");
    await until(() => client.demux.failure !== undefined, WAIT_MS, "the failure");
    expect(client.demux.failure).toBe("body too large");
  });

  test("redirects", async () => {
    const { client } = await open({
      react: (_, { url }) => answer(302, "Moved", { Location: url }),
    });
    const { status, headers } = await client.ask("OPTIONS");
    expect(status).toBe(302);
    expect(headerValue(headers, "location")).toStartWith("rtsp://127.0.0.1:");
  });

  test("says nothing, or anything", async () => {
    const { server, client } = await open({
      react: (_, { method }) => (method === "OPTIONS" ? "silence" : Buffer.from("junk\r\nRTSP/1.0 200 OK\r\n\r\n")),
    });
    client.send("OPTIONS");
    expect(await client.ask("DESCRIBE")).toMatchObject({ status: 200, headers: [] });
    expect(server.methods).toEqual(["OPTIONS", "DESCRIBE"]);
    expect(client.responses).toHaveLength(1);
  });

  test.each(["eof", "reset"] as const)("ends with %s instead of an answer", async (how) => {
    const { client } = await open({ react: () => how });
    client.send("OPTIONS");
    await until(() => client.connection.state === (how === "eof" ? "ended" : "closed"), WAIT_MS, "the end");
    expect(client.connection.error !== undefined).toBe(how === "reset");
    expect(client.responses).toEqual([]);
  });

  test("ends right behind an answer", async () => {
    const { client } = await open({ react: (usual) => ({ ...usual, end: "eof" }) });
    client.send("DESCRIBE");
    await until(() => client.connection.state === "ended", WAIT_MS, "the end");
    expect(client.responses).toHaveLength(1);
  });
});

describe("a password", () => {
  const account = { user: "u", password: "p:q", realm: "r" };

  test("is asked for and checked, Basic", async () => {
    const { client } = await open({ react: requirePassword(account, "basic") });
    expect(await client.ask("OPTIONS")).toMatchObject({ status: 401 });
    expect(await client.ask("OPTIONS", { Authorization: basicAuthorization(account) })).toMatchObject({ status: 200 });
    const wrong = basicAuthorization({ ...account, password: "p" });
    expect(await client.ask("OPTIONS", { Authorization: wrong })).toMatchObject({ status: 401 });
  });

  test.each(["digest", "digest-auth"] as const)("is asked for and checked, %s", async (scheme) => {
    const { server, client } = await open({ react: requirePassword(account, scheme, ["DESCRIBE"]) });
    expect(await client.ask("OPTIONS")).toMatchObject({ status: 200 });
    const { status, headers } = await client.ask("DESCRIBE");
    expect(status).toBe(401);
    const [challenge] = parseChallenges([headerValue(headers, "www-authenticate")!]);
    if (challenge?.scheme !== "digest") throw new Error("no Digest");
    const request = { method: "DESCRIBE", uri: server.url("/ch"), nonceCount: 1, cnonce: "c" };
    const authorize = (password: string) => digestAuthorization(challenge, { ...account, password }, request);
    expect(await client.ask("DESCRIBE", { Authorization: authorize("p") })).toMatchObject({ status: 401 });
    expect(await client.ask("DESCRIBE", { Authorization: authorize("p:q") })).toMatchObject({ status: 200 });
  });

  test("may never be right", async () => {
    const { client } = await open({ react: (_, request) => unauthorized(request, "Negotiate x==") });
    expect(await client.ask("OPTIONS", { Authorization: basicAuthorization(account) })).toMatchObject({ status: 401 });
  });
});
