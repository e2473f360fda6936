/** What the status page's server side tells and does, with curl as the reader of its events (status.md sections 2 to 7). */

import { expect, test } from "bun:test";
import type { HealthReport } from "../../src/wire/status/event.ts";
import { HttpClient } from "../fakes/http-client.ts";
import { HttpOrigin } from "../fakes/http-origin.ts";
import { until } from "../fakes/until.ts";
import { Channel, ON_LOOPBACK, Viewer } from "./channel.ts";
import { forVariant, type Sluice } from "./harness.ts";

const WAIT_MS = 20_000;
const TEST_MS = 60_000;
/** More than kernels keep for a client that does not read, in a second or two. */
const FAST_BITS = 60_000_000;
const DOWNLOAD_BYTES = 64 * 1024 * 1024;
/** Small, so that a slow client is soon known as one. */
const BUFFERS = 512;

interface ClientView {
  readonly clientId: string;
  readonly workerPid: number;
  readonly clientAddr: string;
  readonly serviceUrl: string;
  readonly state: number;
  readonly bytesSent: number;
  readonly currentBandwidth: number;
  readonly queueBytesHighwater: number;
  readonly droppedBytes: number;
  readonly droppedPackets: number;
  readonly backpressureEvents: number;
  readonly upstream: string;
  readonly upstreamId: string;
  readonly userAgent: string;
}

interface StatusView {
  readonly currentLogLevel: number;
  readonly clients: readonly ClientView[];
  readonly totalClients: number;
  readonly totalBytesSent: number;
  readonly workers: readonly { readonly id: number; readonly pid: number; readonly totalBytes: number }[];
  readonly upstreams: readonly {
    readonly id: string;
    readonly clients: number;
    readonly tsContinuityErrors: number;
    readonly health: HealthReport;
  }[];
  readonly totals: { readonly clients: number; readonly upstreams: number; readonly bytesReceived: number };
  readonly logsMode: string;
  readonly logs: readonly { readonly message: string }[];
}

/** curl at the event stream. */
class Watcher {
  readonly events: StatusView[] = [];
  readonly #curl: Bun.Subprocess<"ignore", "pipe", "inherit">;

  constructor({ url }: Sluice) {
    this.#curl = Bun.spawn(["curl", "-sN", `${url}/status/sse`], { stdio: ["ignore", "pipe", "inherit"] });
    void this.#collect();
  }

  /** Waits for an event from index `since` on that is as wanted. */
  async event(what: string, isWanted: (status: StatusView) => boolean, since = 0): Promise<StatusView> {
    let found: StatusView | undefined;
    await until(
      () => {
        found = this.events.slice(since).find(isWanted);
        return found !== undefined;
      },
      WAIT_MS,
      `an event: ${what}`,
    );
    return found!;
  }

  /** Waits for a client of this URL that is as wanted. */
  async client(serviceUrl: string, what: string, isWanted: (client: ClientView) => boolean): Promise<ClientView> {
    const find = ({ clients }: StatusView) =>
      clients.find((client) => client.serviceUrl === serviceUrl && isWanted(client));
    return find(await this.event(what, (status) => find(status) !== undefined))!;
  }

  async #collect(): Promise<void> {
    let rest = "";
    const decoder = new TextDecoder();
    for await (const chunk of this.#curl.stdout) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split("\n\n");
      rest = parts.pop()!;
      for (const part of parts) this.events.push(JSON.parse(part.slice("data: ".length)));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#curl.kill();
    await this.#curl.exited;
  }
}

