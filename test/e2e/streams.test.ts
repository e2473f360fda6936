/** A multicast group comes out as an HTTP stream, whole and in order, however it is asked for and by how many. */

import { beforeAll, expect, test } from "bun:test";
import { HttpClient } from "../fakes/http-client.ts";
import { seededRandom } from "../fakes/random.ts";
import { TS_PACKET_BYTES, tsPackets } from "../fakes/ts-packets.ts";
import { until } from "../fakes/until.ts";
import { answerTo, Channel, CLEAN, ON_LOOPBACK, Viewer } from "./channel.ts";
import { forEachVariant, type Sluice } from "./harness.ts";

const WAIT_MS = 20_000;
/** The program leaves a group soon after its last client has gone. */
const LEAVE_MS = 10_000;
const RATE = 16_000_000;

function streamHead(payload: "mp2t-rtp" | "mp2t-direct"): string {
  return (
    "HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nConnection: close\r\n" +
    `R2H-Upstream-Protocol: multicast\r\nR2H-Upstream-Payload: ${payload}\r\n\r\n`
  );
}

/** Odd but legal RTP packets: the payload lies behind sources and an extension, and before padding. */
function shapeOf(index: number) {
  return { csrcs: index % 4, padding: index % 3 === 0 ? 1 + (index % 9) : 0, extensionWords: index % 5 };
}

