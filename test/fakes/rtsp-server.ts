/** An RTSP server with verifiable MPEG-TS that answers as it should, or as a script tells it; it records all it is sent. */

import { type Cut, RtspConnection } from "./rtsp-connection.ts";
import type { ClientRequest } from "./rtsp-input.ts";
import { type DatagramOptions, DatagramSource } from "./ts-datagrams.ts";

export interface RtspAnswer {
  readonly status: number;
  readonly reason: string;
  /** One that is undefined is not sent. `Content-Length` is made from the body unless it stands here. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
  /** Bytes right before and behind it. */
  readonly before?: Uint8Array;
  readonly after?: Uint8Array;
  /** What comes behind all that. */
  readonly end?: "eof" | "reset";
}

/** Raw bytes, no answer at all, or the end of the connection instead of one. */
export type RtspReaction = RtspAnswer | Uint8Array | "silence" | "eof" | "reset";

/** Turns the right answer into what is done. */
export type React = (usual: RtspAnswer, request: ClientRequest, connection: RtspConnection) => RtspReaction;

export interface RtspServerOptions {
  /** Address of the server, without brackets. Default `127.0.0.1`. */
  readonly host?: string;
  /** What SETUP chooses. Default `tcp`. */
  readonly transport?: "tcp" | "udp";
  /** Default RTP of stream 1. */
  readonly media?: Partial<DatagramOptions>;
  /** After PLAY, so many datagrams every 5 ms; 0: only `sendMedia` sends. Default 1 (2 Mb/s). */
  readonly datagramsPerBeat?: number;
  readonly sdp?: string;
  readonly react?: React;
  readonly cut?: Cut;
}

/** Does something else for one method. */
export function on(method: string, react: React): React {
  return (usual, request, connection) => (request.method === method ? react(usual, request, connection) : usual);
}

/** Several reactions, each for methods of its own. */
export function together(...reactions: readonly React[]): React {
  return (usual, request, connection) => {
    for (const react of reactions) {
      const reaction = react(usual, request, connection);
      if (reaction !== usual) return reaction;
    }
    return usual;
  };
}

/** The server wants to hear from us every second, so that we write every half. */
export const impatient = on("SETUP", (usual) => ({
  ...usual,
  headers: { ...usual.headers, Session: "fake-1;timeout=1" },
}));

const BEAT_MS = 5;
const METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER";
const SESSION_METHODS = ["PLAY", "TEARDOWN"];
const SDP = [
  ...["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=fake", "t=0 0", "a=range:npt=0-60.5"],
  ...["m=video 0 RTP/AVP 33", "a=rtpmap:33 MP2T/90000", "a=control:track1", ""],
].join("\r\n");

export class RtspServer {
  /** Of all connections, in their order. */
  readonly requests: ClientRequest[] = [];
  /** Heads of the client's responses to requests that a test sent it. */
  readonly responses: string[] = [];
  /** What the client did wrong. */
  readonly violations: string[] = [];
  readonly connections: RtspConnection[] = [];
  /** Sessions that were set up and not torn down, with the connection each came on. */
  readonly sessions = new Map<string, RtspConnection>();
  /** Datagrams that came to the ports of the server. */
  readonly datagrams: { readonly to: "rtp" | "rtcp"; readonly bytes: Uint8Array }[] = [];

  readonly #options: RtspServerOptions;
  #listener!: Bun.TCPSocketListener<RtspConnection | undefined>;
  #rtpSocket!: Bun.udp.Socket<"buffer">;
  #rtcpSocket!: Bun.udp.Socket<"buffer">;
  #sessionCount = 0;

  private constructor(options: RtspServerOptions) {
    this.#options = options;
  }

