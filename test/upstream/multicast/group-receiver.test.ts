import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { constants } from "node:os";
import type { ReceiverKind } from "../../../src/system/datagram-receiver.ts";
import { interfaceIndex } from "../../../src/system/interfaces.ts";
import type { Memory } from "../../../src/system/memory.ts";
import { SystemCallError } from "../../../src/system/socket.ts";
import type { DatagramSink } from "../../../src/system/udp-socket.ts";
import { InterfaceMissingError, JoinFailedError, SilentError } from "../../../src/upstream/multicast/errors.ts";
import { GroupReceiver, type GroupReceiverParent } from "../../../src/upstream/multicast/group-receiver.ts";
import type { MulticastOptions, MulticastTarget } from "../../../src/upstream/multicast/target.ts";
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
import { recordingLog } from "../../fakes/recording-log.ts";
import { DatagramSource } from "../../fakes/ts-datagrams.ts";
import { until } from "../../fakes/until.ts";
import { FAKE_ABOUT } from "../../fakes/upstream.ts";

const WAIT_MS = 3000;
const STREAM_ID = 7;
const MEDIA_BYTES = 7 * 188;
/** Where the clock of every test begins. */
const START = 1_000_000;
const OPTIONS: MulticastOptions = { receiveBufferBytes: 1024 * 1024, rejoinIntervalS: 0, gapTimeoutS: 5 };
const ADVICE = "check IGMP snooping and querier on the switch, the firewall";

const releases: (() => void)[] = [];
afterEach(() => {
  for (const release of releases.splice(0)) release();
});

/** A receiver, its clock, and a parent that takes every long datagram for media and closes the receiver when it has failed. */
class Run implements GroupReceiverParent, DatagramSink {
  readonly target: MulticastTarget;
  readonly log = recordingLog();
  readonly receiver: GroupReceiver;
  readonly causes: Error[] = [];
  silences = 0;
  onSilence: (() => void) | undefined;
  now = START;
  datagrams = 0;

  constructor(target: Partial<MulticastTarget> & { port: number }, options: Partial<MulticastOptions> = {}) {
    const group = target.group ?? parseIpAddress(uniqueGroup())!;
    this.target = { name: "rtp://test", group, interfaceName: "lo", about: FAKE_ABOUT, ...target };
    this.receiver = new GroupReceiver(this, this.target, { ...OPTIONS, ...options }, this.log, this.now);
    releases.push(() => this.receiver.close());
  }

  datagram(_memory: Memory, _offset: number, length: number): void {
    if (length >= MEDIA_BYTES) this.datagrams++;
  }

  fellSilent(): void {
    this.silences++;
    this.onSilence?.();
  }

  failed(cause: Error): void {
    this.causes.push(cause);
    this.receiver.close();
  }

  tick(now = this.now): void {
    this.now = now;
    const before = this.datagrams;
    this.receiver.receive(this);
    this.receiver.tick(now, this.datagrams > before);
  }

  /** Ticks each 100 ms until `ms` have passed. */
  pass(ms: number): void {
    const end = this.now + ms;
    while (this.now < end) this.tick(Math.min(end, this.now + 100));
  }

  /** Ticks with a clock that stands still until so many more media datagrams have come. */
  async media(datagrams: number): Promise<void> {
    const wanted = this.datagrams + datagrams;
    const arrived = () => {
      this.tick();
      return this.datagrams >= wanted;
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

/** A receiver to which media have come. */
async function startFlowing(options: Partial<MulticastOptions> = {}) {
  const run = await start(options);
  const group = run.target.group.bytes.join(".");
  const { port } = run.target;
  const sender = await MulticastSender.open({ carrier: "rtp", streamId: STREAM_ID, group, port });
  releases.push(() => sender.close());
  sender.send(1);
  await run.media(1);
  return { run, sender };
}

describe.each<ReceiverKind>(["batched", "evented"])("with the %s socket, a group", (receiver) => {
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
      run.tick(run.now + 1500);
      run.pass(20_000);
      expect(run.causes).toEqual([expect.any(JoinFailedError)]);
      expect(run.log.trouble).toEqual([
        "ERROR Cannot join rtp://test on interface nosuch0: interface nosuch0 has no IPv4 address",
      ]);
    }
    await until(() => openSockets(before).length === 0, WAIT_MS, "the socket to be closed");
  });

  test("to an address that is no group fails", async () => {
    const port = await freeUdpPort();
    const group = parseIpAddress("10.3.4.5")!;
    expect(() => new Run({ port, group }, { receiver })).toThrow(
      new JoinFailedError("rtp://test", "lo", new Error("10.3.4.5 is no multicast group")),
    );
  });

  test("tells its parent once of each silence", async () => {
    const { run, sender } = await startFlowing({ receiver });
    run.pass(900);
    expect(run.silences).toBe(0);
    run.pass(2000);
    expect(run.silences).toBe(1);
    await until(() => run.isMember, WAIT_MS, "the membership");
    sender.send(1);
    await run.media(1);
    run.pass(1000);
    expect(run.silences).toBe(2);
    expect(run.causes).toEqual([]);
  });

  test("is not joined again when its parent closes it because of a silence", async () => {
    const before = openSockets();
    const { run, sender } = await startFlowing({ receiver });
    sender.close();
    run.onSilence = () => run.receiver.close();
    run.pass(20_000);
    expect(run.silences).toBe(1);
    expect(run.causes).toEqual([]);
    await until(() => openSockets(before).length === 0, WAIT_MS, "the sockets to be closed");
    expect(run.isMember).toBe(false);
  });
});

