import { afterAll, describe, expect, test } from "bun:test";
import { loadClip, RTSP_CHANNEL } from "../../src/demo/channels.ts";
import { RtspSource } from "../../src/demo/rtsp-source.ts";
import { TS_PACKET_BYTES } from "../../src/wire/mpegts/packet.ts";
import { RTP_HEADER_BYTES } from "../../src/wire/rtp/packet.ts";
import { until } from "../fakes/until.ts";
import { RtspClient } from "./rtsp-client.ts";

const MAX_CONNECTIONS = 2 * 16;
const MAX_SESSIONS = 16;

const WAIT_MS = 3000;
const TCP = { Transport: "RTP/AVP/TCP;unicast;interleaved=0-1" };
const source = new RtspSource(RTSP_CHANNEL.name, await loadClip(RTSP_CHANNEL));
const { url } = source;
/** One second of a January night. */
const SECOND = `${url}?playseek=20260101000000-20260101000001`;

afterAll(() => source.stop());

/** A client to which a URL is played within the connection. */
async function play(target: string, headers: Readonly<Record<string, string>> = {}): Promise<RtspClient> {
  const client = await RtspClient.connect(target);
  expect(await client.ask("SETUP", target, TCP)).toMatchObject({ status: 200 });
  expect(await client.ask("PLAY", target, headers)).toMatchObject({ status: 200 });
  return client;
}

/** MPEG-TS of RTP datagrams whose numbers must follow each other. */
function mediaOf(datagrams: readonly Buffer[]): Buffer {
  const first = datagrams[0]!.readUInt16BE(2);
  expect(datagrams.map((datagram) => datagram.readUInt16BE(2))).toEqual(datagrams.map((_, i) => (first + i) & 0xffff));
  return Buffer.concat(datagrams.map((datagram) => datagram.subarray(RTP_HEADER_BYTES)));
}

/** The first PCR, in 90 kHz ticks. */
function firstPcr(media: Buffer): number | undefined {
  for (let at = 0; at < media.length; at += TS_PACKET_BYTES) {
    const hasPcr = (media[at + 3]! & 0x20) !== 0 && media[at + 4]! >= 7 && (media[at + 5]! & 0x10) !== 0;
    if (hasPcr) return media.readUInt32BE(at + 6) * 2 + (media[at + 10]! >> 7);
  }
  return undefined;
}

describe("a conversation", () => {
  test("goes from OPTIONS to TEARDOWN", async () => {
    using client = await RtspClient.connect(url);
    const options = await client.ask("OPTIONS", "*");
    expect(options).toMatchObject({ status: 200, headers: expect.stringContaining("CSeq: 1\nPublic: OPTIONS, ") });
    const { headers, body } = await client.ask("DESCRIBE", SECOND);
    expect(headers).toContain("application/sdp");
    for (const line of ["s=sluice four", "a=range:npt=0-1", "m=video 0 RTP/AVP 33", `a=control:${SECOND}`]) {
      expect(body).toContain(`${line}\r\n`);
    }
    const setup = await client.ask("SETUP", SECOND, TCP);
    expect(setup.headers).toMatch(/Session: [0-9a-f]{16};timeout=60\nTransport: RTP\/AVP\/TCP;unicast;interleaved=0-1/);
    expect((await client.ask("GET_PARAMETER", SECOND)).status).toBe(200);
    expect((await client.ask("PLAY", SECOND)).headers).toContain("Range: npt=0-1");
    await client.untilDatagrams(1);
    expect((await client.ask("TEARDOWN", SECOND)).status).toBe(200);
    expect((await client.ask("TEARDOWN", SECOND)).status).toBe(454);
  });

  test("refuses what it cannot serve", async () => {
    using client = await RtspClient.connect(url);
    const status = async (...request: Parameters<RtspClient["ask"]>) => (await client.ask(...request)).status;
    expect(await status("DESCRIBE", `${url}/other`)).toBe(404);
    expect(await status("PLAY", url)).toBe(455);
    expect(await status("SETUP", `${url}x`, TCP)).toBe(404);
    expect(await status("SETUP", url, { Transport: "RTP/AVP;multicast" })).toBe(461);
    expect(await status("SETUP", url, TCP)).toBe(200);
    expect(await status("SETUP", url, TCP)).toBe(455);
    expect(await status("PLAY", url, { Session: "another" })).toBe(454);
    expect(await status("PLAY", url, { Range: "smpte=0:10-" })).toBe(457);
    expect(await status("RECORD", url)).toBe(501);
    client.write("\r\n".padStart(300_000, "?"));
    await client.untilClosed();
  });
});

describe("media", () => {
  test("of a time in the past begin at its place in the clip, in their pace, and end with the connection", async () => {
    const startedMs = performance.now();
    using client = await play(SECOND);
    await client.untilClosed();
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(990);
    const media = mediaOf(client.datagrams);
    const second = Date.UTC(2026, 0, 1) / 1000;
    // The clock of the stream is the time, so that whoever joins later gets the same.
    expect(firstPcr(media)! - ((second * 90_000) % 2 ** 33)).toBeWithin(0, 90_000);
    expect(media.length).toBeGreaterThan(20_000);
  });

  test("are the same for a time, whether the URL or a Range names it", async () => {
    using sought = await play(SECOND);
    using ranged = await play(url, { Range: "clock=20260101T000000Z-" });
    await Promise.all([sought.untilDatagrams(5), ranged.untilDatagrams(5)]);
    const [a, b] = [sought, ranged].map(({ datagrams }) => mediaOf(datagrams.slice(0, 5)));
    expect(a).toEqual(b!);
  });

  test("go to a UDP port of the client", async () => {
    const datagrams: Buffer[] = [];
    const socket = await Bun.udpSocket({
      hostname: "127.0.0.1",
      socket: { data: (_socket, datagram) => void datagrams.push(Buffer.from(datagram)) },
    });
    try {
      using client = await RtspClient.connect(url);
      const transport = `RTP/AVP;unicast;client_port=${socket.port}-${socket.port + 1}`;
      const { headers } = await client.ask("SETUP", url, { Transport: transport });
      expect(headers).toMatch(new RegExp(`Transport: ${transport};server_port=\\d+[02468]-\\d+[13579]`));
      await client.ask("PLAY", url);
      await until(() => datagrams.length >= 5, WAIT_MS, "datagrams");
      mediaOf(datagrams);
    } finally {
      socket.close();
    }
  });
});

test("serves so many sessions and connections, and no more; who leaves makes room", async () => {
  await using cleanUp = new AsyncDisposableStack();
  const connect = async () => cleanUp.use(await RtspClient.connect(url));
  const clients = await Promise.all(Array.from({ length: MAX_SESSIONS }, connect));
  for (const client of clients) {
    // Those of the tests before may still be leaving.
    await until(async () => (await client.ask("SETUP", url, TCP)).status === 200, WAIT_MS, "a place");
  }
  const late = await connect();
  expect((await late.ask("SETUP", url, TCP)).status).toBe(453);
  expect((await clients[0]!.ask("TEARDOWN", url)).status).toBe(200);
  expect((await late.ask("SETUP", url, TCP)).status).toBe(200);
  const others = await Promise.all(Array.from({ length: MAX_CONNECTIONS - MAX_SESSIONS }, connect));
  await until(() => others.some(({ isOpen }) => !isOpen), WAIT_MS, "the refusal of a connection");
});