  /** Listens on free ports. Close it with `close()` or `using`. */
  static async open(options: RtspServerOptions = {}): Promise<RtspServer> {
    const server = new RtspServer(options);
    server.#rtpSocket = await server.#openUdp("rtp");
    server.#rtcpSocket = await server.#openUdp("rtcp");
    server.#listener = Bun.listen<RtspConnection | undefined>({
      hostname: server.host,
      port: 0,
      allowHalfOpen: true,
      data: undefined,
      socket: {
        open: (socket) => server.#accept(socket),
        data: ({ data }, chunk) => data?.received(chunk),
        drain: ({ data }) => data?.flush(),
        end: ({ data }) => {
          if (data?.state === "open") data.state = "ended";
        },
        close: ({ data }) => data?.closed(),
        error: () => {},
      },
    });
    return server;
  }

  get port(): number {
    return this.#listener.port;
  }

  get host(): string {
    return this.#options.host ?? "127.0.0.1";
  }

  /** Methods of all requests so far. */
  get methods(): string[] {
    return this.requests.map(({ method }) => method);
  }

  /** How often it was asked this. */
  count(method: string): number {
    return this.methods.filter((asked) => asked === method).length;
  }

  /** The RTSP URL of a path that begins with `/`. */
  url(path: string): string {
    const host = this.host.includes(":") ? `[${this.host}]` : this.host;
    return `rtsp://${host}:${this.port}${path}`;
  }

  close(): void {
    for (const connection of this.connections) connection.pauseMedia();
    this.#listener.stop(true);
    this.#rtpSocket.close();
    this.#rtcpSocket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #openUdp(to: "rtp" | "rtcp"): Promise<Bun.udp.Socket<"buffer">> {
    const data = (_: unknown, bytes: Buffer) => {
      this.datagrams.push({ to, bytes: Uint8Array.from(bytes) });
    };
    // Without an error handler a client's closed port would end the process.
    return Bun.udpSocket({ hostname: this.host, socket: { data, error() {} } });
  }

  #accept(socket: Bun.Socket<RtspConnection | undefined>): void {
    const { media, cut } = this.#options;
    const parent = {
      request: (request: ClientRequest) => this.#take(request, connection),
      response: (raw: string) => void this.responses.push(raw),
      violated: (what: string) => void this.violations.push(what),
    };
    const source = new DatagramSource({ streamId: 1, carrier: "rtp", ...media });
    const connection = new RtspConnection(socket, this.connections.length + 1, parent, source, cut);
    socket.data = connection;
    this.connections.push(connection);
  }

  #take(request: ClientRequest, connection: RtspConnection): void {
    this.requests.push(request);
    const usual = this.#usualAnswer(request, connection);
    const reaction = this.#options.react?.(usual, request, connection) ?? usual;
    if (reaction === "silence") return;
    if (reaction === "eof" || reaction === "reset") {
      connection.end(reaction);
      return;
    }
    const isRaw = reaction instanceof Uint8Array;
    connection.send(isRaw ? reaction : emitAnswer(reaction));
    const { datagramsPerBeat = 1 } = this.#options;
    const isPlaying = request.method === "PLAY" && (isRaw || reaction.status === 200);
    if (isPlaying && datagramsPerBeat > 0) connection.startMedia(datagramsPerBeat, BEAT_MS);
    if (!isRaw && reaction.end) connection.end(reaction.end);
  }

  #usualAnswer(request: ClientRequest, connection: RtspConnection): RtspAnswer {
    const { method, url, headers } = request;
    const CSeq = headers.get("cseq") ?? undefined;
    const id = headers.get("session") ?? "";
    const ok = (more: RtspAnswer["headers"], body = "") => answer(200, "OK", { CSeq, ...more }, body);
    if (SESSION_METHODS.includes(method) && !this.sessions.has(id)) {
      return answer(454, "Session Not Found", { CSeq });
    }
    switch (method) {
      case "OPTIONS":
        return ok({ Public: METHODS });
      case "DESCRIBE":
        return ok({ "Content-Type": "application/sdp", "Content-Base": `${url}/` }, this.#options.sdp ?? SDP);
      case "SETUP":
        return this.#setUp(request, connection, CSeq);
      case "PLAY":
        return ok({ Session: id, Range: headers.get("range") ?? "npt=0-", Scale: "1.0" });
      case "GET_PARAMETER":
        return ok({ Session: id || undefined });
      case "TEARDOWN":
        this.sessions.get(id)?.pauseMedia();
        this.sessions.delete(id);
        return ok({ Session: id });
      default:
        return answer(501, "Not Implemented", { CSeq });
    }
  }

  /** Takes the first offer of the transport that the options ask for. */
  #setUp({ headers }: ClientRequest, connection: RtspConnection, CSeq: string | undefined): RtspAnswer {
    const offers = headers.get("transport")?.split(",") ?? [];
    const isUdp = this.#options.transport === "udp";
    const offer = offers.find((text) => (isUdp ? /client_port=\d+-\d+/ : /interleaved=\d+-\d+/).test(text));
    if (offer === undefined) return answer(461, "Unsupported Transport", { CSeq });
    const number = Number(/(?:client_port|interleaved)=(\d+)/.exec(offer)?.[1]);
    const ports = `server_port=${this.#rtpSocket.port}-${this.#rtcpSocket.port}`;
    connection.destination = isUdp
      ? { kind: "udp", socket: this.#rtpSocket, host: connection.remoteAddress, port: number }
      : { kind: "tcp", channel: number };
    const id = `fake-${++this.#sessionCount}`;
    this.sessions.set(id, connection);
    return answer(200, "OK", { CSeq, Session: `${id};timeout=60`, Transport: isUdp ? `${offer};${ports}` : offer });
  }
}

/** An answer without a body unless one is given. */
export function answer(status: number, reason: string, headers: RtspAnswer["headers"], body = ""): RtspAnswer {
  return { status, reason, headers, body };
}

/** An answer as bytes, with what stands before and behind it. */
export function emitAnswer({ status, reason, headers, body, before, after }: RtspAnswer): Uint8Array {
  const all = { ...(body === "" ? {} : { "Content-Length": String(body.length) }), ...headers };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}\r\n`]));
  const text = `RTSP/1.0 ${status} ${reason}\r\n${lines.join("")}\r\n${body}`;
  return Buffer.concat([before ?? Buffer.of(), Buffer.from(text, "latin1"), after ?? Buffer.of()]);
}
