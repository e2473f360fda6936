import { afterEach, describe, expect, test } from "bun:test";
import { USUAL_TICK_MS } from "../../../src/relay/tick.ts";
import type { StreamState, UpstreamParent } from "../../../src/relay/upstream.ts";
import type { ReceiverKind } from "../../../src/system/datagram-receiver.ts";
import { NoDataError, SilentError } from "../../../src/upstream/multicast/errors.ts";
import { MulticastSession } from "../../../src/upstream/multicast/session.ts";
import type { MulticastOptions, MulticastTarget } from "../../../src/upstream/multicast/target.ts";
import { Depacketizer } from "../../../src/upstream/rtp/depacketizer.ts";
import { parseIpAddress } from "../../../src/wire/ip/address.ts";
import { CLIENT_STATE } from "../../../src/wire/status/client-state.ts";
import { freeUdpPort, uniqueGroup } from "../../fakes/free-port.ts";
import { MulticastSender } from "../../fakes/multicast-sender.ts";
import { memberCount, openSockets } from "../../fakes/namespace.ts";
import { recordingLog } from "../../fakes/recording-log.ts";
import { type DatagramOptions, rtpPacket } from "../../fakes/ts-datagrams.ts";
import { TsVerifier } from "../../fakes/ts-verifier.ts";
import { until } from "../../fakes/until.ts";
import { FAKE_ABOUT } from "../../fakes/upstream.ts";

const WAIT_MS = 3000;
const STREAM_ID = 7;
/** As many as the reorder stage collects before it delivers. */
const SOME = 8;
const TS_PACKETS = 7;
const DATAGRAM_BYTES = TS_PACKETS * 188;
/** Where the clock of every test begins. */
const START = 1_000_000;
const OPTIONS: MulticastOptions = { receiveBufferBytes: 1024 * 1024, rejoinIntervalS: 0, gapTimeoutS: 5 };
const ADVICE = "check IGMP snooping and querier on the switch, the firewall";

const releases: (() => void)[] = [];
afterEach(() => {
  for (const release of releases.splice(0)) release();
});

/** A session, its clock, and a parent that closes it when it has ended, as a stream does. */
class Run implements UpstreamParent {
  readonly target: MulticastTarget;
  readonly log = recordingLog();
  readonly session: MulticastSession;
  readonly verifier = new TsVerifier(STREAM_ID);
  readonly states: StreamState[] = [];
  readonly causes: (Error | undefined)[] = [];
  now = START;
  bytes = 0;
  onMedia: (() => void) | undefined;

  constructor(target: Partial<MulticastTarget> & { port: number }, options: Partial<MulticastOptions> = {}) {
    const group = target.group ?? parseIpAddress(uniqueGroup())!;
    this.target = { name: "rtp://test", group, interfaceName: "lo", about: FAKE_ABOUT, ...target };
    this.session = new MulticastSession(
      this,
      this.target,
      { ...OPTIONS, ...options },
      this.log,
      this.now,
      new Depacketizer(this),
    );
    releases.push(() => this.session.close());
  }

  append({ bytes }: { bytes: Uint8Array }, offset: number, length: number): void {
    this.bytes += length;
    this.verifier.push(bytes.slice(offset, offset + length));
    this.onMedia?.();
  }

  markRandomAccess(): void {}

  entered(state: StreamState): void {
    this.states.push(state);
  }

  ended(cause: Error | undefined): void {
    this.causes.push(cause);
    this.session.close();
  }

  /** What is a byte stream's. */
  readonly room = 0;

  fill(): never {
    throw new Error("units are not read into the ring");
  }

  retain(): void {}

  cannotPause(): void {
    throw new Error("nobody has thought that it can");
  }

  wake(): void {
    throw new Error("a group is read on ticks alone");
  }

  opened(): void {
    throw new Error("media says so by itself");
  }

  /** Ticks each 100 ms until `ms` have passed. */
  pass(ms: number): void {
    const end = this.now + ms;
    while (this.now < end) {
      this.now = Math.min(end, this.now + 100);
      this.session.tick(this.now);
    }
  }

  /** Ticks with a clock that stands still until so many more datagrams have been handed on. */
  async media(datagrams: number): Promise<void> {
    const bytes = this.bytes + datagrams * DATAGRAM_BYTES;
    const arrived = () => {
      this.session.tick(this.now);
      return this.bytes >= bytes;
    };
    await until(arrived, WAIT_MS, `${datagrams} datagrams`);
  }

  get isMember(): boolean {
    return memberCount(this.target.group) > 0;
  }
}

