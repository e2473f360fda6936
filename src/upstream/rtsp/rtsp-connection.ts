/** The control connection: writes requests, takes apart what comes, answers what the server asks (rtsp.md section 10.1). */
import { allocate, type Memory } from "../../system/memory.ts";
import type { TcpSource, TcpTarget } from "../../system/tcp-source.ts";
import { headerValue } from "../../wire/http/request.ts";
import { MAX_FRAME_BYTES, RtspDemux, type RtspSink } from "../../wire/rtsp/demux.ts";
import { emitRtspResponse, type RtspRequest, type RtspResponse } from "../../wire/rtsp/message.ts";

export interface RtspConnectionParent {
  response(response: RtspResponse): void;
  /** A frame on the media channel. The bytes are good until the call returns. */
  frame(memory: Memory, offset: number, length: number): void;
  /** Nothing more comes: the connection ended or broke, or the server said that the stream ends. Called once, not by `close`. */
  over(reason: string): void;
  /** `waitReadable` had been called: bytes have come, or it is over. */
  readable?(): void;
}

/** What one read takes at the most. */
export const READ_BYTES = 64 * 1024;

/** All connections read here: what was read is taken apart before the next read. */
const staging = allocate(READ_BYTES);

/** Requests of a server that need no more than a yes … */
const HARMLESS = ["OPTIONS", "GET_PARAMETER", "SET_PARAMETER"];
/** … and those that say that nothing more will come. */
const FAREWELLS = ["ANNOUNCE", "REDIRECT", "TEARDOWN"];

export class RtspConnection implements RtspSink {
  parent: RtspConnectionParent;
  readonly #source: TcpSource;
  readonly #carry = allocate(MAX_FRAME_BYTES);
  readonly #demux = new RtspDemux(this, this.#carry.bytes);
  #state: "open" | "over" | "closed" = "open";
  #rtpChannel = 0;
  #isReading = false;
  /** Somebody else says when to read. */
  #isManual = false;

  /** @param source connected; it is ours from now on */
  constructor(source: TcpSource, parent: RtspConnectionParent) {
    this.#source = source;
    this.parent = parent;
    source.handOver({ readable: () => this.#readable() });
  }

  /** Where it leads. */
  get target(): TcpTarget {
    return this.#source.target;
  }

  /** Whether requests can still be sent. */
  get isOpen(): boolean {
    return this.#state === "open";
  }

  /** Whether the connection broke, other than by a regular end. */
  get hasFailed(): boolean {
    return this.#source.failure !== undefined;
  }

  /** Our own port. */
  get localPort(): number | undefined {
    return this.#source.localPort;
  }

  send(bytes: Uint8Array): void {
    this.#source.write(bytes);
  }

  /** The channels of the answer to SETUP. */
  useChannels(rtp: number, rtcp: number): void {
    this.#rtpChannel = rtp;
    this.#demux.useChannels(rtp, rtcp);
  }

  /** From now on only `read` reads; until then everything that comes is read at once. */
  manual(): void {
    this.#isManual = true;
    this.#source.manual();
  }

  /** Asks for a call of `readable`. Nothing is read until then. */
  waitReadable(): void {
    this.#source.waitReadable();
  }

  /** Reads at most `length` bytes and hands over what is in them. 0: none are there now. -1: it is over. */
  read(length: number): number {
    if (this.#isReading) return 0;
    if (this.#state !== "open") return -1;
    this.#isReading = true;
    const count = this.#source.read(staging, 0, Math.min(length, READ_BYTES));
    if (count > 0) this.#demux.push(staging.bytes, 0, count);
    this.#isReading = false;
    if (count < 0) this.#end(this.#source.failure?.message ?? "the server has closed the connection");
    else if (this.#demux.failure !== undefined) this.#end(`not understood: ${this.#demux.failure}`);
    return this.isOpen ? count : -1;
  }

  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#demux.stop();
    this.#source.close();
  }

  frame(channel: number, bytes: Uint8Array, offset: number, length: number): void {
    if (channel !== this.#rtpChannel) return;
    this.parent.frame(bytes === staging.bytes ? staging : this.#carry, offset, length);
  }

  response(response: RtspResponse): void {
    this.parent.response(response);
  }

  request({ method, headers }: RtspRequest): void {
    const isFarewell = FAREWELLS.includes(method);
    const isKnown = isFarewell || HARMLESS.includes(method);
    const [status, reason] = isKnown ? [200, "OK"] : [501, "Not Implemented"];
    const cseq = headerValue(headers, "cseq");
    this.send(emitRtspResponse(status, reason, cseq === undefined ? [] : [{ name: "CSeq", value: cseq }]));
    if (isFarewell) this.#end(`the server has sent ${method}`);
  }

  #readable(): void {
    // The end that a read has come upon is told, too: the read will say so.
    if (this.#isReading) return;
    if (this.#isManual) this.parent.readable?.();
    else while (!this.#isManual && this.read(READ_BYTES) > 0);
  }

  #end(reason: string): void {
    if (this.#state === "over" || this.#state === "closed") return;
    this.#state = "over";
    this.#demux.stop();
    this.parent.over(reason);
  }
}
