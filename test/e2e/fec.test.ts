/** FEC on a lossy line: a real FFmpeg sends SMPTE 2022-1 parity, and an encoder of the tests Reed–Solomon parity. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { TransportHealth } from "../../src/wire/mpegts/health.ts";
import { parityOf } from "../fakes/fec-encoder.ts";
import { freeUdpPort, uniqueGroup } from "../fakes/free-port.ts";
import { HttpClient } from "../fakes/http-client.ts";
import { MulticastSender } from "../fakes/multicast-sender.ts";
import { seededRandom } from "../fakes/random.ts";
import { DatagramSource } from "../fakes/ts-datagrams.ts";
import { until } from "../fakes/until.ts";
import { Channel, CLEAN, ON_LOOPBACK, Viewer } from "./channel.ts";
import { forEachVariant } from "./harness.ts";

const WAIT_MS = 20_000;
const CLIP = join(import.meta.dir, "../../src/demo/clips/one.mpegts");
/** Media, and the parity of columns and of rows (SMPTE 2022-1). */
const PORT_OFFSETS = [0, 2, 4] as const;
/** Packets in a row, and in a column. */
const MATRIX = 10;
const LOSS = 0.02;
/** Packets without loss at the beginning: what comes before the first parity cannot be repaired. */
const INTACT = 3 * MATRIX * MATRIX;
const TS_BYTES = 188;

/** Loses packets by chance, but never two of a row. */
class Loss {
  sent = 0;
  lost = 0;
  readonly #random = seededRandom(2022);
  #last = Number.NEGATIVE_INFINITY;

  takes(): boolean {
    const packet = this.sent++;
    if (packet < INTACT || packet - this.#last < 2 * MATRIX || this.#random() >= LOSS) return false;
    this.#last = packet;
    this.lost++;
    return true;
  }
}

async function senderTo(group: string): Promise<MulticastSender> {
  return await MulticastSender.open({ carrier: "rtp", streamId: 0, group, port: await freeUdpPort() });
}

/** The first of five ports in a row. */
async function fivePorts(): Promise<number> {
  const ports = [await freeUdpPort()];
  while (ports.length < 5) {
    const next = await freeUdpPort();
    if (next !== ports.at(-1)! + 1) ports.length = 0;
    ports.push(next);
  }
  return ports[0]!;
}

forEachVariant("FEC", (start) => {
  test(
    "of FFmpeg, columns and rows: the transport stream has no gap",
    async () => {
      await using sluice = await start({ args: [...ON_LOOPBACK, "-v", "3"] });
      const loss = new Loss();
      const [group, first] = [uniqueGroup(), await fivePorts()];
      const senders: MulticastSender[] = [];
      const sockets: Bun.udp.Socket<"buffer">[] = [];
      for (const offset of PORT_OFFSETS) {
        const sender = await senderTo(group);
        const data = (_: unknown, datagram: Buffer) => {
          if (offset > 0 || !loss.takes()) sender.sendRaw(datagram);
        };
        senders.push(sender);
        sockets.push(
          await Bun.udpSocket({ hostname: "127.0.0.1", port: first + offset, socket: { data, error() {} } }),
        );
      }
      const [media, columns, rows] = senders.map(({ port }) => port);
      const command = [
        ...["ffmpeg", "-v", "error", "-readrate", "8", "-stream_loop", "-1", "-i", CLIP, "-c", "copy"],
        ...["-f", "rtp_mpegts", "-fec", `prompeg=l=${MATRIX}:d=${MATRIX}`, `rtp://127.0.0.1:${first}`],
      ];
      const ffmpeg = Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "inherit" });
      try {
        using client = await HttpClient.connect(sluice);
        client.request("GET", `/rtp/${group}:${media}?fec=${columns},${rows}`);
        expect((await client.head()).status).toBe(200);
        const continuity = new TransportHealth();
        let bytes = 0;
        client.stream((chunk) => {
          continuity.look(chunk, 0, chunk.length, 0);
          bytes += chunk.length;
        });
        await until(() => loss.lost >= 10, WAIT_MS, "losses");
        const bytesThen = bytes;
        await until(() => bytes > bytesThen + 400 * TS_BYTES, WAIT_MS, "what comes behind them");
        expect(continuity.continuityErrors).toBe(0);
        client.destroy();
        await sluice.waitForLog(/FEC active \(SMPTE 2022-1/);
        await sluice.waitForLog(
          /0 RTP packets lost for good, 0 of them beyond repair, \d+ repaired by FEC, 0 repairs refused/,
        );
      } finally {
        ffmpeg.kill();
        for (const socket of sockets) socket.close();
        for (const sender of senders) sender.close();
      }
    },
    2 * WAIT_MS,
  );

  test("Reed–Solomon, on a port of its own and on that of the media: nothing is missing", async () => {
    await using sluice = await start({ args: [...ON_LOOPBACK, "-v", "3"] });
    const [k, m] = [20, 2];
    for (const isMixed of [false, true]) {
      using channel = await Channel.open();
      using parity = await senderTo(channel.group);
      const source = new DatagramSource({ carrier: "rtp", streamId: channel.streamId, firstSequence: 65_000 });
      const group = (lost: readonly number[]) => {
        const packets = Array.from({ length: k }, () => source.next()[0]!);
        for (const [place, packet] of packets.entries()) if (!lost.includes(place)) channel.sender.sendRaw(packet);
        for (const datagram of parityOf("integer", packets, m)) (isMixed ? channel.sender : parity).sendRaw(datagram);
      };
      const target = isMixed ? channel.path : `${channel.path}?fec=${parity.port}`;
      const before = sluice.log.length;
      const feeding = setInterval(() => group([]), 10);
      using viewer = await Viewer.open(sluice, channel, { target });
      // What comes before the first parity cannot be repaired.
      await sluice.waitForLog(/FEC active/, { since: before }).finally(() => clearInterval(feeding));
      await until(() => viewer.verifier.last === source.counter - 1, WAIT_MS, "all of the beginning");
      for (let i = 0; i < 10; i++) {
        group([i, 19 - i]);
        group([0]);
        group([]);
        await until(() => viewer.verifier.last === source.counter - 1, WAIT_MS, "the last TS packet");
      }
      expect(viewer.verifier.counts).toMatchObject(CLEAN);
    }
  });
});
