/** Pictures of a running channel, made by a real FFmpeg. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { MULTICAST_CHANNELS } from "../../src/demo/channels.ts";
import { type DemoSender, startDemoSender } from "../../src/demo/sender.ts";
import { freeUdpPort, uniqueGroup } from "../fakes/free-port.ts";
import { HttpClient } from "../fakes/http-client.ts";
import { RtspServer } from "../fakes/rtsp-server.ts";
import { Channel, ON_LOOPBACK } from "./channel.ts";
import { forEachVariant, type Sluice } from "./harness.ts";

const WAIT_MS = 20_000;
const WIDTH = 640;

/** Width of a JPEG, from its frame header (ITU-T T.81 section B.2.2). */
function widthOf(jpeg: Buffer): number {
  expect(jpeg.subarray(0, 2).toString("hex")).toBe("ffd8");
  let at = 2;
  while (jpeg[at + 1]! < 0xc0 || jpeg[at + 1]! > 0xc2) at += 2 + jpeg.readUInt16BE(at + 2);
  return jpeg.readUInt16BE(at + 7);
}

forEachVariant("snapshots", (start) => {
  let sender: DemoSender;
  let path: string;
  let sluice: Sluice;
  beforeAll(async () => {
    const channel = { ...MULTICAST_CHANNELS[0]!, group: uniqueGroup(), port: await freeUdpPort() };
    path = `/rtp/${channel.group}:${channel.port}`;
    sender = await startDemoSender([channel]);
    sluice = await start({ args: [...ON_LOOPBACK, "--video-snapshot", "-m", "2"] });
  });
  afterAll(() => sender.stop());

  async function ask(target: string, headers: Readonly<Record<string, string>> = {}) {
    using client = await HttpClient.connect(sluice);
    client.request("GET", target, headers);
    return await client.response(WAIT_MS);
  }

  test(
    "a JPEG comes back, while another client watches",
    async () => {
      using viewer = await HttpClient.connect(sluice);
      viewer.request("GET", path);
      await viewer.head();
      let received = 0;
      viewer.stream(({ length }) => {
        received += length;
      });
      for (const [target, headers] of [
        [`${path}?snapshot=1`, {}],
        [path, { Accept: "image/jpeg" }],
      ] as const) {
        const before = received;
        const { head, body } = await ask(target, headers);
        expect([head.status, head.headers.get("content-type")]).toEqual([200, "image/jpeg"]);
        expect(head.headers.get("r2h-upstream-protocol")).toBe("multicast");
        expect(Number(head.headers.get("content-length"))).toBe(body.length);
        expect(widthOf(body)).toBe(WIDTH);
        expect(received).toBeGreaterThan(before);
      }
    },
    2 * WAIT_MS,
  );

  test(
    "what cannot be decoded is an error, or the stream",
    async () => {
      using channel = await Channel.sending();
      expect((await ask(`${channel.path}?snapshot=1`)).head.status).toBe(500);
      using client = await HttpClient.connect(sluice);
      client.request("GET", channel.path, { "X-Request-Snapshot": "1" });
      const { status, headers } = await client.head(WAIT_MS);
      expect([status, headers.get("content-type")]).toEqual([200, "video/mp2t"]);

      using server = await RtspServer.open();
      expect((await ask(`/rtsp/127.0.0.1:${server.port}/ch?a=1&snapshot=1`)).head.status).toBe(500);
      expect(server.requests[0]!.url).toBe(`rtsp://127.0.0.1:${server.port}/ch?a=1`);
    },
    2 * WAIT_MS,
  );
});
