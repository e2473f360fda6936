import { expect, test } from "bun:test";
import { LOG_INFO } from "../../../src/system/log.ts";
import { allocate } from "../../../src/system/memory.ts";
import { Depacketizer } from "../../../src/upstream/rtp/depacketizer.ts";
import { LossReport } from "../../../src/upstream/rtp/loss-report.ts";
import { type RecordingLog, recordingLog } from "../../fakes/recording-log.ts";
import { rtpPacket } from "../../fakes/ts-datagrams.ts";
import { tsPackets } from "../../fakes/ts-packets.ts";

const MEDIA = tsPackets({ streamId: 7 }, 0, 7);
const STRAY = Uint8Array.of(1, 2, 3);
const MALFORMED = rtpPacket(new Uint8Array(0), 1, 0);
/** An empty receiver report (RFC 3550 section 6.4.2). */
const RTCP = Uint8Array.of(0x80, 201, 0, 1, 0x53, 0x4c, 0x43, 0x46, 0x80, 203, 0, 0);
const PARITY = rtpPacket(new Uint8Array(300), 1, 0, { payloadType: 127 });

/** A report of what a depacketizer is given here. */
class Harness {
  readonly log: RecordingLog = recordingLog();
  readonly input: Depacketizer;
  readonly #report = new LossReport("rtp://test", this.log);
  readonly #memory = allocate(2048);

  constructor() {
    this.input = new Depacketizer({ append() {}, markRandomAccess() {} });
  }

  send(datagram: Uint8Array, times = 1): this {
    for (let i = 0; i < times; i++) {
      this.#memory.bytes.set(datagram);
      this.input.datagram(this.#memory, 0, datagram.length);
    }
    return this;
  }

  media(from: number, to: number): this {
    for (let i = from; i < to; i++) this.send(rtpPacket(MEDIA, i, 0));
    return this;
  }

  /** The lines of this second. */
  second(): string[] {
    this.log.lines.length = 0;
    this.#report.report(this.input);
    return this.log.lines;
  }
}

test("nothing is told while nothing is lost", () => {
  const harness = new Harness().media(0, 100);
  expect(harness.second()).toEqual([]);
  expect(harness.second()).toEqual([]);
});

test("each second tells how much was lost in it, and nothing twice", () => {
  const harness = new Harness().media(0, 10).media(13, 60);
  expect(harness.second()).toEqual(["WARN rtp://test: 3 RTP packets lost on the way to us"]);
  expect(harness.second()).toEqual([]);
  harness.media(61, 120);
  expect(harness.second()).toEqual(["WARN rtp://test: 1 RTP packets lost on the way to us"]);
});

test("strays and malformed packets are told with what they may mean", () => {
  const harness = new Harness().send(STRAY, 23).send(MALFORMED, 2);
  expect(harness.second()).toEqual([
    "WARN rtp://test: 23 datagrams that are not of this stream were dropped; another program may send to this address",
    "WARN rtp://test: 2 RTP packets that are malformed were dropped; the sender is faulty or the network damages packets",
  ]);
  harness.send(STRAY).send(MALFORMED);
  expect(harness.second()).toEqual([
    "WARN rtp://test: 1 datagram that is not of this stream was dropped; another program may send to this address",
    "WARN rtp://test: 1 RTP packet that is malformed was dropped; the sender is faulty or the network damages packets",
  ]);
});

test("what is dropped without harm is told to those who look closely", () => {
  const harness = new Harness().media(0, 60);
  const media = (sequence: number) => rtpPacket(MEDIA, sequence, 0);
  harness.send(media(62)).send(media(62)).send(media(59)).send(media(30)).send(RTCP, 4);
  expect(harness.second()).toEqual([
    "DEBUG rtp://test: 3 RTP packets dropped that came twice or too late",
    "DEBUG rtp://test: 4 RTCP packets dropped, which are no media",
  ]);
  expect(harness.second()).toEqual([]);
  harness.send(media(3)).send(RTCP);
  expect(harness.second()).toEqual([
    "DEBUG rtp://test: 1 RTP packet dropped that came twice or too late",
    "DEBUG rtp://test: 1 RTCP packet dropped, which is no media",
  ]);
});

test("a source that restarts is told", () => {
  const harness = new Harness().media(30_000, 30_040);
  harness.input.reorder.tick(1000);
  harness.media(100, 200);
  expect(harness.second()).toEqual([
    "WARN rtp://test: the source has restarted, or another has taken its place, and was followed; the picture may jump",
    "DEBUG rtp://test: 64 RTP packets dropped that came twice or too late",
  ]);
});

test("parity that cannot be understood is told once", () => {
  const harness = new Harness();
  harness.log.level = LOG_INFO;
  harness.send(PARITY, 5);
  expect(harness.second()).toEqual([
    "WARN rtp://test: FEC of an unknown kind or damaged; what it protects may not be repaired",
  ]);
  harness.send(PARITY, 6);
  expect(harness.second()).toEqual([]);
});

test("a stream of neither RTP nor MPEG-TS is named once", () => {
  const harness = new Harness().send(new Uint8Array(400).fill(9), 40);
  expect(harness.second()).toContain(
    "WARN rtp://test: neither RTP nor MPEG-TS; it is passed on as it comes, which few players can use",
  );
  harness.send(new Uint8Array(400).fill(9), 40);
  expect(harness.second()).toEqual([]);
});
