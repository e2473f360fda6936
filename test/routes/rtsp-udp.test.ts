/** RTSP over UDP behind a NAT: punches, ZTE mode and STUN. */

import { describe, expect, test } from "bun:test";
import { closesItsSockets } from "../fakes/namespace.ts";
import { answer, type React, RtspServer } from "../fakes/rtsp-server.ts";
import { until } from "../fakes/until.ts";
import { Relay } from "./rtsp-relay.ts";

const WAIT_MS = 6000;
/** 80 Mb/s: all buffers on the way are full in no time. */
const FAST_DATAGRAMS = 40;
/** Where the fake STUN server says that we are. */
const MAPPED_PORT = 40_404;
const MAPPED_ADDRESS = [192, 0, 2, 7];
const COOKIE = Buffer.of(0x21, 0x12, 0xa4, 0x42);

closesItsSockets(WAIT_MS);

/** Answers binding requests, or only counts them. */
class StunServer {
  readonly requests: Buffer[] = [];
  readonly #socket: Bun.udp.Socket<"buffer">;

  static async open(answers: boolean): Promise<StunServer> {
    let server: StunServer;
    const socket = await Bun.udpSocket({
      hostname: "127.0.0.1",
      socket: {
        data: (own, request, port, address) => {
          server.requests.push(Buffer.from(request));
          if (answers) own.send(bindingResponse(request.subarray(8, 20)), port, address);
        },
        error() {},
      },
    });
    server = new StunServer(socket);
    return server;
  }

  private constructor(socket: Bun.udp.Socket<"buffer">) {
    this.#socket = socket;
  }