async function order(sluice: Sluice, name: string, body = "", method = "POST") {
  using client = await HttpClient.connect(sluice);
  client.send(`${method} /status/api/${name} HTTP/1.1\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  const { head, body: answer } = await client.response();
  expect(head.status).toBe(200);
  return { ...JSON.parse(answer.toString()), port: client.localPort };
}

async function workerOf(sluice: Sluice, port: number): Promise<string> {
  return (await sluice.waitForLog(new RegExp(`^\\[Worker (\\d)\\] New client 127\\.0\\.0\\.1:${port} `)))[1]!;
}

forVariant("source", "status", (start) => {
  test(
    "shows clients and their counters, and ends them from any worker",
    async () => {
      await using sluice = await start({ args: [...ON_LOOPBACK, "-m", "20", "-b", `${BUFFERS}`], workers: 2 });
      await using watcher = new Watcher(sluice);
      const first = await watcher.event("the first one", () => true);
      expect(first).toMatchObject({ logsMode: "full", totalClients: 0, totalBytesSent: 0, clients: [] });
      expect(first.workers.map(({ pid }) => pid)).toEqual(sluice.workers);

      using channel = await Channel.sending({}, FAST_BITS);
      using viewer = await Viewer.open(sluice, channel, { target: `${channel.path}?r2h-token=secret&a=b` });
      const url = `${channel.path}?a=b`;
      const seen = await watcher.client(url, "bytes in its last second", (client) => client.currentBandwidth > 0);
      expect(seen).toMatchObject({
        clientAddr: `127.0.0.1:${viewer.client.localPort}`,
        state: 6,
        upstream: "multicast",
      });
      expect(seen.clientId).toMatch(/^127\.0\.0\.1:\d+-worker\d-seq0$/);
      expect(sluice.workers).toContain(seen.workerPid);
      expect(seen.upstreamId).not.toBe("");

      using origin = new HttpOrigin(async (connection) => {
        await connection.head();
        connection.send(`HTTP/1.1 200 OK\r\nContent-Length: ${DOWNLOAD_BYTES}\r\n\r\n`);
        connection.send(new Uint8Array(DOWNLOAD_BYTES));
      });
      using download = await HttpClient.connect(sluice);
      const file = `/http/127.0.0.1:${origin.port}/file`;
      download.request("GET", file, { "User-Agent": "tester R2HTOKEN/secret" });
      await download.head();
      download.pause();
      viewer.client.pause();
      const paused = await watcher.client(file, "back-pressure", (client) => client.backpressureEvents > 0);
      expect(paused).toMatchObject({ droppedPackets: 0, droppedBytes: 0, state: 29, userAgent: "tester" });
      const slow = await watcher.client(url, "losses", (client) => client.droppedPackets > 0);
      expect(slow).toMatchObject({ backpressureEvents: 0, droppedBytes: slow.droppedPackets * 1316 });
      expect(slow.queueBytesHighwater).toBeGreaterThan(0);
      const { upstreams, clients } = watcher.events.at(-1)!;
      expect(upstreams.map(({ id }) => id).sort()).toEqual(clients.map(({ upstreamId }) => upstreamId).sort());
      expect(upstreams).toMatchObject([{ tsContinuityErrors: 0 }, { tsContinuityErrors: 0 }]);

      const elsewhere = new Set<boolean>();
      while (!elsewhere.has(true)) {
        using doomed = await Viewer.open(sluice, channel);
        const { clientId } = await watcher.client(channel.path, "one more client", ({ clientAddr }) =>
          clientAddr.endsWith(`:${doomed.client.localPort}`),
        );
        const answer = await order(sluice, "disconnect", `client_id=${encodeURIComponent(clientId)}`);
        expect(answer).toMatchObject({ success: true, message: "Disconnect request sent" });
        await until(() => doomed.client.state !== "open", WAIT_MS, "the end of the connection");
        elsewhere.add((await workerOf(sluice, answer.port)) !== /-worker(\d)-/.exec(clientId)![1]);
        const isGone = (status: StatusView) => status.clients.every((client) => client.clientId !== clientId);
        await watcher.event("the client is gone", isGone, watcher.events.length);
        const again = await order(sluice, "disconnect", `client_id=${encodeURIComponent(clientId)}`);
        expect(again).toMatchObject({ success: false, error: "Client not found or already disconnected" });
      }
    },
    TEST_MS,
  );

  test(
    "changes the log level of all processes, clears the log, and keeps totals over restarts and crashes",
    async () => {
      await using sluice = await start({ args: ON_LOOPBACK, workers: 2 });
      using channel = await Channel.sending();
      let total = 0;
      let received = 0;
      {
        await using watcher = new Watcher(sluice);
        using viewer = await Viewer.open(sluice, channel);
        await viewer.more(1000);
        total = (await watcher.event("bytes", ({ totalBytesSent }) => totalBytesSent > 100_000)).totalBytesSent;
        received = watcher.events.at(-1)!.totals.bytesReceived;

        await order(sluice, "log-level", "level=0", "PUT");
        await watcher.event("the level", ({ currentLogLevel }) => currentLogLevel === 0);
        const isQuiet = async () => {
          const before = sluice.log.length;
          for (let i = 0; i < 10; i++) await order(sluice, "disconnect", "client_id=nobody");
          return sluice.log.length === before;
        };
        await until(isQuiet, WAIT_MS, "no worker to log requests any more");
        const since = watcher.events.length;
        await order(sluice, "clear-logs");
        const cleared = await watcher.event("a full log", ({ logsMode }) => logsMode === "full", since);
        expect(cleared.logs).toEqual([]);
        expect((await order(sluice, "log-level", "level=3", "PATCH")).message).toBe("Log level changed to INFO");
        const logged = ({ logs }: StatusView) => logs.some(({ message }) => /^\[Worker \d\] New client /.test(message));
        await until(
          async () =>
            (await order(sluice, "disconnect", "client_id=nobody")) && watcher.events.slice(since).some(logged),
          WAIT_MS,
          "a line of a worker",
        );
      }

      // What nobody has watched counts too.
      using unwatched = await Viewer.open(sluice, channel);
      await unwatched.more(1000);
      const before = sluice.workers;
      const logged = sluice.log.length;
      expect((await order(sluice, "restart-workers")).message).toBe("Worker restart triggered");
      await sluice.waitForLog(/Server initialization complete/, { since: logged, count: 2 });
      await using watcher = new Watcher(sluice);
      const restarted = await watcher.event("the first one", () => true);
      expect(restarted.workers.map(({ pid }) => pid)).toEqual(sluice.workers);
      expect(restarted.workers.filter(({ pid }) => before.includes(pid))).toEqual([]);
      expect(restarted.totalBytesSent).toBeGreaterThanOrEqual(total);
      expect(restarted.totals).toMatchObject({ clients: 2, upstreams: 2 });
      expect(restarted.totals.bytesReceived).toBeGreaterThan(received + 100_000);
      total = restarted.totalBytesSent;

      using viewer = await Viewer.open(sluice, channel);
      await viewer.more(1000);
      const served = await watcher.event("more bytes", ({ totalBytesSent }) => totalBytesSent > total + 100_000);
      const [{ workerPid }] = served.clients as [ClientView];
      process.kill(workerPid, "SIGKILL");
      await until(() => viewer.client.state !== "open", WAIT_MS, "the end of the stream");
      await using next = new Watcher(sluice);
      const isReplaced = ({ workers }: StatusView) => workers.every(({ pid }) => pid !== 0 && pid !== workerPid);
      const crashed = await next.event("a new worker", isReplaced);
      expect(crashed.totalBytesSent).toBeGreaterThanOrEqual(served.totalBytesSent);
      expect(crashed.clients).toEqual([]);
      expect(crashed.totals).toMatchObject({ clients: 3, upstreams: 3 });
      expect(crashed.totals.bytesReceived).toBeGreaterThanOrEqual(served.totals.bytesReceived);
      expect(crashed.workers.reduce((sum, { totalBytes }) => sum + totalBytes, 0)).toBe(crashed.totalBytesSent);
    },
    TEST_MS,
  );
});

forVariant("source", "the health of streams", (start) => {
  test("is told, with --stream-health from before anybody looks", async () => {
    await using sluice = await start({ args: [...ON_LOOPBACK, "--stream-health"] });
    using channel = await Channel.sending();
    using viewer = await Viewer.open(sluice, channel);
    const packets = 2000;
    await until(() => viewer.verifier.packets > packets, WAIT_MS, "media");
    await using watcher = new Watcher(sluice);
    const { upstreams } = await watcher.event("the channel", (status) => status.upstreams.length === 1);
    const { health } = upstreams[0]!;
    expect(health).toMatchObject({ syncLosses: 0, patErrors: 0, pmtErrors: 0, pcrJumps: 0, scrambledPackets: 0 });
    // All that the viewer has seen was looked at: nobody watched then.
    expect(health.tsPackets).toBeGreaterThanOrEqual(packets);
    expect(health.programmes).toMatchObject([{ number: 1, streams: [{ kind: "video", codec: "H.264" }] }]);
    expect(health.pids.reduce((sum, { packets: count }) => sum + count, 0)).toBe(health.tsPackets);
  });
});