async function start(options: Partial<MulticastOptions> = {}, target: Partial<MulticastTarget> = {}): Promise<Run> {
  const run = new Run({ port: await freeUdpPort(), ...target }, options);
  await until(() => run.isMember, WAIT_MS, "the membership");
  return run;
}

async function senderFor(run: Run, options: Partial<DatagramOptions> = {}): Promise<MulticastSender> {
  const group = run.target.group.bytes.join(".");
  const { port } = run.target;
  const sender = await MulticastSender.open({ carrier: "rtp", streamId: STREAM_ID, ...options, group, port });
  releases.push(() => sender.close());
  return sender;
}

/** A session through which media flow. */
async function startFlowing(options: Partial<MulticastOptions> = {}, datagrams: Partial<DatagramOptions> = {}) {
  const run = await start(options);
  const sender = await senderFor(run, datagrams);
  sender.send(SOME);
  await run.media(SOME);
  return { run, sender };
}

describe.each<ReceiverKind>(["batched", "evented"])("with the %s receiver, a session", (receiver) => {
  test.each(["rtp", "udp"] as const)("hands on media (%s)", async (carrier) => {
    const { run, sender } = await startFlowing({ receiver }, { carrier });
    sender.send(50);
    await run.media(50);
    expect(run.verifier.clean).toBe(true);
    expect(run.verifier.packets).toBe((SOME + 50) * TS_PACKETS);
    expect(run.session.info.metadata).toEqual([
      ["R2H-Upstream-Protocol", "multicast"],
      ["R2H-Upstream-Payload", carrier === "rtp" ? "mp2t-rtp" : "mp2t-direct"],
    ]);
    expect(run.states).toEqual([CLIENT_STATE.multicastActive]);
    expect(run.log.lines).toEqual([`INFO Joined rtp://test on interface lo (${receiver} receiver)`]);
  });

  test("that is closed has released everything, and does nothing any more", async () => {
    const before = openSockets();
    const { run, sender } = await startFlowing({ receiver });
    sender.close();
    run.session.close();
    run.session.close();
    await until(() => openSockets(before).length === 0, WAIT_MS, "the socket to be closed");
    expect(run.isMember).toBe(false);
    run.pass(20_000);
    expect(openSockets(before)).toEqual([]);
    expect(run.causes).toEqual([]);
    expect(run.log.lines.slice(1)).toEqual(["INFO Left rtp://test"]);
  });

  test("ends when nothing has come for 3 s, and releases everything", async () => {
    const before = openSockets();
    const run = await start({ receiver });
    run.pass(2900);
    expect(run.causes).toEqual([]);
    run.pass(20_000);
    expect(run.causes).toEqual([expect.any(NoDataError)]);
    expect(run.log.trouble).toEqual([`ERROR rtp://test: no media within 3 s of joining; ${ADVICE} on interface lo`]);
    await until(() => openSockets(before).length === 0, WAIT_MS, "the socket to be closed");
    expect(run.isMember).toBe(false);
  });

  test("that falls silent is given up after the gap timeout, and releases everything", async () => {
    const before = openSockets();
    const { run, sender } = await startFlowing({ receiver });
    sender.close();
    run.pass(4900);
    expect(run.causes).toEqual([]);
    expect(run.log.trouble).toEqual([]);
    run.pass(20_000);
    expect(run.causes).toEqual([expect.any(SilentError)]);
    expect(run.log.trouble).toEqual([
      `ERROR rtp://test has been silent for 5 s, given up after 4 rejoins; ${ADVICE} on interface lo`,
    ]);
    await until(() => openSockets(before).length === 0, WAIT_MS, "the socket to be closed");
    expect(run.isMember).toBe(false);
  });

  test("that comes back after a silence says so once", async () => {
    const { run, sender } = await startFlowing({ receiver });
    for (const [passMs, seconds, rejoins] of [
      [2500, "2.5", 2],
      [700, "1.2", 1],
    ] as const) {
      const lines = run.log.trouble.length;
      run.pass(passMs);
      await until(() => run.isMember, WAIT_MS, "the membership");
      sender.send(SOME);
      await run.media(SOME);
      run.pass(500);
      expect(run.log.trouble.slice(lines)).toEqual([
        `WARN rtp://test was silent for ${seconds} s and is back after ${rejoins} rejoins; ${ADVICE} on interface lo`,
      ]);
    }
    expect(run.causes).toEqual([]);
    expect(run.verifier.clean).toBe(true);
  });

  test("lets an exception of whoever takes the media pass, and takes it for nothing else", async () => {
    const run = await start({ receiver });
    const sender = await senderFor(run);
    const failure = new Error("no room in the ring");
    run.onMedia = () => {
      throw failure;
    };
    sender.send(SOME);
    let thrown: unknown;
    const hasThrown = () => {
      try {
        run.session.tick(run.now);
      } catch (error) {
        thrown = error;
      }
      return thrown !== undefined || run.causes.length > 0;
    };
    await until(hasThrown, WAIT_MS, "the exception");
    expect(thrown).toBe(failure);
    expect(run.causes).toEqual([]);
    expect(run.log.trouble).toEqual([]);

    run.onMedia = undefined;
    sender.send(2 * SOME);
    await run.media(SOME);
    expect(run.isMember).toBe(true);
  });
});

