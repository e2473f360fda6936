/** Takes apart what an RTSP server sends on one connection: frames and messages in any order (RFC 2326 section 10.12; rtsp.md section 10.1). */
import {
  MAX_START_LINE_BYTES,
  parseStartLine,
  type RtspMessageError,
  RtspMessageParser,
  type RtspRequest,
  type RtspResponse,
} from "./message.ts";

/** The largest payload that the 16 bits of a frame's length can announce. */
export const MAX_FRAME_BYTES = 65535;
/** Bytes in a row that are neither frame nor message. */
const MAX_GARBAGE_BYTES = 256 * 1024;

const FRAME_HEADER_BYTES = 4;
const DOLLAR = 0x24;
const LF = 0x0a;
const CR = 0x0d;

export interface RtspSink {
  /** `length` bytes (0 to 65535) of `bytes` from `offset`. They are not copied, so use them at once. */
  frame(channel: number, bytes: Uint8Array, offset: number, length: number): void;
  response(response: RtspResponse): void;
  request(request: RtspRequest): void;
}

type RtspDemuxFailure = RtspMessageError | "no RTSP";

type State =
  /** Before a frame or within a start line. */
  | "start"
  | "channel"
  | "length-high"
  | "length-low"
  | "payload"
  | "message"
  /** Failed or stopped. */
  | "over";

/**
 * Takes the bytes in pieces of any size; how they are cut does not change what the sink gets. After garbage it goes on at the
 * next start line, or at a `$` that one of the known channels follows.
 */
export class RtspDemux {
  /** Why nothing more is read. */
  failure: RtspDemuxFailure | undefined;
  /** Garbage so far. */
  skippedBytes = 0;
  readonly #sink: RtspSink;
  readonly #carry: Uint8Array;
  #state: State = "start";
  /** False from garbage on until something is recognised again. */
  #isSynced = true;
  #rtpChannel = 0;
  #rtcpChannel = 1;
  /** The start line that has not ended yet. */
  #line = "";
  #garbageBytes = 0;
  #channel = 0;
  #length = 0;
  /** Bytes of the payload that are in `carry`. */
  #filled = 0;
  #parser: RtspMessageParser | undefined;

  /** @param carry at least `MAX_FRAME_BYTES`: gathers a payload that does not lie whole in one piece */
  constructor(sink: RtspSink, carry: Uint8Array = new Uint8Array(MAX_FRAME_BYTES)) {
    this.#sink = sink;
    this.#carry = carry;
  }

  /** The channels of the answer to SETUP, 0 to 255. Until then they are 0 and 1. */
  useChannels(rtp: number, rtcp: number): void {
    this.#rtpChannel = rtp;
    this.#rtcpChannel = rtcp;
  }

  /** The sink gets nothing more, not even from the piece that is being read. */
  stop(): void {
    this.#state = "over";
  }

