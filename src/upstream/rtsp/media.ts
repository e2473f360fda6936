/** The two ways in which media comes to us, as frames of the control connection or to UDP ports (rtsp.md sections 10.1 and 10.2). */
import type { ArrivalCounts, UpstreamParent } from "../../relay/upstream.ts";
import type { Log } from "../../system/log.ts";
import { allocate, copyBytes, type Memory } from "../../system/memory.ts";
import { SLICE_MS } from "../../system/slices.ts";
import type { UdpPair } from "../../system/udp-pair.ts";
import type { DatagramSink } from "../../system/udp-socket.ts";
import { hasBye } from "../../wire/rtp/rtcp.ts";
import { ReadBackoff } from "../read-backoff.ts";
import { ArrivalMeter } from "../rtp/arrival-meter.ts";
import { Depacketizer } from "../rtp/depacketizer.ts";
import { PollInterval } from "../rtp/poll-interval.ts";
import { MediaSender, type NamedSenders } from "./media-sender.ts";
import { READ_BYTES, type RtspConnection } from "./rtsp-connection.ts";

/** What may come before PLAY is answered; what a frame costs besides its bytes counts too. */
const MAX_EARLY_BYTES = 1024 * 1024;
const FRAME_COST_BYTES = 64;
/** Read at a time, so that one fast server does not keep other upstreams waiting. */
const TURN_BYTES = 1024 * 1024;
/** While somebody else says when there is something to do. */
const IDLE_TICK_MS = 1000;
/** When packets are held back to be put in order, we look again once that is over, and a timer may come a little early. */
const TIMER_SLACK_MS = 2;
/** How long the ports are read more often after PLAY. */
const STARTUP_MS = 300;

export interface RtspMedia {
  readonly transport: "tcp" | "udp";
  readonly input: Depacketizer;
  readonly tickMs: number;
  /** Datagrams or frames that have come, whatever they were. */
  readonly received: number;
  /** The server has said that it sends no more, and nothing has come since. */
  readonly saidGoodbye: boolean;
  /** Nothing is read now: the client is too slow. */
  readonly isPaused: boolean;
  /** Undefined where nothing comes in datagrams. */
  readonly arrival?: ArrivalCounts;
  measureArrival?(isMeasured: boolean): void;
  /** Hands over what has come. */
  tick(now: number): void;
  /** The control connection, read by hand, has something to read or is over. */
  readable(): void;
  /** Once a second. */
  housekeep(): void;
  /** Nothing more will come: hands over all that has. */
  finish(): void;
  /** Nothing more is wanted. Harmless when repeated. */
  close(): void;
}

/** Frames that came before PLAY was answered. They are media only if it is accepted. */
export class EarlyFrames implements DatagramSink {
  readonly #lengths: number[] = [];
  /** They lie one behind the other from `#start` to `#end`. Made when the first one comes. */
  #memory: Memory | undefined;
  #start = 0;
  #end = 0;

  get isEmpty(): boolean {
    return this.#lengths.length === 0;
  }