describe("a session", () => {
  test("is polled every 5 ms for 300 ms after joining, and no longer when media have come", async () => {
    const run = await start();
    expect(run.session.tickMs).toBe(5);
    run.session.tick(START + 299);
    expect(run.session.tickMs).toBe(5);
    run.session.tick(START + 300);
    expect(run.session.tickMs).toBe(USUAL_TICK_MS);

    const { run: flowing } = await startFlowing();
    expect(flowing.now).toBe(START);
    expect(flowing.session.tickMs).toBe(USUAL_TICK_MS);
  });

  test("takes strays for silence", async () => {
    const run = await start();
    const sender = await senderFor(run);
    for (let second = 0; second < 3; second++) {
      sender.sendRaw(Buffer.from("a stray"));
      const arrived = () => {
        run.session.tick(run.now);
        return run.session.input.strays > second;
      };
      await until(arrived, WAIT_MS, "the stray");
      run.pass(1000);
    }
    expect(run.causes).toEqual([expect.any(NoDataError)]);
  });

  test("counts as media what the reorder stage hands on later", async () => {
    const run = await start();
    const sender = await senderFor(run);
    sender.send(1);
    const arrived = () => {
      run.session.tick(run.now);
      return run.session.input.reorder.flushInMs !== undefined;
    };
    await until(arrived, WAIT_MS, "the packet");
    expect(run.bytes).toBe(0);
    run.pass(4000);
    expect(run.bytes).toBe(DATAGRAM_BYTES);
    expect(run.causes).toEqual([]);
  });

  test("may be closed by a parent that takes media", async () => {
    const before = openSockets();
    const run = await start();
    const sender = await senderFor(run);
    run.onMedia = () => run.session.close();
    sender.send(SOME);
    await run.media(1);
    sender.close();
    run.pass(20_000);
    await until(() => openSockets(before).length === 0, WAIT_MS, "the sockets to be closed");
    expect(run.log.lines.slice(1)).toEqual(["INFO Left rtp://test"]);
  });

  test("reports loss at most once a second, and all of it", async () => {
    // One of forty is lost. The reorder window is shorter, so each time the rest is handed on.
    const { run, sender } = await startFlowing({}, { fault: (i) => (i % 40 === SOME && i < 240 ? "drop" : undefined) });
    for (let i = 0; i < 9; i++) {
      sender.send(40);
      await run.media(i < 6 ? 39 : 40);
      run.pass(250);
    }
    expect(run.log.trouble).toEqual([
      "WARN rtp://test: 4 RTP packets lost on the way to us",
      "WARN rtp://test: 2 RTP packets lost on the way to us",
    ]);
  });

  test("reports strays, malformed and parity packets once a second, and the last of them when it is closed", async () => {
    const { run, sender } = await startFlowing();
    const drop = async (what: "strays" | "malformed" | "parity", datagram: Uint8Array, times: number) => {
      const total = run.session.input[what] + times;
      for (let i = 0; i < times; i++) sender.sendRaw(Buffer.from(datagram));
      const arrived = () => {
        run.session.tick(run.now);
        return run.session.input[what] >= total;
      };
      await until(arrived, WAIT_MS, what);
    };
    await drop("strays", Buffer.from("a stray"), 3);
    await drop("malformed", rtpPacket(new Uint8Array(0), 1, 0), 2);
    await drop("parity", rtpPacket(new Uint8Array(300), 1, 0, { payloadType: 127 }), 4);
    run.pass(900);
    expect(run.log.lines.slice(1)).toEqual([]);
    run.pass(100);
    expect(run.log.lines.slice(1)).toEqual([
      "WARN rtp://test: 3 datagrams that are not of this stream were dropped; another program may send to this address",
      "WARN rtp://test: 2 RTP packets that are malformed were dropped; the sender is faulty or the network damages packets",
      "WARN rtp://test: FEC of an unknown kind or damaged; what it protects may not be repaired",
    ]);
    await drop("strays", Buffer.from("a stray"), 1);
    run.session.close();
    expect(run.log.lines.slice(4)).toEqual([
      "WARN rtp://test: 1 datagram that is not of this stream was dropped; another program may send to this address",
      "INFO Left rtp://test",
    ]);
  });
});
