import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { UpstreamParent } from "../../../src/relay/stream.ts";
import { USUAL_TICK_MS } from "../../../src/relay/tick.ts";
import type { ReceiverKind } from "../../../src/system/datagram-receiver.ts";
import { interfaceIndex } from "../../../src/system/interfaces.ts";
import { LOG_DEBUG, type Log, type LogLevel } from "../../../src/system/log.ts";
import {
  InterfaceMissingError,
  JoinFailedError,
  NoDataError,
  SilentError,
} from "../../../src/upstream/multicast/errors.ts";
import {
  type MulticastOptions,
  MulticastSession,
  type MulticastTarget,
} from "../../../src/upstream/multicast/session.ts";
import { parseIpAddress } from "../../../src/wire/ip/address.ts";
import { freeUdpPort, uniqueGroup } from "../../fakes/free-port.ts";
import { MulticastSender } from "../../fakes/multicast-sender.ts";
import {
  addInterfacePair,
  describeInNamespace,
  IgmpCapture,
  ip,
  memberCount,
  openSockets,
  withoutRawSockets,
} from "../../fakes/namespace.ts";
import { type DatagramOptions, DatagramSource, rtpPacket } from "../../fakes/ts-datagrams.ts";
import { TsVerifier } from "../../fakes/ts-verifier.ts";
import { until } from "../../fakes/until.ts";

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

class RecordingLog implements Log {
  level: LogLevel = LOG_DEBUG;
  readonly lines: string[] = [];
  fatal = (message: string) => this.#keep("fatal", message);
  error = (message: string) => this.#keep("error", message);
  warn = (message: string) => this.#keep("warn", message);
  info = (message: string) => this.#keep("info", message);
  debug = (message: string) => this.#keep("debug", message);

  #keep(level: string, message: string): void {
    this.lines.push(`${level} ${message}`);
  }

  /** Warnings and worse. */
  get trouble(): string[] {
    return this.lines.filter((line) => /^(fatal|error|warn)/.test(line));
  }
}

/** A session, its clock, and a parent that closes it when it has ended, as a stream does. */
class Run implements UpstreamParent {
  readonly target: MulticastTarget;
  readonly log = new RecordingLog();
  readonly session: MulticastSession;
  readonly verifier = new TsVerifier(STREAM_ID);
  readonly causes: (Error | undefined)[] = [];
  now = START;
  bytes = 0;
  onMedia: (() => void) | undefined;

  constructor(target: Partial<MulticastTarget> & { port: number }, options: Partial<MulticastOptions> = {}) {
    const group = target.group ?? parseIpAddress(uniqueGroup())!;
    this.target = { name: "rtp://test", group, interfaceName: "lo", ...target };
    this.session = new MulticastSession(this, this.target, { ...OPTIONS, ...options }, this.log, this.now);
    releases.push(() => this.session.close());
  }

  append({ bytes }: { bytes: Uint8Array }, offset: number, length: number): void {
    this.bytes += length;
    this.verifier.push(bytes.slice(offset, offset + length));
    this.onMedia?.();
  }

  markRandomAccess(): void {}

  ended(cause: Error | undefined): void {
    this.causes.push(cause);
    this.session.close();
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
    expect(run.session.info).toEqual({
      protocol: "multicast",
      payload: carrier === "rtp" ? "mp2t-rtp" : "mp2t-direct",
    });
    expect(run.log.lines).toEqual([`info Joined rtp://test on interface lo (${receiver} receiver)`]);
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
    expect(run.log.lines.slice(1)).toEqual(["info Left rtp://test"]);
  });

  test("ends when nothing has come for 3 s, and releases everything", async () => {
    const before = openSockets();
    const run = await start({ receiver });
    run.pass(2900);
    expect(run.causes).toEqual([]);
    run.pass(20_000);
    expect(run.causes).toEqual([expect.any(NoDataError)]);
    expect(run.log.trouble).toEqual([`error rtp://test: no media within 3 s of joining; ${ADVICE} on interface lo`]);
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
      `error rtp://test has been silent for 5 s, given up after 4 rejoins; ${ADVICE} on interface lo`,
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
        `warn rtp://test was silent for ${seconds} s and is back after ${rejoins} rejoins; ${ADVICE} on interface lo`,
      ]);
    }
    expect(run.causes).toEqual([]);
    expect(run.verifier.clean).toBe(true);
  });

  test("to an interface that does not exist fails, and leaves nothing", async () => {
    const before = openSockets();
    const port = await freeUdpPort();
    if (receiver === "batched") {
      expect(() => new Run({ port, interfaceName: "nosuch0" }, { receiver })).toThrow(InterfaceMissingError);
    } else {
      const run = new Run({ port, interfaceName: "nosuch0" }, { receiver });
      // The socket is there, and is closed when the join has failed.
      expect(openSockets(before)).toHaveLength(1);
      await until(() => openSockets(before).length === 0, WAIT_MS, "the failure");
      // A late first tick: what has failed and what is silent coincide.
      run.session.tick(run.now + 1500);
      run.pass(20_000);
      expect(run.causes).toEqual([expect.any(JoinFailedError)]);
      expect(run.log.trouble).toEqual([
        "error Cannot join rtp://test on interface nosuch0: interface nosuch0 has no IPv4 address",
      ]);
    }
    await until(() => openSockets(before).length === 0, WAIT_MS, "the socket to be closed");
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

  test("to an address that is no group fails", async () => {
    const port = await freeUdpPort();
    const group = parseIpAddress("10.3.4.5")!;
    expect(() => new Run({ port, group }, { receiver })).toThrow(
      new JoinFailedError("rtp://test on interface lo", new Error("10.3.4.5 is no multicast group")),
    );
  });
});