  datagram(memory: Memory, offset: number, length: number): void {
    if (length === 0) return;
    if (this.#end + length + (this.#lengths.length + 1) * FRAME_COST_BYTES > MAX_EARLY_BYTES) this.#forget();
    this.#memory ??= allocate(MAX_EARLY_BYTES);
    copyBytes(this.#memory, this.#end, memory, offset, length);
    this.#lengths.push(length);
    this.#end += length;
  }

  /** Hands over the oldest frames, about `most` bytes of them; answers how many bytes. */
  replay(into: DatagramSink, most: number): number {
    const memory = this.#memory;
    const begin = this.#start;
    let count = 0;
    while (memory && count < this.#lengths.length && this.#start - begin < most) {
      const length = this.#lengths[count++]!;
      into.datagram(memory, this.#start, length);
      this.#start += length;
    }
    this.#lengths.splice(0, count);
    const replayed = this.#start - begin;
    if (this.isEmpty) {
      this.#forget();
      this.#memory = undefined;
    }
    return replayed;
  }

  #forget(): void {
    this.#lengths.length = 0;
    this.#start = 0;
    this.#end = 0;
  }
}

/** What is used of a control connection. */
type FrameReader = Pick<
  RtspConnection,
  "media" | "frames" | "saidGoodbye" | "manual" | "read" | "waitReadable" | "window"
>;

/** Media on the control connection, which is read only as far as the clients take it. */
export class InterleavedMedia implements RtspMedia {
  readonly transport = "tcp";
  readonly input: Depacketizer;
  readonly #parent: UpstreamParent;
  readonly #connection: FrameReader;
  readonly #early: EarlyFrames;
  #state:
    | "reading"
    /** The connection tells when there is something to read. */
    | "waiting"
    /** Nothing is read: the client is too slow. */
    | "paused"
    | "over" = "reading";
  readonly #backoff = new ReadBackoff();
  /** The turn's time was over before all was read. */
  #isCutShort = false;

  /** @param early takes the connection's frames until they have been replayed */
  constructor(parent: UpstreamParent, connection: FrameReader, early: EarlyFrames) {
    this.#parent = parent;
    this.#connection = connection;
    this.#early = early;
    this.input = new Depacketizer(parent);
    connection.manual();
  }

  get received(): number {
    return this.#connection.frames;
  }

  get saidGoodbye(): boolean {
    return this.#connection.saidGoodbye;
  }

  get isPaused(): boolean {
    return this.#state === "paused";
  }

  get tickMs(): number {
    if (this.#state === "reading") return this.#backoff.intervalMs;
    const { flushInMs } = this.input.reorder;
    return flushInMs === undefined ? IDLE_TICK_MS : flushInMs + TIMER_SLACK_MS;
  }

  readable(): void {
    if (this.#state === "waiting") this.#enter("reading");
    this.#parent.wake();
  }

  tick(now: number): void {
    if (this.#state === "over") return;
    this.input.tick(now);
    if (this.#state === "waiting") return;
    // A half, because a read may also complete a frame and let go what was held back.
    const most = Math.min(TURN_BYTES, this.#parent.room >> 1);
    if (most <= 0) {
      this.#enter("paused");
      return;
    }
    this.#enter("reading");
    this.#isCutShort = false;
    const count = this.#replay(most);
    this.#backoff.observe(count, now, this.#connection.window, this.#isCutShort ? count : most);
    if (count === 0 && this.#backoff.isQuiet(now)) this.#enter("waiting");
  }

  housekeep(): void {}

  finish(): void {
    if (this.#state === "over") return;
    this.#enter("over");
    this.#early.replay(this.input, Number.POSITIVE_INFINITY);
    this.input.reset();
  }

  close(): void {
    this.#enter("over");
  }

  /** The only place that changes the state. */
  #enter(state: "reading" | "waiting" | "paused" | "over"): void {
    if (state === this.#state || this.#state === "over") return;
    this.#state = state;
    if (state === "reading") this.#backoff.reset();
    else if (state === "waiting") this.#connection.waitReadable();
  }

  /** What came early goes first. Answers how many bytes came. */
  #replay(most: number): number {
    const replayed = this.#early.isEmpty ? 0 : this.#early.replay(this.input, most);
    if (!this.#early.isEmpty) return replayed;
    this.#connection.media = this.input;
    return replayed + this.#read(most - replayed);
  }

  #read(most: number): number {
    const endsAt = performance.now() + SLICE_MS;
    let left = most;
    while (left > 0 && this.#state === "reading" && !this.#isCutShort) {
      const count = this.#connection.read(Math.min(left, READ_BYTES));
      if (count <= 0) break;
      left -= count;
      this.#isCutShort = performance.now() >= endsAt;
    }
    return most - left;
  }
}

/** Media that comes to the UDP ports of a session, RTP or bare MPEG-TS. */
export class UdpMedia implements RtspMedia {
  readonly transport = "udp";
  readonly input: Depacketizer;
  readonly isPaused = false;
  received = 0;
  #receivedAtBye = -1;
  readonly #pair: UdpPair;
  readonly #sender: MediaSender;
  readonly #server: string;
  readonly #log: Log;
  readonly #pollInterval: PollInterval;
  readonly #reports: DatagramSink = {
    datagram: ({ bytes }, offset, length) => {
      if (hasBye(bytes, offset, length)) this.#receivedAtBye = this.received;
    },
  };
  #isOver = false;
  #meter: ArrivalMeter | undefined;
  /** As last seen: the ports may be closed. */
  #kernelDrops = 0;

  /** @param pair stays the caller's, who closes it */
  constructor(parent: UpstreamParent, pair: UdpPair, named: NamedSenders, server: string, log: Log) {
    this.input = new Depacketizer(parent);
    this.#pair = pair;
    this.#sender = new MediaSender(pair.media, named, server, log);
    this.#server = server;
    this.#log = log;
    this.#pollInterval = new PollInterval(performance.now(), STARTUP_MS);
  }

  get tickMs(): number {
    return this.#pollInterval.tickMs;
  }

  get saidGoodbye(): boolean {
    return this.received === this.#receivedAtBye;
  }

  get arrival(): ArrivalCounts {
    if (!this.#isOver) this.#kernelDrops = this.#pair.media.kernelDrops;
    const { senderChanges } = this.input;
    return { kernelDrops: this.#kernelDrops, senderChanges, jitterMs: this.#meter?.jitterMs ?? 0 };
  }

  measureArrival(isMeasured: boolean): void {
    this.#meter = isMeasured ? new ArrivalMeter() : undefined;
  }

  tick(now: number): void {
    if (this.#isOver) return;
    this.input.tick(now);
    const { media } = this.#pair;
    const count = this.#sender.receive(this.#meter?.before(this.input, now) ?? this.input);
    this.received += count;
    this.#pollInterval.observe(count, media.receiveBuffer, now);
    if (this.input.payloads > 0) this.#pollInterval.endStartup();
  }

  readable(): void {}

  housekeep(): void {
    this.#pair.receiveControl(this.#reports);
    const failure = this.#pair.media.consumeReadError();
    if (failure) this.#log.error(`${this.#server}: cannot receive: ${failure.message}`);
  }

  finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#sender.receive(this.input);
    this.input.reset();
  }

  close(): void {
    this.#kernelDrops = this.arrival.kernelDrops;
    this.#isOver = true;
  }
}
