/** One connection to the demo's RTSP source, with the one session that it may have (RFC 2326 section 10). */

import { randomBytes } from "node:crypto";
import type { UdpPair } from "../system/udp-pair.ts";
import { type HeaderField, headerValue } from "../wire/http/header-fields.ts";
import { type IpAddress, parseIpAddress } from "../wire/ip/address.ts";
import type { LoopClip } from "../wire/mpegts/loop.ts";
import { RtspDemux, type RtspSink } from "../wire/rtsp/demux.ts";
import { parseSession } from "../wire/rtsp/headers.ts";
import { emitRtspResponse, type RtspRequest } from "../wire/rtsp/message.ts";
import { asByteString } from "../wire/text/byte-string.ts";
import { Outbox } from "./outbox.ts";
import { type Playback, rangedPlayback, soughtPlayback } from "./playback.ts";
import { Playout, type Receiver } from "./playout.ts";
import { DATAGRAM_BYTES } from "./rtp-feed.ts";
import { type ChosenWay, chooseWay } from "./rtsp-transport.ts";

/** Time without a request after which the client is gone. */
const SESSION_TIMEOUT_S = 60;
const MS_PER_SECOND = 1000;
const SESSION_ID_BYTES = 8;
const FRAME_HEADER_BYTES = 4;
const METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER, SET_PARAMETER";

export type SourceSocket = Bun.Socket<SourceConnection | undefined>;

export interface ConnectionParent {
  readonly clip: LoopClip;
  /** Path of the only channel. */
  readonly path: string;
  readonly title: string;
  /** Sends media; undefined when there are no ports. */
  readonly udp: UdpPair | undefined;
  /** Counts a session; false when there are as many as may be. */
  admit(connection: SourceConnection): boolean;
  /** The session is over. */
  released(connection: SourceConnection): void;
}

type State =
  /** No session. */
  "init" | "ready" | "playing" | "closed";

/** Status, and headers besides `CSeq`. */
interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly headers?: readonly HeaderField[];
  readonly body?: string;
}

const NOT_FOUND: Answer = { status: 404, reason: "Not Found" };
const NO_SESSION: Answer = { status: 454, reason: "Session Not Found" };
const WRONG_STATE: Answer = { status: 455, reason: "Method Not Valid in This State" };

export class SourceConnection implements RtspSink, Receiver {
  readonly #socket: SourceSocket;
  readonly #parent: ConnectionParent;
  readonly #outbox: Outbox;
  readonly #demux = new RtspDemux(this);
  readonly #address: IpAddress | undefined;
  #state: State = "init";
  #sessionId = "";
  #way: ChosenWay | undefined;
  #playout: Playout | undefined;
  #timer: Timer | undefined;
  /** A datagram with what stands before it on a connection (RFC 2326 section 10.12). */
  readonly #frame = new Uint8Array(FRAME_HEADER_BYTES + DATAGRAM_BYTES);

  constructor(socket: SourceSocket, parent: ConnectionParent) {
    this.#socket = socket;
    this.#parent = parent;
    this.#outbox = new Outbox(socket);
    this.#address = parseIpAddress(socket.remoteAddress);
    this.#await();
  }