  /** Takes `length` bytes from `offset`. */
  push(bytes: Uint8Array, offset = 0, length = bytes.length - offset): void {
    const end = offset + length;
    let at = offset;
    while (at < end && this.#state !== "over") {
      if (this.#state === "start") {
        const isFrame = bytes[at] === DOLLAR && this.#isSynced && this.#line === "";
        if (isFrame) at = this.#takeFrame(bytes, at, end);
        // The usual empty line, of which a hostile server may send millions.
        else if (this.#line === "" && bytes[at] === CR && bytes[at + 1] === LF && at + 1 < end) at += 2;
        else this.#seek(bytes[at++]!);
      } else if (this.#state === "payload") at = this.#takePayload(bytes, at, end);
      else if (this.#state === "message") at = this.#takeMessage(bytes, at, end);
      else this.#takeHeaderByte(bytes[at++]!);
    }
  }

  /** The usual way of media: the frame lies whole in the piece. */
  #takeFrame(bytes: Uint8Array, at: number, end: number): number {
    const payload = at + FRAME_HEADER_BYTES;
    if (payload > end) {
      this.#state = "channel";
      return at + 1;
    }
    const channel = bytes[at + 1]!;
    const length = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    if (payload + length <= end) {
      this.#sink.frame(channel, bytes, payload, length);
      return payload + length;
    }
    this.#channel = channel;
    this.#length = length;
    this.#filled = 0;
    this.#state = "payload";
    return payload;
  }

  #takeHeaderByte(byte: number): void {
    if (this.#state === "channel") {
      this.#channel = byte;
      this.#state = "length-high";
    } else if (this.#state === "length-high") {
      this.#length = byte << 8;
      this.#state = "length-low";
    } else {
      this.#length |= byte;
      this.#filled = 0;
      this.#state = "payload";
      if (this.#length === 0) this.#endFrame();
    }
  }

  #takePayload(bytes: Uint8Array, at: number, end: number): number {
    const stop = Math.min(end, at + this.#length - this.#filled);
    this.#carry.set(bytes.subarray(at, stop), this.#filled);
    this.#filled += stop - at;
    if (this.#filled === this.#length) this.#endFrame();
    return stop;
  }

  #endFrame(): void {
    this.#state = "start";
    this.#sync();
    this.#sink.frame(this.#channel, this.#carry, 0, this.#length);
  }

  /** Takes a byte of a start line, or of garbage. */
  #seek(byte: number): void {
    if (this.#isFrameStart(byte)) {
      this.#channel = byte;
      this.#state = "length-high";
      this.#skip(this.#line.length - 1);
      this.#line = "";
      return;
    }
    this.#line += String.fromCharCode(byte);
    if (byte === LF) this.#endLine();
    else if (isControl(byte)) this.#skip(this.#line.length);
    // Half of it stays, so that the start line of a response behind it is not cut in two.
    else if (this.#line.length === MAX_START_LINE_BYTES) this.#skip(MAX_START_LINE_BYTES / 2);
  }

  /** A channel below 32 cannot stand in a start line. Another one could, unless we are among garbage anyway. */
  #isFrameStart(byte: number): boolean {
    const isKnown = byte === this.#rtpChannel || byte === this.#rtcpChannel;
    return isKnown && this.#line.endsWith("$") && (!this.#isSynced || isControl(byte));
  }

  #endLine(): void {
    const line = this.#line.slice(0, this.#line.endsWith("\r\n") ? -2 : -1);
    const startLine = line === "" ? undefined : parseStartLine(line);
    // Empty lines between messages are harmless.
    if (!startLine && line !== "") this.#skip(this.#line.length);
    this.#line = "";
    if (!startLine) return;
    this.#parser = new RtspMessageParser(startLine);
    this.#state = "message";
  }

  /** The first `count` bytes of the line are garbage. */
  #skip(count: number): void {
    this.#line = this.#line.slice(count);
    if (count === 0) return;
    this.skippedBytes += count;
    this.#garbageBytes += count;
    this.#isSynced = false;
    if (this.#garbageBytes >= MAX_GARBAGE_BYTES) this.#fail("no RTSP");
  }

  #takeMessage(bytes: Uint8Array, at: number, end: number): number {
    const outcome = this.#parser!.push(bytes, at, end);
    if (outcome.kind === "more") return end;
    this.#parser = undefined;
    if (outcome.kind === "error") {
      this.#fail(outcome.reason);
      return end;
    }
    this.#state = "start";
    this.#sync();
    const { message, consumed } = outcome;
    if (message.kind === "response") this.#sink.response(message);
    else this.#sink.request(message);
    return at + consumed;
  }

  #sync(): void {
    this.#isSynced = true;
    this.#garbageBytes = 0;
  }

  #fail(reason: RtspDemuxFailure): void {
    this.failure = reason;
    this.#state = "over";
  }
}

/** Without CR, which may end a line, and TAB. */
function isControl(byte: number): boolean {
  return (byte < 0x20 && byte !== 0x0d && byte !== 0x09) || byte === 0x7f;
}
