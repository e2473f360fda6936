/** Pictures of a running channel, made by a real FFmpeg. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MULTICAST_CHANNELS } from "../../src/demo/channels.ts";
import { type DemoSender, startDemoSender } from "../../src/demo/sender.ts";
import { freeUdpPort, uniqueGroup } from "../fakes/free-port.ts";
import { HttpClient } from "../fakes/http-client.ts";
import { isRunning } from "../fakes/is-running.ts";
import { RtspServer } from "../fakes/rtsp-server.ts";
import { until } from "../fakes/until.ts";
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

  describe("an FFmpeg that hangs", () => {
    let directory: string;
    let hanging: Sluice;
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), "hanging-ffmpeg-"));
      const program = join(directory, "ffmpeg");
      await writeFile(program, `#!/bin/sh\necho $$ >> ${directory}/pids\nexec sleep 300\n`, { mode: 0o755 });
      const args = [...ON_LOOPBACK, "--video-snapshot", "--ffmpeg-path", program, "-m", "100"];
      hanging = await start({ args });
    }, WAIT_MS);
    afterAll(() => rm(directory, { recursive: true }));

    /** Those that have been started, newest last. */
    async function pids(): Promise<number[]> {
      const text = await readFile(join(directory, "pids"), "utf8").catch(() => "");
      return text.split("\n").filter(Boolean).map(Number);
    }

    /** Asks for a picture, and answers when FFmpeg runs for it. */
    async function runningFor(client: HttpClient): Promise<number> {
      const before = (await pids()).length;
      client.request("GET", `${path}?snapshot=1`);
      await until(async () => (await pids()).length > before, WAIT_MS, "FFmpeg");
      return (await pids()).at(-1)!;
    }

    test(
      "keeps no client that has left, and answers the others in time",
      async () => {
        const before = await hanging.fds();
        const clients = await Promise.all(Array.from({ length: 20 }, () => HttpClient.connect(hanging)));
        for (const client of clients) client.request("GET", `${path}?snapshot=1`);
        const staying = clients.slice(0, 4);
        await until(async () => (await pids()).length === 2, WAIT_MS, "two FFmpegs");
        for (const client of clients.slice(4)) client.close();
        await hanging.waitForLog(/Snapshot: ffmpeg failed: /, { count: 4, ms: WAIT_MS });
        expect(
          (await Promise.all(staying.map((client) => client.response(WAIT_MS)))).map(({ head }) => head.status),
        ).toEqual([500, 500, 500, 500]);
        for (const client of staying) client.close();
        // Bun keeps what it has given to a process as its input until the collector comes.
        const kept = before + (await pids()).length;
        await until(async () => (await hanging.fds()) <= kept, WAIT_MS, "the end of their sockets");
        // The first two may have left, and two of those who stay come after them; the others' time is over by then.
        expect((await pids()).length).toBeLessThanOrEqual(4);
      },
      2 * WAIT_MS,
    );

    test(
      "ends with its worker, and with the supervisor",
      async () => {
        using client = await HttpClient.connect(hanging);
        const first = await runningFor(client);
        const worker = hanging.workers[0]!;
        process.kill(worker, "SIGKILL");
        await until(() => !isRunning(first), WAIT_MS, "its end after its worker's");
        await hanging.waitForLog(/Server initialization complete/, { count: 2, ms: WAIT_MS });
        using other = await HttpClient.connect(hanging);
        const second = await runningFor(other);
        process.kill(hanging.pid, "SIGKILL");
        await until(() => !isRunning(second), WAIT_MS, "its end after the supervisor's");
        await hanging.kill();
      },
      2 * WAIT_MS,
    );
  });
});
