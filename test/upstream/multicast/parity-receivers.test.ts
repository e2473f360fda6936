/** Parity on a port of its own: joined while media flows, with the same interface and source, and never in the way of a join anew. */
import { afterEach, describe, expect, test } from "bun:test";
import type { ReceiverKind } from "../../../src/system/datagram-receiver.ts";
import { MulticastSession } from "../../../src/upstream/multicast/session.ts";
import type { MulticastTarget } from "../../../src/upstream/multicast/target.ts";
import { Depacketizer } from "../../../src/upstream/rtp/depacketizer.ts";
import { parseIpAddress } from "../../../src/wire/ip/address.ts";
import { parityOf } from "../../fakes/fec-encoder.ts";
import { freeUdpPort, uniqueGroup } from "../../fakes/free-port.ts";
import { MulticastSender } from "../../fakes/multicast-sender.ts";
import { memberCount } from "../../fakes/namespace.ts";
import { recordingLog } from "../../fakes/recording-log.ts";
import { DatagramSource } from "../../fakes/ts-datagrams.ts";
import { TsVerifier } from "../../fakes/ts-verifier.ts";
import { until } from "../../fakes/until.ts";
import { FAKE_ABOUT } from "../../fakes/upstream.ts";

const WAIT_MS = 3000;
const STREAM_ID = 9;
const K = 20;
const M = 2;
const TS_PACKETS = 7;
const START = 1_000_000;
const OPTIONS = { receiveBufferBytes: 1024 * 1024, rejoinIntervalS: 0, gapTimeoutS: 5 };

const releases: (() => void)[] = [];
afterEach(() => {
  for (const release of releases.splice(0)) release();
});

/** A session, and senders of its media and its parity. */
class Run {
  readonly log = recordingLog();
  readonly verifier = new TsVerifier(STREAM_ID);
  readonly session: MulticastSession;
  readonly target: MulticastTarget;
  readonly #media: MulticastSender;
  readonly #parity: MulticastSender;
  readonly #source = new DatagramSource({ carrier: "rtp", streamId: STREAM_ID, firstSequence: 65_500 });
  now = START;

  private constructor(
    target: MulticastTarget,
    receiver: ReceiverKind,
    media: MulticastSender,
    parity: MulticastSender,
  ) {
    this.target = target;
    this.#media = media;
    this.#parity = parity;
    const parent = {
      append: ({ bytes }: { bytes: Uint8Array }, offset: number, length: number) =>
        this.verifier.push(bytes.slice(offset, offset + length)),
      markRandomAccess() {},
      entered() {},
      ended() {},
      room: 0,
      fill: () => 0,
      cannotPause() {},
      wake() {},
      opened() {},
    };
    this.session = new MulticastSession(
      parent,
      target,
      { ...OPTIONS, receiver },
      this.log,
      this.now,
      new Depacketizer(parent),
    );
    releases.push(() => this.session.close());
  }

  static async start(receiver: ReceiverKind = "batched", parityPort?: number): Promise<Run> {
    const group = uniqueGroup();
    const [port, fec] = [await freeUdpPort(), parityPort ?? (await freeUdpPort())];
    const open = async (to: number) => {
      const sender = await MulticastSender.open({ carrier: "rtp", streamId: STREAM_ID, group, port: to });
      releases.push(() => sender.close());
      return sender;
    };
    const target = {
      ...{ name: "rtp://test", group: parseIpAddress(group)!, port, parityPorts: [fec] },
      ...{ interfaceName: "lo", about: FAKE_ABOUT },
    };
    const run = new Run(target, receiver, await open(port), await open(fec));
    await until(() => run.members > 0, WAIT_MS, "the membership");
    return run;
  }

  get members(): number {
    return memberCount(this.target.group);
  }

  /** Sends a group, without the packets at these places, and its parity. */
  group(lost: readonly number[] = []): void {
    const packets = Array.from({ length: K }, () => this.#source.next()[0]!);
    for (const [place, packet] of packets.entries()) if (!lost.includes(place)) this.#media.sendRaw(packet);
    for (const parity of parityOf("alpha", packets, M)) this.#parity.sendRaw(parity);
  }

  /** Ticks until so many TS packets have come out. */
  untilPackets(count: number): Promise<void> {
    return this.until(() => this.verifier.packets >= count, `${count} TS packets`);
  }

  until(isSo: () => boolean, what: string): Promise<void> {
    const happened = () => {
      this.session.tick(this.now);
      return isSo();
    };
    return until(happened, WAIT_MS, what);
  }

  /** Ticks each 100 ms of its clock. */
  pass(ms: number): void {
    for (const end = this.now + ms; this.now < end; ) {
      this.now += 100;
      this.session.tick(this.now);
    }
  }
}

describe.each<ReceiverKind>(["batched", "evented"])("with the %s receiver", (receiver) => {
  test("what is lost comes back, and the counters tell", async () => {
    const run = await Run.start(receiver);
    run.group();
    await run.untilPackets(K * TS_PACKETS);
    // An evented socket joins a little later.
    await run.until(() => run.members >= 2, "the membership for parity");
    run.group();
    await run.until(() => run.session.input.repair?.state === "active", "parity");
    run.group([3, 9]);
    run.group([0]);
    await run.untilPackets(4 * K * TS_PACKETS);
    expect(run.verifier.clean).toBe(true);
    expect(run.session.rtp).toMatchObject({ lost: 0, repaired: 3, unrepairable: 0, refused: 0 });
    run.session.close();
    expect(run.log.lines.at(-2)).toContain("3 repaired by FEC");
    await until(() => run.members === 0, WAIT_MS, "all memberships to end");
  });
});

test("parity is not received before media flows, nor while there is silence, and again when it is over", async () => {
  const run = await Run.start();
  run.session.tick(run.now);
  expect(run.members).toBe(1);
  run.group();
  await run.untilPackets(K * TS_PACKETS);
  expect(run.members).toBe(2);
  run.pass(1500);
  expect(run.members).toBe(1);
  run.group();
  await run.untilPackets(2 * K * TS_PACKETS);
  expect(run.members).toBe(2);
});

test("a silent port changes nothing", async () => {
  const run = await Run.start();
  run.group();
  await run.untilPackets(K * TS_PACKETS);
  run.pass(1000);
  expect(run.log.lines).toHaveLength(1);
  run.session.close();
  expect(run.log.lines.at(-1)).toBe("INFO Left rtp://test");
});
