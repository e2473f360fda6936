/** The control connection: each frame goes to the media's sink, each answer to who has asked (rtsp.md section 10.1). */
import { allocate } from "../../system/memory.ts";
import { inLaterTurn, SLICE_MS } from "../../system/slices.ts";
import type { TcpTarget } from "../../system/tcp-connect.ts";
import type { TcpEvents, TcpSource } from "../../system/tcp-source.ts";
import type { DatagramSink } from "../../system/udp-socket.ts";
import { type HeaderField, headerValue } from "../../wire/http/header-fields.ts";
import { hasBye } from "../../wire/rtp/rtcp.ts";
import { MAX_FRAME_BYTES, RtspDemux, type RtspSink } from "../../wire/rtsp/demux.ts";
import { emitRtspResponse, type RtspRequest, type RtspResponse } from "../../wire/rtsp/message.ts";
import { isFarewell } from "../../wire/rtsp/notice.ts";
import type { Requests } from "./requests.ts";

/** Is told what becomes of a connection. */
export interface RtspConnectionParent {
  /**
   * Nothing more comes: the connection ended or broke, or the server said that the stream ends, and may still be asked for its end.
   * Called once, not by `close`.
   */
  over(reason: string): void;
  /** After `manual`: there may be something to read. */
  readable?(): void;
}

/** What one read takes at the most. */
export const READ_BYTES = 64 * 1024;
/** The same where bytes may cost much: before media, and amid noise. */
const CAREFUL_READ_BYTES = 16 * 1024;
/** Bytes in a row that hold neither media nor an answer that is awaited: more than the largest answer has. */
const MAX_NOISE_BYTES = 512 * 1024;
/** An RTP header's: shorter frames carry nothing. */
const LEAST_MEDIA_BYTES = 12;
/** Requests whose answers are awaited; a server that leaves more keepalives unanswered need not answer the oldest. */
const MAX_AWAITED = 64;

/** All connections read here: what was read is taken apart before the next read. */
const staging = allocate(READ_BYTES);

/** Requests of a server that are answered with a yes. */
const KNOWN = ["OPTIONS", "GET_PARAMETER", "SET_PARAMETER", "ANNOUNCE", "PLAY_NOTIFY", "REDIRECT", "TEARDOWN"];

export class RtspConnection implements RtspSink, TcpEvents {
  /** Takes the frames of the RTP channel. */
  media: DatagramSink | undefined;
  /** How many it has got. */
  frames = 0;
  readonly requests: Requests;
  readonly #source: TcpSource;
  readonly #carry = allocate(MAX_FRAME_BYTES);
  readonly #demux = new RtspDemux(this, this.#carry.bytes);
  /** Who waits for an answer, by the number of the request. */
  readonly #awaited = new Map<number, (response: RtspResponse) => void>();
  #parent: RtspConnectionParent;
  #state: "open" | "over" | "closed" = "open";
  #rtpChannel = 0;
  #rtcpChannel = 1;
  /** How many frames had come when the server said that it sends no more. */
  #framesAtBye = -1;
  /** The parent knows that nothing more comes. */
  #isToldOver = false;
  #isReading = false;
  #isManual = false;
  #isContinuing = false;
  #noiseBytes = 0;
  /** Of what is being read. */
  #isOfUse = false;

  /** @param source a connection that is made; its events are ours from now on */
  constructor(source: TcpSource, requests: Requests, parent: RtspConnectionParent) {
    this.#source = source;
    this.requests = requests;
    this.#parent = parent;
    source.handOver(this);
  }

  /** Whether requests can still be sent. */
  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Whether the connection broke, other than by a regular end. */
  get hasFailed(): boolean {
    return this.#source.failure !== undefined;
  }

  get target(): TcpTarget {
    return this.#source.target;
  }

  /** RTCP says that nothing more is sent, and nothing has come since. */
  get saidGoodbye(): boolean {
    return this.frames === this.#framesAtBye;
  }

  /** Our own port. */
  get localPort(): number | undefined {
    return this.#source.localPort;
  }

  /** As `TcpSource.window`. */
  get window(): number {
    return this.#source.window;
  }

  /** The events are another parent's from now on. */
  handOver(parent: RtspConnectionParent): void {
    this.#parent = parent;
    this.#isToldOver = false;
  }

  /** Nobody wants frames any more, nor the answers to what has been asked. */
  forget(): void {
    this.media = undefined;
    this.#awaited.clear();
  }

