/** One client connection: it reads a single request and delivers its answer to the last byte (http.md section 1). */
import { LOG_DEBUG, type Log } from "../system/log.ts";
import { inLaterTurn, Slices } from "../system/slices.ts";
import { limitSendBuffer } from "../system/tcp.ts";
import type { HeaderField } from "../wire/http/header-fields.ts";
import type { Activity } from "./connection-table.ts";
import { type HttpRequest, RequestReader } from "./request.ts";
import { emitHead, emitResponse, type HttpResponse, type StreamHead } from "./response.ts";
import { type SendMeter, SendQueue } from "./send-queue.ts";

/** Answers a request, at once or later. A throw is answered with 500. */
export type RequestHandler = (request: HttpRequest, connection: Connection) => void;

export interface ConnectionTimeouts {
  /** From the accept to the end of the request head. */
  readonly headMs: number;
  /** From the end of the head to the end of the body. */
  readonly bodyMs: number;
  /** How long the client's FIN is awaited after ours. */
  readonly lingerMs: number;
  /** From the request to a FIN that only ends it, as `printf … | nc` sends one: the client has no more to say and waits. */
  readonly halfCloseMs: number;
  /** From any other FIN: a client that has taken nothing in that time has left. */
  readonly leftMs: number;
}

/** Whoever writes a stream to a connection: its owner from `startStream` on. */
export interface StreamWriter {
  /** The client takes bytes again after `write` has taken fewer than offered. */
  drained(): void;
  /** The client has taken bytes while `anyUpstreamPaused` is set. */
  resumeUpstream?(): void;
}

/** Bun's types leave out the descriptor. */
export type ConnectionSocket = Bun.Socket<Connection | undefined> & { readonly fd: number };

/** What a connection needs of the listener that accepted it. */
export interface ConnectionParent {
  readonly log: Log;
  readonly timeouts: ConnectionTimeouts;
  readonly handler: RequestHandler;
  readonly errorResponse: (status: number) => HttpResponse;
  /** False when the bodies under way already use all the memory they may. */
  reserveBody(bytes: number): boolean;
  releaseBody(bytes: number): void;
  /** Also whenever a client that is sent an answer has taken something of it. */
  entered(connection: Connection, activity: Activity): void;
  closed(connection: Connection): void;
}

type State =
  /** The request head, then its body, are incomplete. */
  | "head"
  | "body"
  /** The request was handed over and nothing has been answered. */
  | "handling"
  | "streaming"
  /** The answer is complete, the kernel has not taken all of it. */
  | "finishing"
  /** Our FIN is sent. A close with unread bytes would destroy the answer by a RST, so what still comes is discarded. */
  | "lingering"
  | "closed";

/** A connection begins `idle`. */
const ACTIVITIES: Readonly<Partial<Record<State, Activity>>> = {
  body: "idle",
  handling: "busy",
  finishing: "sending",
  streaming: "busy",
  lingering: "idle",
};

const CONTINUE = Buffer.from("HTTP/1.1 100 Continue\r\n\r\n");

export class Connection {
  /** `1.2.3.4:5678`, `[2001:db8::1]:5678`, or `localhost` on a Unix socket. */
  readonly peer: string;
  /** Some upstream of this connection has stopped reading because the client is slow (flow-control.md section 6). */
  anyUpstreamPaused = false;
  #standingHeaders: readonly HeaderField[] = [];
  #writer: StreamWriter | undefined;
  /** Made for who asks: a signal and its listeners cost more than the rest of a close. */
  #closed: AbortController | undefined;
  #whenClosed: (() => void)[] = [];
  readonly #socket: ConnectionSocket;
  readonly #parent: ConnectionParent;
  readonly #queue: SendQueue;
  #state: State = "head";
  #timer: Timer | undefined;
  /** When the request was complete, in ms. */
  #askedAt = 0;
  #hasClientEnded = false;
  #leftTimer: Timer | undefined;
  #reader: RequestReader | undefined = new RequestReader();
  #reservedBytes = 0;
  #isHead = false;
  /** To make more of an answer. */
  #awaitsTurn = false;

  constructor(socket: ConnectionSocket, parent: ConnectionParent) {
    this.#socket = socket;
    this.#parent = parent;
    this.#queue = new SendQueue(socket);
    this.peer = peerName(socket);
    this.#limit(parent.timeouts.headMs, "no request head");
  }

  get isClosed(): boolean {
    return this.#state === "closed";
  }