  get address(): { host: string; port: number } {
    return { host: "127.0.0.1", port: this.#socket.port };
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/** RFC 8489 section 14.2, with the port of a request that another one gave a header. */
function bindingResponse(transactionId: Uint8Array): Buffer {
  const port = MAPPED_PORT ^ 0x2112;
  const address = MAPPED_ADDRESS.map((byte, i) => byte ^ COOKIE[i]!);
  const attribute = Buffer.of(0, 0x20, 0, 8, 0, 1, port >> 8, port & 0xff, ...address);
  return Buffer.concat([Buffer.of(1, 1, 0, attribute.length), COOKIE, transactionId, attribute]);
}

function offersOf(server: RtspServer, nth = 0): string[] {
  const setups = server.requests.filter(({ method }) => method === "SETUP");
  return setups[nth]!.headers.get("transport")!.split(",");
}

test("all transports are offered, with the address of our end", async () => {
  using server = await RtspServer.open({ transport: "udp" });
  using relay = new Relay();
  using player = await relay.play(server);
  await player.playing();
  const port = Number(/client_port=(\d+)/.exec(offersOf(server)[3]!)![1]);
  expect(port % 2).toBe(0);
  const where = `client_address=127.0.0.1;client_port=${port}-${port + 1};mode=PLAY`;
  expect(offersOf(server)).toEqual([
    ...["MP2T/RTP/TCP", "MP2T/TCP", "RTP/AVP/TCP"].map((profile) => `${profile};unicast;interleaved=0-1`),
    ...["MP2T/RTP/UDP", "MP2T/UDP", "RTP/AVP"].map((profile) => `${profile};unicast;${where}`),
  ]);
  await until(() => server.datagrams.some(({ to }) => to === "rtp"), WAIT_MS, "a punch");
  const punch = server.datagrams.find(({ to }) => to === "rtp")!;
  const controlPort = Buffer.from(punch.bytes).readUInt16BE(18);
  expect(controlPort).toBeGreaterThan(0);
  expect(controlPort).not.toBe(port);
  const nat = `127.0.0.1:${controlPort}`;
  expect(server.requests.map(({ headers }) => headers.get("x-nat"))).toEqual([null, nat, nat, null]);
});

test("the way to our ports is opened three times", async () => {
  using server = await RtspServer.open({ transport: "udp" });
  using relay = new Relay();
  using player = await relay.play(server);
  await player.playing();
  const port = Number(/client_port=(\d+)/.exec(offersOf(server)[3]!)![1]);
  await until(() => server.datagrams.length === 6, WAIT_MS, "six datagrams");
  const [rtp, rtcp] = ["rtp", "rtcp"].map((to) => server.datagrams.filter((datagram) => datagram.to === to));
  expect(rtp).toHaveLength(3);
  expect(rtcp!.map(({ bytes }) => Buffer.from(bytes).toString("hex"))).toEqual(Array(3).fill("80c9000100000000"));
  const punch = Buffer.from(rtp![0]!.bytes);
  expect(punch).toHaveLength(84);
  expect(punch.subarray(0, 12).toString("latin1")).toBe("ZXV10STB\x7f\xff\xff\xff");
  expect([...punch.subarray(12, 16)]).toEqual([127, 0, 0, 1]);
  expect(punch.readUInt16BE(16)).toBe(port);
});

test.each([
  ["source=127.0.0.1", 6],
  ['source="127.0.0.1"', 6],
  ["source=no.such.host.invalid", 6],
  // No IPv6 datagram leaves an IPv4 port.
  ["source=::1", 0],
])("datagrams go to %s", async (source, count) => {
  const react: React = (usual, { method }) => {
    const { Transport } = usual.headers;
    return method === "SETUP"
      ? { ...usual, headers: { ...usual.headers, Transport: `${Transport};${source}` } }
      : usual;
  };
  using server = await RtspServer.open({ transport: "udp", react });
  using relay = new Relay();
  using player = await relay.play(server);
  await player.playing(200);
  if (count > 0) await until(() => server.datagrams.length >= count, WAIT_MS, "datagrams");
  expect(server.datagrams).toHaveLength(count);
});

test("echoed punches and strays do no harm", async () => {
  const react: React = (usual, { method }, connection) => {
    const { destination } = connection;
    if (method === "PLAY" && destination?.kind === "udp") {
      for (const stray of ["", "ZXV10STB\x7f\xff\xff\xff", "\x80\xc9\x00\x01\0\0\0\0", "\x00\x01"]) {
        destination.socket.send(Buffer.from(stray, "latin1"), destination.port, destination.host);
      }
    }
    return usual;
  };
  using server = await RtspServer.open({ transport: "udp", react });
  using relay = new Relay();
  using player = await relay.play(server);
  await player.playing(200);
  expect(player.verifier.counts).toMatchObject({ first: 0, lost: 0, stray: 0, corrupt: 0 });
});

test.each(["127.0.0.9", "127.0.0.1"])("what %s sends to our port, too, is not heard", async (stranger) => {
  const forged = Buffer.alloc(12 + 7 * 188, 0x47);
  forged.set([0x80, 33]);
  using server = await RtspServer.open({ transport: "udp" });
  using relay = new Relay();
  using player = await relay.play(server);
  await player.playing(20);
  const port = Number(/client_port=(\d+)/.exec(offersOf(server)[3]!)![1]);
  const socket = await Bun.udpSocket({ hostname: stranger, socket: { error() {} } });
  try {
    for (let sequence = 0; sequence < 200; sequence++) {
      forged.writeUInt16BE(sequence, 2);
      try {
        socket.send(forged, port, "127.0.0.1");
      } catch {
        // The kernel has told the stranger that nobody hears him.
      }
    }
    await player.playing(400);
  } finally {
    socket.close();
  }
  expect(player.verifier.counts).toMatchObject({ first: 0, lost: 0, reordered: 0, stray: 0, corrupt: 0 });
});

test("a client that does not read loses packets, and the server is heard and reminded all the same", async () => {
  const react: React = (usual, { method }) =>
    method === "SETUP" ? { ...usual, headers: { ...usual.headers, Session: "fake-1;timeout=1" } } : usual;
  using server = await RtspServer.open({ transport: "udp", react, datagramsPerBeat: FAST_DATAGRAMS });
  using relay = new Relay({ bufferSlots: 1024 });
  using player = await relay.play(server);
  await player.playing();
  player.client.pause();
  const isFull = () => relay.log.some((line) => /^WARN 127\.0\.0\.1:\d+ reads too slowly: \d+ packets/.test(line));
  await until(isFull, WAIT_MS, "the first loss");
  const reminders = () => server.methods.filter((method) => method === "GET_PARAMETER").length;
  const before = reminders();
  server.connections[0]!.send("OPTIONS * RTSP/1.0\r\nCSeq: 7\r\n\r\n");
  await until(() => server.responses.length === 1, WAIT_MS, "our answer");
  await until(() => reminders() >= before + 2, WAIT_MS, "keepalives");
  player.client.resume();
  await until(() => player.verifier.lost > 0, WAIT_MS, "the packets behind the loss");
  expect(player.verifier.lost % 7).toBe(0);
  expect(player.verifier.counts).toMatchObject({ reordered: 0, corrupt: 0, stray: 0 });
});

describe("STUN", () => {
  test("tells where the server shall send, once for a session", async () => {
    using stun = await StunServer.open(true);
    using server = await RtspServer.open({ transport: "tcp" });
    using moved = await RtspServer.open({ react: () => answer(302, "Moved", { Location: server.url("/ch") }) });
    using relay = new Relay({ rtspStunServer: stun.address });
    using player = await relay.play(moved);
    await player.playing();
    expect(stun.requests).toHaveLength(1);
    expect(stun.requests[0]!.subarray(0, 8)).toEqual(Buffer.concat([Buffer.of(0, 1, 0, 0), COOKIE]));
    expect(offersOf(server)[5]).toContain(`client_address=192.0.2.7;client_port=${MAPPED_PORT}-${MAPPED_PORT + 1};`);
    expect(server.requests[1]!.headers.get("x-nat")).toBe(`192.0.2.7:${MAPPED_PORT}`);
  });

  test("that does not answer is waited for no longer than three seconds", async () => {
    using stun = await StunServer.open(false);
    using server = await RtspServer.open();
    using relay = new Relay({ rtspStunServer: stun.address });
    const begun = performance.now();
    using player = await relay.play(server);
    await player.playing();
    expect(performance.now() - begun).toBeLessThan(4000);
    expect(stun.requests).toHaveLength(3);
    expect(new Set(stun.requests.map((request) => request.toString("hex"))).size).toBe(3);
    expect(offersOf(server)[5]).toContain("client_address=127.0.0.1;");
    expect(relay.log.join("\n")).toContain("does not answer");
  });

  test("is not asked for HEAD", async () => {
    using stun = await StunServer.open(true);
    using server = await RtspServer.open();
    using relay = new Relay({ rtspStunServer: stun.address });
    expect((await relay.ask(server, "/ch", "HEAD")).head.status).toBe(200);
    expect(stun.requests).toEqual([]);
  });

  test("is forgotten when the client leaves meanwhile", async () => {
    using stun = await StunServer.open(false);
    using server = await RtspServer.open();
    using relay = new Relay({ rtspStunServer: stun.address });
    const client = await relay.request(`/rtsp/127.0.0.1:${server.port}/ch`);
    await until(() => server.methods.length === 1, WAIT_MS, "OPTIONS");
    client.destroy();
    await relay.idle();
    expect(server.methods).toEqual(["OPTIONS"]);
  });
});