forEachVariant("streams", (start) => {
  let sluice: Sluice;
  beforeAll(async () => {
    sluice = await start({ args: [...ON_LOOPBACK, "-m", "16"] });
  });

  test.concurrent.each([
    ["rtp", "rtp", "mp2t-rtp"],
    ["rtp", "udp", "mp2t-direct"],
    ["udp", "rtp", "mp2t-rtp"],
    ["udp", "udp", "mp2t-direct"],
  ] as const)("/%s/ of %s datagrams is byte-exact behind a head of %s", async (scheme, carrier, payload) => {
    using channel = await Channel.sending({ carrier, shape: shapeOf }, RATE);
    using client = await HttpClient.connect(sluice);
    client.request("GET", `/${scheme}/${channel.address}`);
    expect((await client.head()).raw).toBe(streamHead(payload));
    const count = 5000;
    const body = await client.read(count * TS_PACKET_BYTES);
    const first = body.readUInt32BE(21);
    expect(body.equals(tsPackets(channel, first, count))).toBe(true);
  });

  test("a group may be written in many ways", async () => {
    using channel = await Channel.sending();
    const forms = [
      ...["rtp/127.0.0.1@ADDRESS", "udp/127.0.0.1:9@ADDRESS", "rtp/ADDRESS/", "rtp/ADDRESS$HD", "rtp/ADDRESS/$4K@50"],
      ...[
        "rtp/ADDRESS?x=1",
        "rtp/ADDRESS?r2h-ifname=lo",
        "rtp/ADDRESS$HD?R2H-IfName=lo",
        "udp/ADDRESS?",
        "rtp/ENCODED",
      ],
    ];
    for (const form of forms) {
      const encoded = channel.address.replace(":", "%3A").replace("239", "%32%339");
      const target = `/${form.replace("ADDRESS", channel.address).replace("ENCODED", encoded)}`;
      using viewer = await Viewer.open(sluice, channel, { target });
      await viewer.more(20);
      expect(viewer.verifier.counts).toMatchObject(CLEAN);
    }
  });

  test("the port of a group is 1234 unless it is given", async () => {
    using channel = await Channel.sending({ port: 1234 });
    using viewer = await Viewer.open(sluice, channel, { target: `/rtp/${channel.group}` });
    using other = await Viewer.open(sluice, channel, { target: `/udp/${channel.group}/` });
    await Promise.all([viewer.more(20), other.more(20)]);
    expect(viewer.verifier.counts).toMatchObject(CLEAN);
  });

  test("the interface of the request goes before the one of the command line", async () => {
    await using other = await start({ args: ["-r", "nosuch0"] });
    using channel = await Channel.sending();
    using viewer = await Viewer.open(other, channel, { target: `${channel.path}?R2H-IFNAME=lo` });
    await viewer.more(20);
    await expect(Viewer.open(other, channel)).rejects.toThrow("503");
  });

  test("HEAD joins nothing", async () => {
    using channel = await Channel.sending();
    const { head, body } = await answerTo(sluice, channel.path, "HEAD");
    expect(head.raw).toBe(
      "HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nConnection: close\r\nR2H-Upstream-Protocol: multicast\r\n\r\n",
    );
    expect(body).toBe("");
    // Requests are logged in their order: whatever a HEAD joined would stand before the second one.
    await answerTo(sluice, "/");
    await sluice.waitForLog(/requested URL: \/ /);
    expect(sluice.log.filter((line) => line.includes(`Joined rtp://${channel.address}`))).toEqual([]);
    expect(channel.members).toBe(0);
  });

  test.each([
    ["HTTP/1.0", "GET PATH HTTP/1.0\r\n\r\n"],
    ["bare line feeds", "\nGET PATH HTTP/1.1\nHost: test\n\n"],
    ["empty lines before it", "\r\n\r\n\nGET PATH HTTP/1.1\r\nHost: test\r\n\r\n"],
    ["a whole URL", "GET http://192.0.2.1:5140PATH HTTP/1.1\r\nHost: test\r\n\r\n"],
    ["a whole URL in capitals and no Host", "GET HTTP://TVPATH HTTP/1.0\r\n\r\n"],
    ["small letters", "get PATH http/1.1\r\nhost: test\r\n\r\n"],
    ["more blanks", "GET  PATH\tHTTP/1.1 \r\nHost:test\r\n\r\n"],
    ["blanks in a label", "GET PATH$HD 50 fps HTTP/1.1\r\nHost: test\r\n\r\n"],
    ["no transfer coding", "GET PATH HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: identity\r\n\r\n"],
    ["two Hosts", "GET PATH HTTP/1.1\r\nHost: test\r\nHost: test\r\n\r\n"],
    ["an odd line", "GET PATH HTTP/1.1\r\nHost: test\r\nX Device(1): a\r\nX-Flag\r\n\r\n"],
    [
      "what players add",
      "GET PATH HTTP/1.1\r\nHost: test\r\nUser-Agent: Lavf/60.16.100\r\nAccept: */*\r\nRange: bytes=0-\r\nIcy-MetaData: 1\r\n" +
        "Connection: TE, Keep-Alive\r\nTE: trailers\r\nExpect: 100-continue\r\nContent-Length: 0\r\nPragma: getIfoFileURI.dlna.org\r\n" +
        "transferMode.dlna.org: Streaming\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
    ],
    ["any method", "PLAY PATH HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\nhi"],
  ])("a request with %s gets the same stream", async (_, request) => {
    using channel = await Channel.sending();
    using client = await HttpClient.connect(sluice);
    client.send(request.replace("PATH", channel.path));
    expect((await client.head()).raw).toBe(streamHead("mp2t-rtp"));
  });

  test("eight clients share one membership, and the last one ends it", async () => {
    using channel = await Channel.sending({}, RATE);
    const targets = Array.from({ length: 8 }, (_, i) => `/${i % 2 === 0 ? "rtp" : "udp"}/${channel.address}`);
    const viewers = await Promise.all(targets.map((target) => Viewer.open(sluice, channel, { target })));
    expect(channel.members).toBe(1);
    await Promise.all(viewers.map((viewer) => viewer.more(500)));
    for (const viewer of viewers.slice(1)) viewer.client.close();
    await viewers[0]!.more(500);
    expect(channel.members).toBe(1);
    channel.sender.pause();
    await viewers[0]!.catchUp(channel);
    for (const { verifier } of viewers) expect(verifier.counts).toMatchObject(CLEAN);
    viewers[0]!.client.close();
    await channel.untilLeft(LEAVE_MS);
    const said = (word: string) =>
      sluice.log.filter((line) => line.includes(`${word} rtp://${channel.address}`)).length;
    await until(() => said("Left") === 1, WAIT_MS, "the log to say so");
    expect(said("Joined")).toBe(1);
  });

  test.each(["behind its request", "later"])(
    "a client that half-closes %s stays, and frees its place when it closes",
    async (when) => {
      await using small = await start({ args: [...ON_LOOPBACK, "-m", "1"] });
      using channel = await Channel.sending();
      using viewer = await Viewer.open(small, channel, { halfCloses: when === "behind its request" });
      if (when === "later") viewer.client.halfClose();
      await viewer.more(8000);
      expect([viewer.verifier.counts, viewer.client.state]).toMatchObject([CLEAN, "open"]);
      await expect(Viewer.open(small, channel)).rejects.toThrow("503");
      viewer.client.close();
      await channel.untilLeft(LEAVE_MS);
      using next = await Viewer.open(small, channel);
      await next.more(20);
    },
  );

  test("a client that closes when nothing is sent any more frees its place", async () => {
    using channel = await Channel.sending();
    const viewer = await Viewer.open(sluice, channel);
    await viewer.more(20);
    channel.sender.pause();
    await viewer.catchUp(channel);
    viewer.client.close();
    await channel.untilLeft(LEAVE_MS);
    await sluice.waitForLog(new RegExp(`Left rtp://${channel.address}`));
  });

  test("OPTIONS is answered and joins nothing", async () => {
    using channel = await Channel.sending();
    for (const method of ["OPTIONS", "options"]) {
      const { head, body } = await answerTo(sluice, channel.path, method);
      expect(head.raw + body).toBe(
        "HTTP/1.1 204 No Content\r\nConnection: close\r\nAllow: GET, HEAD, POST, OPTIONS\r\nContent-Length: 0\r\n\r\n",
      );
    }
    expect(channel.members).toBe(0);
  });

  test("loss, duplicates and disorder leave the losses only", async () => {
    const random = seededRandom(7);
    const faulty = 2000;
    let dropped = 0;
    const fault = (index: number) => {
      // The first packets tell where the stream begins, and the last ones that all before them are through.
      const kind = index < 20 || index >= faulty ? 1 : random();
      if (kind < 0.03) dropped++;
      if (kind < 0.03) return "drop";
      if (kind < 0.08) return "duplicate";
      return kind < 0.16 ? { delayBy: 1 + Math.floor(random() * 12) } : undefined;
    };
    using channel = await Channel.open({ fault, firstSequence: 65_000 });
    const since = sluice.log.length;
    const opening = Viewer.open(sluice, channel);
    await sluice.waitForLog(/Joined/, { since });
    channel.sender.start(RATE);
    using viewer = await opening;
    await until(() => channel.sender.source.index >= faulty + 40, WAIT_MS, "the faulty part to be sent");
    channel.sender.pause();
    await viewer.catchUp(channel);
    expect(dropped).toBeGreaterThan(20);
    expect(viewer.verifier.counts).toMatchObject({ ...CLEAN, first: 0, lost: 7 * dropped });
    const reported = () => {
      const own = sluice.log.filter((line) => line.includes(channel.address));
      const counts = own.map((line) => / (\d+) RTP packets lost on the way/.exec(line)?.[1] ?? 0);
      return counts.reduce<number>((sum, count) => sum + Number(count), 0);
    };
    await until(() => reported() === dropped, WAIT_MS, "all losses in the log");
  });
});