describe("a group", () => {
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

  test("of an IPv6 group says once that periodic rejoin is not for it", async () => {
    const run = await start({ rejoinIntervalS: 1, gapTimeoutS: 100 }, { group: parseIpAddress("ff05::5:9")! });
    run.pass(2900);
    expect(run.log.trouble).toEqual([
      "WARN rtp://test: periodic rejoin is for IPv4 only and is skipped for this group",
    ]);
  });
});

describeInNamespace(import.meta.path, "A group on an interface of its own", () => {
  const ADDRESS = "10.99.0.1";
  const STATE_CHANGES = [3, 4];

  beforeEach(() => addMedia0());
  afterEach(() => {
    if (interfaceIndex("media0") !== undefined) ip("link del media0");
  });

  function addMedia0(): Promise<void> {
    return addInterfacePair("media0", "media1", `${ADDRESS}/24`);
  }

  /** Sends on the interface, which hears it itself, until so many more datagrams have been received. */
  async function sendUntilHeard(run: Run, source: DatagramSource, datagrams: number): Promise<void> {
    const socket = await Bun.udpSocket({ hostname: ADDRESS, socket: { data() {}, error() {} } });
    try {
      socket.setMulticastInterface(ADDRESS);
      const wanted = run.datagrams + datagrams;
      const heard = () => {
        for (const datagram of source.next()) socket.send(datagram, run.target.port, run.target.group.bytes.join("."));
        run.tick();
        return run.datagrams >= wanted;
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
      await sendUntilHeard(run, source, 1);
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
  });

  test("without the privilege leaves and joins instead, and says so once", async () => {
    const capture = captureReports();
    const run = await start({ rejoinIntervalS: 1 }, { interfaceName: "media0" });
    const source = new DatagramSource({ carrier: "rtp", streamId: STREAM_ID });
    // The kernel tells of the first join twice (RFC 3376 section 8.1).
    await capture.take(2, ({ message }) => isReport(message, [4], run));
    const sockets = openSockets();
    for (let half = 1; half <= 4; half++) {
      await sendUntilHeard(run, source, 1);
      withoutRawSockets(() => run.pass(500));
      if (half % 2 === 0) await capture.take(2, ({ message }) => isReport(message, [4], run));
    }
    await sendUntilHeard(run, source, 1);
    expect(openSockets(sockets)).toEqual([]);
    expect(run.isMember).toBe(true);
    expect(run.log.trouble).toEqual([
      "WARN rtp://test: cannot send IGMP reports (socket: operation not permitted); leaving and joining instead",
    ]);
  });

  describe.each<ReceiverKind>(["batched", "evented"])("with the %s receiver", (receiver) => {
    test("finds an interface again that vanished and came back", async () => {
      const run = await start({ receiver }, { interfaceName: "media0" });
      const source = new DatagramSource({ carrier: "rtp", streamId: STREAM_ID });
      await sendUntilHeard(run, source, 1);
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
      await sendUntilHeard(run, source, 1);
      expect(run.causes).toEqual([]);
      expect(run.log.trouble).toEqual([
        `WARN rtp://test was silent for 4.0 s and is back after 4 rejoins; ${ADVICE} on interface media0`,
      ]);
    });

    test("is given up when the interface does not come back", async () => {
      const before = openSockets();
      const run = await start({ receiver, rejoinIntervalS: 1 }, { interfaceName: "media0" });
      await sendUntilHeard(run, new DatagramSource({ carrier: "rtp", streamId: STREAM_ID }), 1);
      ip("link del media0");
      // Reports are due before the silence is noticed.
      run.tick(run.now + 999);
      for (let second = 0; second < 5; second++) {
        run.pass(1000);
        await Bun.sleep(0);
      }
      expect(run.causes).toEqual([expect.any(SilentError)]);
      expect(run.log.trouble.filter((line) => line.startsWith("ERROR"))).toHaveLength(1);
      await until(() => openSockets(before).length === 0, WAIT_MS, "the sockets to be closed");
    });
  });
});

test.each([
  ["ENODEV", undefined, /^Cannot join rtp:\/\/test: no route leads to it; name its interface with .* there .*\blo\b/],
  ["ENETUNREACH", undefined, /: no route leads to it; /],
  [
    "ENODEV",
    "gone0",
    /^Cannot join rtp:\/\/test on interface gone0: the interface cannot be used \(now\); there .*\blo\b/,
  ],
  ["ENOBUFS", "lo", /^Cannot join rtp:\/\/test on interface lo: no buffer space .*igmp_max_memberships/],
  ["EADDRINUSE", undefined, /: address already in use \(stop the program that has it/],
] as const)("a join that fails with %s on %p is told in words", (name, interfaceName, words) => {
  const { message } = new JoinFailedError(
    "rtp://test",
    interfaceName,
    new SystemCallError("join", constants.errno[name]),
  );
  expect(message).toMatch(words);
  expect(message).not.toContain(name);
});