  /** Bytes of heads and bodies that the kernel has taken. */
  get sentBytes(): number {
    return this.#queue.sentBytes;
  }

  /** Aborted exactly once, when the client is gone or the connection was closed by us. */
  get closed(): AbortSignal {
    if (!this.#closed) {
      const closed = new AbortController();
      this.#closed = closed;
      this.whenClosed(() => closed.abort());
    }
    return this.#closed.signal;
  }

  /** Does something when it is closed; at once if it is. Throwing harms nobody else. */
  whenClosed(action: () => void): void {
    if (this.isClosed) this.#guard(action);
    else this.#whenClosed.push(action);
  }

  /** Puts headers into every answer that has none of their names; cookies into each (RFC 6265 section 3). */
  setStandingHeaders(headers: readonly HeaderField[]): void {
    this.#standingHeaders = headers;
  }

  /** From now on what is sent counts there too. */
  countSends(meter: SendMeter): void {
    this.#queue.meter = meter;
  }

  /** A live stream wants a large one: the network may stand still. What can wait with us need not lie in the kernel. */
  limitSendBuffer(): void {
    limitSendBuffer(this.#socket.fd);
  }

  /** Sends a complete answer and closes. Does nothing once an answer was begun or the client is gone. */
  respond(response: HttpResponse): void {
    if (!this.#isUnanswered) return;
    const pieces = this.#isHead ? undefined : response.pieces;
    const queue = emitResponse(response, !this.#isHead, this.#standingHeaders);
    if (pieces || queue.length > 1) this.limitSendBuffer();
    this.#queue.fill(queue, pieces);
    this.#finish();
  }

  /** Begins a stream. `head` goes out together with the first bytes of `write`, which may be none. */
  startStream(head: StreamHead, writer: StreamWriter): void {
    if (this.#state !== "handling") return;
    this.#queue.fill([emitHead(head, this.#standingHeaders)]);
    this.#writer = writer;
    this.#enter("streaming");
  }

  /**
   * Answers how many of the bytes the kernel took: fewer than offered means that the writer's `drained` will be called, or
   * the connection is closed. Nothing is kept of the others.
   */
  write(bytes: Uint8Array, offset: number, length: number): number {
    if (this.#state !== "streaming") return 0;
    if (!this.#queue.isEmpty) return this.#queue.sendBehind(bytes, offset, length);
    return this.#queue.send(bytes, offset, length);
  }

  /** Closes once all that `write` has taken is delivered. */
  endStream(): void {
    if (this.#state === "streaming") this.#finish();
  }

  /** Closes at once; what the kernel has not delivered is lost. */
  abort(): void {
    if (this.isClosed) return;
    this.#leave();
    this.#socket.terminate();
  }

  /** The socket has delivered bytes. Pipelined requests and whatever follows are discarded. */
  received(piece: Uint8Array): void {
    if (!this.#reader) return;
    const outcome = this.#reader.push(piece);
    if (outcome.kind === "request") this.#handle(outcome.request);
    else if (outcome.kind === "error") this.#refuse(outcome.status, outcome.method);
    else if (outcome.kind === "body") {
      if (this.#parent.reserveBody(outcome.length)) this.#awaitBody(outcome.length, outcome.expectsContinue);
      else this.#refuse(503, outcome.method);
    }
  }

  /** The socket takes bytes again. */
  drained(): void {
    if (this.#state === "finishing") this.#finish();
    else if (this.#state === "streaming" && this.#queue.flush()) {
      this.writable();
    }
  }

  /** Lets the writer go on, after the socket has drained or after something before it has made way. */
  writable(): void {
    this.#writer?.drained();
    // The only place that looks at the bit: one test when nothing is paused.
    if (this.anyUpstreamPaused) this.#writer?.resumeUpstream?.();
  }

  /**
   * The client has sent its FIN. It may still want its answer: that it has left shows only when the next bytes are answered
   * with a reset, and Bun then closes the socket (http.md section 1).
   */
  ended(): void {
    this.#hasClientEnded = true;
    if (this.#state === "handling" || this.#state === "streaming") this.#awaitReset();
    else if (this.#state !== "finishing") this.#close();
  }

  /** The socket is closed. */
  socketClosed(): void {
    this.#leave();
  }

  /** A handler or a callback of this connection has thrown. */
  failed(error: unknown): void {
    const { log, errorResponse } = this.#parent;
    log.error(`${this.peer}: request failed: ${(error instanceof Error && error.stack) || error}`);
    if (this.#isUnanswered) this.respond(errorResponse(500));
    else if (this.#state === "streaming") this.abort();
  }

  get #isUnanswered(): boolean {
    if (this.#state === "streaming") return this.#queue.isUntouched;
    return this.#state === "handling";
  }

  /** Where there is nothing to send, nothing is ever answered: then when the FIN has come must tell. */
  #awaitReset(): void {
    const { halfCloseMs, leftMs } = this.#parent.timeouts;
    if (this.#state === "handling" && performance.now() - this.#askedAt < halfCloseMs) return;
    const { sentBytes } = this;
    this.#leftTimer = setTimeout(() => {
      if (this.sentBytes === sentBytes) this.abort();
    }, leftMs);
  }

  #awaitBody(length: number, expectsContinue: boolean): void {
    this.#enter("body");
    this.#reservedBytes = length;
    this.#limit(this.#parent.timeouts.bodyMs, "no complete request body");
    // These are the first bytes on the socket, so that its buffer always takes them.
    if (expectsContinue) this.#socket.write(CONTINUE);
  }

  #handle(request: HttpRequest): void {
    this.#isHead = request.method === "HEAD";
    this.#askedAt = performance.now();
    this.#enter("handling");
    try {
      this.#parent.handler(request, this);
    } catch (error) {
      this.failed(error);
    }
  }

  #refuse(status: number, method: string): void {
    const { log, errorResponse } = this.#parent;
    if (log.level >= LOG_DEBUG) log.debug(`${this.peer}: request refused with ${status}`);
    this.#isHead = method === "HEAD";
    this.#enter("handling");
    this.respond(errorResponse(status));
  }

  /**
   * Writes what is left, now and whenever the socket drains, and then sends our FIN. A client that takes nothing is for
   * the kernel to give up (`system/tcp.ts`, flow-control.md section 10, trap 27).
   */
  #finish(): void {
    this.#enter("finishing");
    if (this.#queue.isMadeOnTheWay) this.#finishInTurns();
    else if (this.#queue.flush()) this.#linger();
  }

  /** Hundreds may ask for a long list at once: what is made for them is long work (`system/slices.ts`). */
  #finishInTurns(): void {
    if (this.#awaitsTurn) return;
    this.#awaitsTurn = true;
    inLaterTurn(() => {
      this.#awaitsTurn = false;
      if (this.#state !== "finishing") return;
      const slices = new Slices();
      this.#guard(() => {
        if (this.#queue.flush(() => slices.isOver)) this.#linger();
        // Also when the socket takes no more: that turn costs little, and then there is a drain to wait for.
        else if (slices.isOver) this.#finishInTurns();
      });
    });
  }

  #linger(): void {
    if (this.#hasClientEnded) {
      this.#close();
      return;
    }
    this.#enter("lingering");
    this.#limit(this.#parent.timeouts.lingerMs, "no FIN");
    this.#socket.shutdown();
  }

  /** Closes after what the kernel has taken. */
  #close(): void {
    this.#leave();
    this.#socket.end();
  }

  #leave(): void {
    if (this.#state === "closed") return;
    this.#enter("closed");
    clearTimeout(this.#leftTimer);
    this.#queue.clear();
    this.#parent.closed(this);
    this.#writer = undefined;
    const actions = this.#whenClosed;
    this.#whenClosed = [];
    for (const action of actions) this.#guard(action);
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.failed(error);
    }
  }

  #enter(state: State): void {
    this.#state = state;
    const activity = ACTIVITIES[state];
    if (activity) this.#parent.entered(this, activity);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (state !== "head" && state !== "body") this.#reader = undefined;
    this.#parent.releaseBody(this.#reservedBytes);
    this.#reservedBytes = 0;
  }

  /** Closes the connection unless its state changes in time. */
  #limit(ms: number, reason: string): void {
    this.#timer = setTimeout(() => {
      const { log } = this.#parent;
      if (log.level >= LOG_DEBUG) log.debug(`${this.peer}: closed, ${reason} within ${ms} ms`);
      this.#close();
    }, ms);
  }
}

function peerName({ remoteAddress, remotePort }: ConnectionSocket): string {
  // Bun's types do not know that a Unix socket has neither.
  if ((remoteAddress as string | undefined) === undefined) return "localhost";
  const address = remoteAddress.replace(/^::ffff:(?=\d+\.)/, "");
  return address.includes(":") ? `[${address}]:${remotePort}` : `${address}:${remotePort}`;
}
