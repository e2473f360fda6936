/** The real program with DNS servers that answer, or do not. */
import { afterEach, expect } from "bun:test";
import { DnsServer, TYPE } from "../fakes/dns-server.ts";
import { HttpClient } from "../fakes/http-client.ts";
import { HttpOrigin } from "../fakes/http-origin.ts";
import { OwnResolvConf, testWithResolvConf } from "../fakes/own-resolv-conf.ts";
import { until } from "../fakes/until.ts";
import { forEachVariant, type Sluice } from "./harness.ts";

const WAIT_MS = 30_000;
const LIMIT_MS = 2 * WAIT_MS;
/** Of names that nobody answers for, from several clients. */
const SILENT_REQUESTS = 35;
const CLIENTS = 5;

function answerOf(text: string): string {
  return `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`;
}

forEachVariant("names", (start) => {
  let resources = new AsyncDisposableStack();
  afterEach(async () => {
    await resources.disposeAsync();
    resources = new AsyncDisposableStack();
  });

  async function servers() {
    const dns = resources.use(
      await DnsServer.open(({ name, type }) => {
        if (name.startsWith("silent")) return "silent";
        if (name === "unknown.test") return "unknown";
        return { addresses: type === TYPE.a ? ["127.0.0.1"] : [], ttlS: 60 };
      }),
    );
    const origin: HttpOrigin = resources.use(
      new HttpOrigin(async (connection) => {
        const head = await connection.head();
        const list = `#EXTM3U x-tvg-url="http://silent-guide.test/"\n#EXTINF:-1,One\nhttp://tv.test:${origin.port}/one\n`;
        connection.send(answerOf(head.startsWith("GET /list") ? list : "here"));
        connection.end();
      }),
    );
    const config = resources.use(new OwnResolvConf(`nameserver ${dns.address}\n`));
    return { dns, origin, config };
  }

  async function get(sluice: Sluice, path: string) {
    using client = await HttpClient.connect(sluice);
    client.request("GET", path);
    const { head, body } = await client.response(WAIT_MS);
    return { status: head.status, text: body.toString() };
  }

  testWithResolvConf(
    "that a server is silent about hold up no other name, and no file",
    async () => {
      const { dns, origin, config } = await servers();
      const sluice = await start({ runner: config.runner, args: ["-m", "100"] });
      let isAnswered = false;
      const silent = Array.from({ length: SILENT_REQUESTS }, (_, i) =>
        get(sluice, `/http/silent${i % CLIENTS}.test:${origin.port}/`).then(({ status }) => {
          isAnswered = true;
          return status;
        }),
      );
      while (dns.asked("silent4.test") === 0) await Bun.sleep(5);
      expect(await get(sluice, `/http/localhost:${origin.port}/`)).toEqual({ status: 200, text: "here" });
      expect(await get(sluice, `/http/tv.test:${origin.port}/`)).toEqual({ status: 200, text: "here" });
      expect((await get(sluice, "/epg.xml")).status).toBe(404);
      // Judged by the order and not by the clock.
      expect(isAnswered).toBe(false);
      expect(new Set(await Promise.all(silent))).toEqual(new Set([503]));
      expect((await get(sluice, `/http/unknown.test:${origin.port}/`)).status).toBe(503);
    },
    LIMIT_MS,
  );

  testWithResolvConf(
    "lists are fetched from servers with names, beside a guide whose name nobody answers for",
    async () => {
      const { dns, origin, config } = await servers();
      const list = `http://lists.test:${origin.port}/list.m3u`;
      const sluice = await start({ runner: config.runner, args: ["-M", list] });
      await until(async () => (await get(sluice, "/playlist.m3u")).text.includes("/One"), WAIT_MS, "the list");
      expect(origin.connections[0]!.received.toString()).toContain(`\r\nHost: lists.test:${origin.port}\r\n`);
      await until(() => dns.asked("silent-guide.test") > 0, WAIT_MS, "the question for the guide's server");
      expect(await get(sluice, "/One")).toEqual({ status: 200, text: "here" });
    },
    LIMIT_MS,
  );

  testWithResolvConf(
    "another resolv.conf counts at once",
    async () => {
      const { origin, config } = await servers();
      const other = resources.use(await DnsServer.open(() => "unknown"));
      const working = `nameserver ${(await servers()).dns.address}\n`;
      config.write(`nameserver ${other.address}\n`);
      const sluice = await start({ runner: config.runner });
      const path = `/http/tv.test:${origin.port}/`;
      expect((await get(sluice, path)).status).toBe(503);
      config.write(working);
      expect(await get(sluice, path)).toEqual({ status: 200, text: "here" });
    },
    LIMIT_MS,
  );
});