describe("a session", () => {
  test("is read eagerly for 300 ms after joining, and no longer when media have come", async () => {
    const run = await start();
    expect(run.session.tickMs).toBe(2);
    run.session.tick(START + 299);
    expect(run.session.tickMs).toBe(2);
    run.session.tick(START + 300);
    expect(run.session.tickMs).toBe(USUAL_TICK_MS);

    const { run: flowing } = await startFlowing();
    expect(flowing.now).toBe(START);
    expect(flowing.session.tickMs).toBe(USUAL_TICK_MS);
  });

  /** Lets `ms` pass and tells when the session opened another socket, in ms from `START`. */
  function rejoins(run: Run, ms: number): number[] {
    const at: number[] = [];
    let sockets = openSockets();
    for (const end = run.now + ms; run.now < end; ) {
      run.pass(100);
      const opened = openSockets(sockets);
      if (opened.length > 0) at.push(run.now - START);
      sockets = [...sockets, ...opened];
      expect(opened.length).toBeLessThanOrEqual(1);
      expect(memberCount(run.target.group)).toBe(1);
    }
    return at;
  }

  test("that waits, or is silent, joins anew with another socket each second", async () => {
    expect(rejoins(await start(), 2900)).toEqual([1000, 2000]);
    const { run } = await startFlowing();
    expect(rejoins(run, 4900)).toEqual([1000, 2000, 3000, 4000]);
  });

  test("that falls silent joins anew after 1 s, also when it has just sent reports", async () => {
    const { run, sender } = await startFlowing({ rejoinIntervalS: 1 });
    run.pass(600);
    sender.send(1);
    await run.media(1);
    expect(rejoins(run, 2100)).toEqual([1600, 2600]);
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
    expect(run.log.lines.slice(1)).toEqual(["info Left rtp://test"]);
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
      "warn rtp://test: 4 RTP packets lost on the way to us",
      "warn rtp://test: 2 RTP packets lost on the way to us",
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
      "warn rtp://test: 3 datagrams that are neither RTP nor MPEG-TS were dropped; another program may send to this address",
      "warn rtp://test: 2 RTP packets that are malformed were dropped; the sender is faulty or the network damages packets",
      "info rtp://test: 4 parity packets (FEC) dropped; lost packets are not repaired",
    ]);
    await drop("strays", Buffer.from("a stray"), 1);
    run.session.close();
    expect(run.log.lines.slice(4)).toEqual([
      "warn rtp://test: 1 datagram that is neither RTP nor MPEG-TS was dropped; another program may send to this address",
      "info Left rtp://test",
    ]);
  });

  test("of an IPv6 group says once that periodic rejoin is not for it", async () => {
    const run = await start({ rejoinIntervalS: 1, gapTimeoutS: 100 }, { group: parseIpAddress("ff05::5:9")! });
    run.pass(2900);
    expect(run.log.trouble).toEqual([
      "warn rtp://test: periodic rejoin is for IPv4 only and is skipped for this group",
    ]);
  });
});