  /** Sends a request. `answered` gets the final answer to it, unless the connection is over before. */
  ask(method: string, url: string, headers: readonly HeaderField[], answered: (response: RtspResponse) => void): void {
    this.#source.write(this.requests.make(method, url, headers));
    this.#awaited.set(this.requests.cseq, answered);
    const [oldest] = this.#awaited.keys();
    if (this.#awaited.size > MAX_AWAITED && oldest !== undefined) this.#awaited.delete(oldest);
  }

  /** The channels of the answer to SETUP. */
  useChannels(rtp: number, rtcp: number): void {
    this.#rtpChannel = rtp;
    this.#rtcpChannel = rtcp;
    this.#demux.useChannels(rtp, rtcp);
  }

  /** From now on only `read` reads; until then everything that comes is read at once. */
  manual(): void {
    this.#isManual = true;
    this.#source.manual();
  }

  /** The next bytes, or the end, make one `readable`. */
  waitReadable(): void {
    this.#source.waitReadable();
  }

  /** Reads at most `length` bytes and hands over what is in them. 0: none are there now. -1: it is over. */
  read(length: number): number {
    if (this.#isReading) return 0;
    if (this.#state !== "open") return -1;
    this.#isReading = true;
    try {
      const most = this.#noiseBytes > 0 ? CAREFUL_READ_BYTES : READ_BYTES;
      const count = this.#source.read(staging, 0, Math.min(length, most));
      if (count > 0) this.#take(count);
      if (count < 0) this.#end(this.#source.failure?.message ?? "the server has closed the connection");
      else if (this.#demux.failure !== undefined) this.#end(`not understood: ${this.#demux.failure}`);
      else if (this.#noiseBytes > MAX_NOISE_BYTES) this.#end(`nothing of use in ${this.#noiseBytes} bytes`);
      return this.isOpen ? count : -1;
    } finally {
      this.#isReading = false;
    }
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#awaited.clear();
    this.#demux.stop();
    this.#source.close();
  }

  /** The socket has bytes, or is over. */
  readable(): void {
    const endsAt = performance.now() + SLICE_MS;
    let isMore = true;
    while (isMore && !this.#isManual && performance.now() < endsAt) isMore = this.read(CAREFUL_READ_BYTES) > 0;
    if (this.#isManual && this.isOpen) this.#parent.readable?.();
    else if (isMore && this.isOpen) this.#continueSoon();
  }

  frame(channel: number, bytes: Uint8Array, offset: number, length: number): void {
    if (channel === this.#rtcpChannel && hasBye(bytes, offset, length)) this.#framesAtBye = this.frames;
    if (channel !== this.#rtpChannel || !this.media) return;
    this.frames++;
    if (length >= LEAST_MEDIA_BYTES) this.#isOfUse = true;
    this.media.datagram(bytes === staging.bytes ? staging : this.#carry, offset, length);
  }

  response(response: RtspResponse): void {
    // Provisional answers change nothing, and what a server answers twice nobody awaits.
    if (response.status < 200) return;
    const cseq = this.requests.answeredCseq(response);
    const answered = this.#awaited.get(cseq);
    this.#awaited.delete(cseq);
    if (answered) this.#isOfUse = true;
    if (answered && response.status === 200) this.requests.learn(response);
    answered?.(response);
  }

  request(request: RtspRequest): void {
    const { method, headers } = request;
    const [status, reason] = KNOWN.includes(method) ? [200, "OK"] : [501, "Not Implemented"];
    const cseq = headerValue(headers, "cseq");
    const answer = emitRtspResponse(status, reason, cseq === undefined ? [] : [["CSeq", cseq]]);
    // Who asks and asks and does not read would fill our memory with answers.
    if (this.#source.isFlushed) this.#source.write(answer);
    if (method === "TEARDOWN") this.#end("the server has sent TEARDOWN");
    else if (isFarewell(request)) {
      // The session is still there, and what follows on the connection is nobody's media.
      this.media = undefined;
      this.#tellOver(`the server has sent ${method}`);
    }
  }

  #take(count: number): void {
    this.#isOfUse = false;
    this.#demux.push(staging.bytes, 0, count);
    this.#noiseBytes = this.#isOfUse ? 0 : this.#noiseBytes + count;
  }

  #continueSoon(): void {
    if (this.#isContinuing) return;
    this.#isContinuing = true;
    inLaterTurn(() => {
      this.#isContinuing = false;
      this.readable();
    });
  }

  #end(reason: string): void {
    if (this.#state !== "open") return;
    this.#state = "over";
    this.#demux.stop();
    this.#tellOver(reason);
  }

  #tellOver(reason: string): void {
    if (this.#isToldOver) return;
    this.#isToldOver = true;
    this.#parent.over(reason);
  }
}