  received(piece: Uint8Array): void {
    this.#demux.push(piece);
    if (this.#demux.failure !== undefined) this.#socket.terminate();
  }

  drained(): void {
    this.#outbox.drained();
  }

  /** The socket is closed. */
  closed(): void {
    clearTimeout(this.#timer);
    this.#demux.stop();
    this.#leave();
    this.#state = "closed";
  }

  tick(nowMs: number): void {
    this.#playout?.tick(nowMs);
  }

  request(request: RtspRequest): void {
    this.#await();
    const { status, reason, headers = [], body = "" } = this.#answer(request);
    const cseq = headerValue(request.headers, "cseq");
    const fields: HeaderField[] = cseq === undefined ? [...headers] : [["CSeq", cseq], ...headers];
    if (body !== "") fields.push(["Content-Length", String(body.length)]);
    const head = emitRtspResponse(status, reason, fields);
    this.#outbox.send(Buffer.concat([head, Buffer.from(body, "latin1")]));
  }

  /** Reports of a client tell nothing that we need. */
  frame(): void {}

  response(): void {}

  get isReady(): boolean {
    return this.#outbox.isEmpty;
  }

  take(datagram: Uint8Array): void {
    const { kind, number } = this.#way!;
    if (kind === "udp") {
      if (this.#address) this.#parent.udp?.media.send(datagram, this.#address, number);
      return;
    }
    this.#frame.set([0x24, number, datagram.length >> 8, datagram.length & 0xff]);
    this.#frame.set(datagram, FRAME_HEADER_BYTES);
    this.#outbox.send(this.#frame);
  }

  /** The end of the connection says it; the client closes its side, or time runs out. */
  ended(): void {
    this.#playout = undefined;
    this.#socket.shutdown();
  }

  #await(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#socket.terminate(), SESSION_TIMEOUT_S * MS_PER_SECOND);
  }

  #answer(request: RtspRequest): Answer {
    switch (request.method) {
      case "OPTIONS":
        return this.#ok([["Public", METHODS]]);
      case "DESCRIBE":
        return this.#describe(request);
      case "SETUP":
        return this.#setUp(request);
      case "PLAY":
        return this.#play(request);
      case "TEARDOWN":
        return this.#tearDown(request);
      case "GET_PARAMETER":
      case "SET_PARAMETER":
        return this.#isForeign(request) ? NO_SESSION : this.#ok();
      default:
        return { status: 501, reason: "Not Implemented" };
    }
  }

  #describe({ url }: RtspRequest): Answer {
    const playback = this.#playback(url);
    if (!playback) return NOT_FOUND;
    const body = description(this.#parent.title, url, playback);
    return this.#ok([["Content-Type", "application/sdp"]], body);
  }

  #setUp({ url, headers }: RtspRequest): Answer {
    if (!this.#playback(url)) return NOT_FOUND;
    if (this.#state !== "init") return WRONG_STATE;
    const way = chooseWay(headerValue(headers, "transport") ?? "", this.#parent.udp?.port);
    if (!way) return { status: 461, reason: "Unsupported Transport" };
    if (!this.#parent.admit(this)) return { status: 453, reason: "Not Enough Bandwidth" };
    this.#state = "ready";
    this.#way = way;
    this.#sessionId = randomBytes(SESSION_ID_BYTES).toString("hex");
    return this.#ok([["Transport", way.answer]]);
  }

  #play(request: RtspRequest): Answer {
    const sought = this.#playback(request.url);
    if (!sought) return NOT_FOUND;
    if (this.#isForeign(request)) return NO_SESSION;
    if (this.#state !== "ready") return WRONG_STATE;
    const range = headerValue(request.headers, "range");
    const playback = range === undefined ? sought : rangedPlayback(range, sought, Date.now());
    if (!playback) return { status: 457, reason: "Invalid Range" };
    this.#state = "playing";
    this.#playout = new Playout(this.#parent.clip, playback, this, performance.now());
    return this.#ok([["Range", range ?? nptRange(playback)]]);
  }

  #tearDown(request: RtspRequest): Answer {
    if (this.#sessionId === "" || this.#isForeign(request)) return NO_SESSION;
    this.#leave();
    this.#state = "init";
    return this.#ok();
  }

  /** It names a session that is not the one of this connection. */
  #isForeign({ headers }: RtspRequest): boolean {
    const named = parseSession(headerValue(headers, "session") ?? "")?.id;
    return named !== undefined && named !== this.#sessionId;
  }

  /** What a URL asks for; undefined when it is not the channel's. */
  #playback(url: string): Playback | undefined {
    const [, path, query = ""] = /^rtsp:\/\/[^/?]*(\/[^?]*)(?:\?(.*))?$/i.exec(url) ?? [];
    return path === this.#parent.path ? soughtPlayback(asByteString(query), Date.now()) : undefined;
  }

  #ok(headers: readonly HeaderField[] = [], body = ""): Answer {
    const session: HeaderField = ["Session", `${this.#sessionId};timeout=${SESSION_TIMEOUT_S}`];
    return { status: 200, reason: "OK", headers: this.#sessionId === "" ? headers : [session, ...headers], body };
  }

  #leave(): void {
    if (this.#sessionId === "") return;
    this.#sessionId = "";
    this.#playout = undefined;
    this.#parent.released(this);
  }
}

/** RFC 8866. The medium is controlled by the URL that was asked for, so that its query is in every request. */
function description(title: string, url: string, playback: Playback): string {
  return [
    "v=0",
    "o=- 1 1 IN IP4 127.0.0.1",
    `s=${title}`,
    "c=IN IP4 0.0.0.0",
    "t=0 0",
    `a=range:${nptRange(playback)}`,
    "m=video 0 RTP/AVP 33",
    "a=rtpmap:33 MP2T/90000",
    `a=control:${url}`,
    "",
  ].join("\r\n");
}

/** What is on now has no end. */
function nptRange({ startMs, endMs }: Playback): string {
  return endMs === undefined ? "npt=now-" : `npt=0-${(endMs - startMs) / MS_PER_SECOND}`;
}