describeInNamespace(import.meta.path, "A session on an interface of its own", () => {
  const ADDRESS = "10.99.0.1";
  const STATE_CHANGES = [3, 4];

  beforeEach(() => addMedia0());
  afterEach(() => {
    if (interfaceIndex("media0") !== undefined) ip("link del media0");
  });

  function addMedia0(): Promise<void> {
    return addInterfacePair("media0", "media1", `${ADDRESS}/24`);
  }

  /** Sends on the interface, which hears it itself, until so many more datagrams have been handed on. */
  async function sendUntilHeard(run: Run, source: DatagramSource, datagrams: number): Promise<void> {
    const socket = await Bun.udpSocket({ hostname: ADDRESS, socket: { data() {}, error() {} } });
    try {
      socket.setMulticastInterface(ADDRESS);
      const bytes = run.bytes + datagrams * DATAGRAM_BYTES;
      const heard = () => {
        for (const datagram of source.next()) socket.send(datagram, run.target.port, run.target.group.bytes.join("."));
        run.session.tick(run.now);
        return run.bytes >= bytes;
      };
      await until(heard, WAIT_MS, `${datagrams} datagrams`);
    } finally {
      socket.close();
    }
  }

  function captureReports(): IgmpCapture {
    const capture = new IgmpCapture(interfaceIndex("media1")!);
    releases.push(() => capture.close());
    return capture;
  }

  /** Whether it is a version 3 report of this type about the group. */
  function isReport(message: Uint8Array, types: readonly number[], run: Run): boolean {
    return (
      message[0] === 0x22 &&
      types.includes(message[8]!) &&
      message.slice(12, 16).join() === run.target.group.bytes.join()
    );
  }

  test("sends reports at the interval and stays a member", async () => {
    const capture = captureReports();
    const run = await start({ rejoinIntervalS: 2 }, { interfaceName: "media0" });
    const source = new DatagramSource({ carrier: "rtp", streamId: STREAM_ID });
    const seen: [ms: number, version: number][] = [];
    for (let half = 0; half < 9; half++) {
      await sendUntilHeard(run, source, SOME);
      run.pass(500);
      for (const { message } of capture.rest()) {
        // The kernel's own reports are of changes; ours say how things are.
        if (message[0] === 0x16 || !STATE_CHANGES.includes(message[8]!)) {
          seen.push([run.now - START, message[0] === 0x16 ? 2 : 3]);
        } else expect(message[8]).toBe(4);
      }
    }
    expect(seen).toEqual([
      [2000, 3],
      [2000, 2],
      [4000, 3],
      [4000, 2],
    ]);
    expect(run.log.trouble).toEqual([]);
    expect(run.verifier.clean).toBe(true);
  });

  test("without the privilege leaves and joins instead, and says so once", async () => {
    const capture = captureReports();
    const run = await start({ rejoinIntervalS: 1 }, { interfaceName: "media0" });
    const source = new DatagramSource({ carrier: "rtp", streamId: STREAM_ID });
    // The kernel tells of the first join twice (RFC 3376 section 8.1).
    await capture.take(2, ({ message }) => isReport(message, [4], run));
    const sockets = openSockets();
    for (let half = 1; half <= 4; half++) {
      await sendUntilHeard(run, source, SOME);
      withoutRawSockets(() => run.pass(500));
      if (half % 2 === 0) await capture.take(2, ({ message }) => isReport(message, [4], run));
    }
    await sendUntilHeard(run, source, SOME);
    expect(openSockets(sockets)).toEqual([]);
    expect(run.isMember).toBe(true);
    expect(run.log.trouble).toEqual([
      "warn rtp://test: cannot send IGMP reports (socket: EPERM (operation not permitted)); leaving and joining instead",
    ]);
  });

  describe.each<ReceiverKind>(["batched", "evented"])("with the %s receiver", (receiver) => {
    test("finds an interface again that vanished and came back", async () => {
      const run = await start({ receiver }, { interfaceName: "media0" });
      const source = new DatagramSource({ carrier: "rtp", streamId: STREAM_ID });
      await sendUntilHeard(run, source, SOME);
      const firstIndex = interfaceIndex("media0");
      ip("link del media0");
      for (let second = 0; second < 3; second++) {
        run.pass(1000);
        // An evented socket fails later.
        await Bun.sleep(0);
      }
      await addMedia0();
      expect(interfaceIndex("media0")).not.toBe(firstIndex);
      run.pass(1000);
      await sendUntilHeard(run, source, SOME);
      expect(run.causes).toEqual([]);
      expect(run.log.trouble).toEqual([
        `warn rtp://test was silent for 4.0 s and is back after 4 rejoins; ${ADVICE} on interface media0`,
      ]);
    });

    test("is given up when the interface does not come back", async () => {
      const before = openSockets();
      const run = await start({ receiver, rejoinIntervalS: 1 }, { interfaceName: "media0" });
      await sendUntilHeard(run, new DatagramSource({ carrier: "rtp", streamId: STREAM_ID }), SOME);
      ip("link del media0");
      // Reports are due before the silence is noticed.
      run.session.tick(run.now + 999);
      for (let second = 0; second < 5; second++) {
        run.pass(1000);
        await Bun.sleep(0);
      }
      expect(run.causes).toEqual([expect.any(SilentError)]);
      expect(run.log.trouble.filter((line) => line.startsWith("error"))).toHaveLength(1);
      await until(() => openSockets(before).length === 0, WAIT_MS, "the sockets to be closed");
    });
  });
});
