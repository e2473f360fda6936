/** What a plan and an upstream are: a URL becomes a plan, a plan opens into an upstream that feeds a stream. */
import type { Memory } from "../system/memory.ts";
import type { HeaderField } from "../wire/http/header-fields.ts";

/**
 * What a consumer that is too slow does to the stream (flow-control.md section 1): it *skips*, because its source cannot
 * wait, or the source is *paused* and nothing is lost. A source that more than one consumer shares is never paused.
 */
export type Overflow = "skip" | "pause";

/** How an upstream is shown to those who watch. */
export interface UpstreamAbout {
  /** What carries it, for the status page: `multicast`, `rtsp-udp`, … */
  readonly kind: string;
  /** Text without anything secret, at most 255 bytes. */
  readonly url: string;
  /** Undefined leaves it to the routing table. */
  readonly interfaceName: string | undefined;
  /** What reads it: `batched`, `evented` or `stream`. */
  readonly receiver: string;
}

/** An answer that the upstream dictates, in the place of a stream's usual head. */
export interface UpstreamResponse {
  readonly status: number;
  /** As the server has said it; undefined: the usual words of the status. */
  readonly statusLine?: string | undefined;
  readonly headers: readonly HeaderField[];
}

/** What is known of the media now; members are absent while unknown. */
export interface StreamInfo {
  /** For programs that look at it: names and values of metadata, in their order (http.md section 18). */
  readonly metadata: readonly HeaderField[];
  readonly response?: UpstreamResponse | undefined;
}

/** Where a consumer begins: with the first media there are, later at a random access point, or later with what comes next. */
export type ConsumerStart = "first-media" | "random-access" | "next-unit";

/** Counted of the RTP packets of an upstream. */
export interface RtpCounts {
  /** Sequence numbers that never came in time. */
  readonly lost: number;
  /** Packets that had to wait for an earlier one. */
  readonly reordered: number;
  /** Packets that were there already. */
  readonly duplicates: number;
  /** Packets behind what was already delivered. */
  readonly late: number;
  /** Where there is parity (FEC): packets that it gave back, … */
  readonly repaired?: number;
  /** … those of `lost` that it could not give back, … */
  readonly unrepairable?: number;
  /** … and those that it brought but that did not prove to be right. */
  readonly refused?: number;
}

/** How datagrams arrive at the sockets of an upstream. */
export interface ArrivalCounts {
  /** Datagrams that were here, and that the kernel dropped because its receive buffer was full. */
  readonly kernelDrops: number;
  /** Times that RTP went on from another sender (SSRC). */
  readonly senderChanges: number;
  /** Inter-arrival jitter (RFC 3550 section 6.4.1) in ms; 0 while nobody measures it. */
  readonly jitterMs: number;
}

/** A published state of an upstream; the rooms of upstream/ and those who show it know the numbers. */
export type StreamState = number;

/** A protocol's session. It reads when asked to and hands media to its parent. */
export interface Upstream {
  /** Reads what has arrived. `now` in ms. What it throws closes this upstream and no other. */
  tick(now: number): void;
  /** Releases every socket and timer. Called once. */
  close(): void;
  /** How soon it wants to read again, in ms. */
  readonly tickMs: number;
  readonly info: StreamInfo;
  /** What a consumer is told that begins so; without it, all are told `info`. */
  infoFor?(start: ConsumerStart): StreamInfo;
  readonly about: UpstreamAbout;
  /** Undefined where there is no RTP. */
  readonly rtp: RtpCounts | undefined;
  /** Undefined where nothing comes in datagrams. */
  readonly arrival?: ArrivalCounts | undefined;
  /** Begins or ends to measure what costs something for each datagram. */
  measureArrival?(isMeasured: boolean): void;
  /** What else those who watch may know of it, by names that the protocol and they have agreed on. */
  readonly details?: UpstreamDetails | undefined;
}

export type UpstreamDetails = Readonly<Record<string, string | number>>;

/** What a stream has been given, which can be read again for a while. */
export interface MediaHistory {
  /** Position behind the last byte. */
  readonly head: number;
  /** Copies `length` bytes from `position` on. False when they are gone, or have not come. */
  recall(position: number, into: Memory, offset: number, length: number): boolean;
}

/** What an upstream sees of the stream that it feeds. */
export interface UpstreamParent {
  /** Of what `append` has added; undefined where nothing is kept. */
  readonly history?: MediaHistory;
  /** Adds one unit: a datagram's payload, an interleaved frame's. */
  append(from: Memory, offset: number, length: number): void;
  /**
   * Byte streams: reads straight into the ring as often as the gate and the turn allow, and lets consumers write.
   * @param read reads at most `length` bytes to a place; 0: none are there now, −1: the source is over
   * @returns bytes read in this turn; −1 when the source is over, all of it being in the ring
   */
  fill(read: (into: Memory, offset: number, length: number) => number): number;
  /** Bytes that may be read now; 0: read nothing, the consumer is too slow. Asks the gate. */
  readonly room: number;
  /** Its media comes in datagrams after all: from now on those skip who are too slow. */
  cannotPause(): void;
  /** There is something to read now: `tick` is called at once. */
  wake(): void;
  /** A decoder can begin `within` bytes after the start of the next unit, after `preamble`, at `pts` (90 kHz) if that is known. */
  markRandomAccess(within: number, preamble: Uint8Array, pts?: number): void;
  /** The ring is to hold so many of the newest bytes, as far as the memory allows. */
  retain(bytes: number): void;
  /** Its state is another one, for all consumers of the stream. */
  entered(state: StreamState): void;
  /** `info` is complete enough for an answer, whenever media comes. Media says so by itself. */
  opened(): void;
  /** The upstream is over; `cause` unless it ended as it should. Whoever gives a cause has logged it. */
  ended(cause: Error | undefined): void;
}

/** Where media comes from, found but not opened. */
export interface UpstreamPlan {
  /** Plans with the same key share one stream; undefined: nobody else may have it. */
  readonly key: string | undefined;
  readonly overflow: Overflow;
  readonly about: UpstreamAbout;
  /** @throws UpstreamError, when it cannot even be tried */
  open(parent: UpstreamParent): Upstream;
}

/** There is no media, or no more. A client that has received nothing is answered with `status`. */
export class UpstreamError extends Error {
  /** `busy`: the client may come again. */
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 503) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

/** The operator does not want it to be reached: the client is told so, with the option that says it. */
export class ForbiddenError extends UpstreamError {
  /** @param what is asked for, without anything secret */
  constructor(what: string, reason: string) {
    super("forbidden", `${what}: ${reason}`, 403);
  }
}
