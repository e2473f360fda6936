/** Requests that make no sense are answered as http.md says, while another client's stream goes on undisturbed. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { HttpClient } from "../fakes/http-client.ts";
import { seededRandom } from "../fakes/random.ts";
import { until } from "../fakes/until.ts";
import { answerTo, Channel, CLEAN, ON_LOOPBACK, Viewer } from "./channel.ts";
import { forEachVariant, type Sluice } from "./harness.ts";

const WAIT_MS = 20_000;
/** Longer than the program's own limit of 3 s (multicast.md section 1), which a machine without a resolver needs. */
const RESOLVE_MS = 20_000;
const REASONS: Readonly<Record<number, string>> = {
  400: "Bad Request",
  404: "Not Found",
  414: "URI Too Long",
  431: "Request Header Fields Too Large",
  501: "Not Implemented",
  503: "Service Unavailable",
};

/** Sends raw bytes, and returns the status of the answer, which must be a complete error page. */
async function statusOf(sluice: Sluice, request: string | Uint8Array, ms = WAIT_MS): Promise<number> {
  using client = await HttpClient.connect(sluice);
  client.send(request);
  const { status, raw } = await client.head(ms);
  const body = (await client.readToEnd(ms)).toString();
  const reason = REASONS[status];
  expect(raw).toBe(
    `HTTP/1.1 ${status} ${reason}\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n\r\n`,
  );
  expect(body).toBe(`<!doctype html><title>${status}</title>${reason}`);
  return status;
}

function get(target: string, headers = ""): string {
  return `GET ${target} HTTP/1.1\r\nHost: test\r\n${headers}\r\n`;
}

/** Bytes without a line feed for the first kilobytes, so that they are one hopeless request line. */
function junk(length: number): Uint8Array {
  const random = seededRandom(length);
  return Uint8Array.from({ length }, () => 128 + Math.floor(random() * 128));
}

forEachVariant("bad input", (start) => {
  let sluice: Sluice;
  let channel: Channel;
  let viewer: Viewer;
  beforeAll(async () => {
    sluice = await start({ args: ON_LOOPBACK });
    channel = await Channel.sending();
    viewer = await Viewer.open(sluice, channel);
  });
  afterAll(() => {
    viewer[Symbol.dispose]();
    channel[Symbol.dispose]();
  });

  /** The other client got more, all of it, in order. */
  async function isUndisturbed(): Promise<void> {
    await viewer.more(50);
    expect(viewer.verifier.counts).toMatchObject(CLEAN);
    expect(viewer.client.state).toBe("open");
    expect(channel.members).toBe(1);
  }

  test.each([
    [431, "a header of 100 KB", get("/", `X-Long: ${"x".repeat(100_000)}\r\n`)],
    [431, "129 headers", get("/", "A: b\r\n".repeat(128))],
    [414, "a target of 3 KB", get(`/${"x".repeat(3000)}`)],
    [404, "a URL of another server", get("http://example.com/video.ts")],
    [404, "a URL of another server that we would fetch", get("http://127.0.0.1:9/http")],
    [400, "a URL of another protocol", get("rtsp://127.0.0.1/rtp/239.0.0.1:5000")],
    [400, "a tunnel", "CONNECT 127.0.0.1:443 HTTP/1.1\r\nHost: 127.0.0.1:443\r\n\r\n"],
    [400, "a request of HTTP/0.9", "GET /rtp/239.0.0.1:5000\r\n"],
    [400, "a target of an asterisk", get("*")],
    [400, "a TLS greeting", Buffer.from("160301020001000001fc0303aabbccddeeff000d0a0d0a", "hex")],
    [400, "binary junk", Buffer.concat([junk(500), Buffer.from("\r\n\r\n")])],
    [400, "another protocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n"],
    [400, "another version of HTTP", "GET / HTTP/2.0\r\n\r\n"],
    [400, "a space before a colon", get("/", "Accept : */*\r\n")],
    [501, "a chunked body", get("/", "Transfer-Encoding: chunked\r\n")],
    [404, "no group", get("/rtp/")],
    [404, "port 0", get("/rtp/239.0.0.1:0")],
    [404, "port 70000", get("/rtp/239.0.0.1:70000")],
    [404, "a bad escape", get("/rtp/239.0.0.1%3")],
    [404, "an empty group", get("/rtp/@:5000")],
    [404, "an empty FCC server", get("/rtp/239.0.0.1:5000?FCC=")],
    [404, "an unknown path", get("/RTP/239.0.0.1:5000")],
    [503, "a unicast group", get("/rtp/127.0.0.1:5000")],
    [503, "an unknown interface", get("/rtp/239.0.0.1:5000?r2h-ifname=nosuch0")],
    [503, "a source of another family", get("/rtp/[::1]@239.0.0.1:5000")],
  ] as const)("%d for %s", async (status, _, request) => {
    expect(await statusOf(sluice, request)).toBe(status);
    await isUndisturbed();
  });

  test(
    "404 for a host that does not resolve",
    async () => {
      expect(await statusOf(sluice, get("/rtp/no-such-host.invalid:5000"), RESOLVE_MS)).toBe(404);
      await sluice.waitForLog(/rtp:\/\/no-such-host\.invalid:5000: name /);
      await isUndisturbed();
    },
    2 * RESOLVE_MS,
  );

  test("HEAD gets the head of an error page without the page", async () => {
    for (const target of ["/nothing", "/rtp/239.0.0.1:0", `/${"x".repeat(3000)}`]) {
      const [get, head] = await Promise.all([answerTo(sluice, target), answerTo(sluice, target, "HEAD")]);
      expect([head.head.raw, head.body]).toEqual([get.head.raw, ""]);
    }
    await isUndisturbed();
  });

  test("junk of any length ends the connection", async () => {
    for (const length of [1, 100, 9000, 200_000]) {
      using client = await HttpClient.connect(sluice);
      client.send(junk(length));
      client.halfClose();
      await until(() => client.state !== "open", WAIT_MS, "the end of the connection");
    }
    await isUndisturbed();
  });

  test("a request may come in two pieces, split anywhere", async () => {
    const request = get(`/rtp/${channel.address}`, "Accept: */*\r\n");
    for (let at = 1; at < request.length; at++) {
      using client = await HttpClient.connect(sluice);
      client.send(request.slice(0, at));
      // The first piece has arrived once a later request was answered.
      await answerTo(sluice, "/", "HEAD");
      client.send(request.slice(at));
      expect((await client.head()).status).toBe(200);
    }
    await isUndisturbed();
  });

  test("what follows a request is ignored", async () => {
    const request = get(channel.path);
    using client = await HttpClient.connect(sluice);
    client.send(Buffer.concat([Buffer.from(request + request), junk(100_000), Buffer.from(request)]));
    const { status } = await client.head();
    expect(status).toBe(200);
    client.send(junk(100_000));
    const body = await client.read(188 * 500);
    for (let at = 0; at < body.length; at += 188) expect(body[at]).toBe(0x47);
    await isUndisturbed();
  });
});
