/**
 * A hostile HTTP and RTSP server, and whatever else sends bytes, driven by the data of `test/corpus/hostile`. Started by its path it
 * (and that of a certificate) it is a process of its own, so that what it does costs a test's senders and viewers nothing but processor time.
 */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CORPUS, type HostilePart, hostileBytes } from "./hostile-bytes.ts";
import { type Certificate, certificateAt } from "./http-origin.ts";

const HEAD_END = "\r\n\r\n";
const METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER";
const SDP = "v=0\r\nm=video 0 RTP/AVP 33\r\na=control:track1\r\n";
const DATAGRAMS_AT_ONCE = 64;

export interface HostileCase {
  /** What it is meant to hurt. */
  readonly why?: string;
  readonly send: readonly HostilePart[];
  /** RTSP: the request that is answered so; the ones before it are answered as they should be. */
  readonly at?: "OPTIONS" | "DESCRIBE" | "SETUP" | "PLAY";
  /** RTSP: only after the right answer. */
  readonly isBehind?: boolean;
  /** Bytes a write, with Nagle's algorithm off; as much as the kernel takes unless given. */
  readonly pieceBytes?: number;
  /** From one write to the next. */
  readonly pauseMs?: number;
  /** Requests: how many clients send it at the same time. */
  readonly clients?: number;
  /** Requests: how the answer is read; as it comes unless given. */
  readonly reads?: "never" | "slowly";
  /** Requests: the case of this server that is asked for through the program, instead of what `send` has. */
  readonly through?: string;
  /** Requests: the client goes then, whatever has come; it stays to the end unless given. */
  readonly staysMs?: number;
  /** Datagrams: they go where the judged stream goes. */
  readonly isForeign?: boolean;
}

export type HostileKind = "rtsp" | "http" | "tls" | "lists" | "guides" | "datagrams" | "requests";

type Cases = Readonly<Record<string, HostileCase>>;

const OK = "HTTP/1.1 200 OK\r\n";
const HLS = `${OK}Content-Type: application/x-mpegurl\r\n\r\n`;
const DATAGRAM_COPIES = 1000;

/**
 * What the corpora of the parsers are to the whole program: the kind, and what is made of a file. Lists and guides are left out: they
 * name hosts that are not ours.
 */
const PARSER_CORPORA: Readonly<Record<string, readonly [HostileKind, (file: HostilePart) => HostileCase]>> = {
  "http-request": ["requests", (file) => ({ send: [file] })],
  "http-response": ["http", (file) => ({ send: [file] })],
  chunked: ["http", (file) => ({ send: [`${OK}Transfer-Encoding: chunked\r\n\r\n`, file] })],
  hls: ["http", (file) => ({ send: [HLS, file] })],
  "rtsp-message": ["rtsp", (file) => ({ at: "DESCRIBE", send: [file] })],
  "rtsp-demux": ["rtsp", (file) => ({ at: "PLAY", isBehind: true, send: [file] })],
  ...Object.fromEntries(
    ["rtp", "mpegts", "fec", "fcc", "stun"].map((directory) => [
      directory,
      ["datagrams", (file) => ({ send: [{ datagrams: [file], count: DATAGRAM_COPIES }] })],
    ]),
  ),
};

/** The cases of a kind by their names: those of its own file, and those that the corpora of parsers make. */
export function hostileCases(kind: HostileKind): Cases {
  const cases: Record<string, HostileCase> = JSON.parse(readFileSync(join(CORPUS, "hostile", `${kind}.json`), "utf8"));
  for (const [directory, [ofKind, made]] of Object.entries(PARSER_CORPORA)) {
    if (ofKind !== kind) continue;
    for (const name of readdirSync(join(CORPUS, directory)).sort()) {
      cases[`${directory}.${name}`] = made({ file: `${directory}/${name}` });
    }
  }
  return cases;
}

/** What the process is told: send a case to a port, once, and say so. */
export interface HostileOrder {
  readonly kind: "datagrams" | "requests";
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export interface HostilePorts {
  readonly plain: number;
  /** The same over TLS. */
  readonly tls: number;
  /** Those that send as soon as somebody connects, by the names of their cases. */
  readonly raw: Readonly<Record<string, number>>;
}

/** Where the server listens; that an order has been carried out. */
export type HostileNews = { readonly ports: HostilePorts } | { readonly done: string };

const KINDS: readonly HostileKind[] = ["rtsp", "http", "tls", "lists", "guides", "datagrams", "requests"];
/** A slow reader takes what is there, this often. */
const SLOW_READ_MS = 100;
const ALL: Cases = Object.assign({}, ...KINDS.map(hostileCases));

/** Sends pieces as fast as the other side takes them. */
class Outflow {
  readonly #socket: Bun.Socket<Peer>;
  #pieces: Iterator<Uint8Array> | undefined;
  #piece: Uint8Array = new Uint8Array(0);
  #pieceBytes = Number.POSITIVE_INFINITY;
  #pauseMs = 0;
  #onSent: () => void = () => {};

  constructor(socket: Bun.Socket<Peer>) {
    this.#socket = socket;
  }

  start({ send, pieceBytes = Number.POSITIVE_INFINITY, pauseMs = 0 }: HostileCase, onSent: () => void): void {
    this.#pieces = hostileBytes(send);
    this.#pieceBytes = pieceBytes;
    this.#pauseMs = pauseMs;
    this.#onSent = onSent;
    if (pieceBytes < Number.POSITIVE_INFINITY) this.#socket.setNoDelay(true);
    this.flush();
  }

  flush(): void {
    while (this.#pieces) {
      if (this.#piece.length === 0) {
        const next = this.#pieces.next();
        if (next.done) {
          this.#pieces = undefined;
          this.#onSent();
          return;
        }
        this.#piece = next.value;
      }
      const length = Math.min(this.#piece.length, this.#pieceBytes);
      const taken = Math.max(0, this.#socket.write(this.#piece as Uint8Array<ArrayBuffer>, 0, length));
      this.#piece = this.#piece.subarray(taken);
      if (taken < length) return;
      if (this.#pauseMs > 0) {
        setTimeout(() => this.flush(), this.#pauseMs);
        return;
      }
    }
  }

  stop(): void {
    this.#pieces = undefined;
  }
}

/** One connection: to our server, or of ours as a client. */
class Peer {
  readonly outflow: Outflow;
  readonly #socket: Bun.Socket<Peer>;
  #text = "";

  constructor(socket: Bun.Socket<Peer>) {
    this.#socket = socket;
    this.outflow = new Outflow(socket);
  }

  received(bytes: Uint8Array): void {
    this.#text += Buffer.from(bytes).toString("latin1");
    for (let end = this.#text.indexOf(HEAD_END); end >= 0; end = this.#text.indexOf(HEAD_END)) {
      const head = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + HEAD_END.length);
      this.#answer(head);
    }
  }

  #answer(head: string): void {
    const [, method = "", url = "", protocol] = /^(\S+) (\S+) (HTTP|RTSP)\//.exec(head) ?? [];
    // An answer to a request of ours.
    if (protocol === undefined) return;
    const name = /([^/]+?)(?:\.m3u8?)?(?:\/track1)?\/?$/.exec(url)?.[1] ?? "";
    const hostile = ALL[name];
    if (!hostile) this.#socket.end();
    else if (protocol === "HTTP") this.outflow.start(hostile, () => this.#socket.shutdown());
    else if (protocol === "RTSP") this.#rtsp(method, url, head, hostile);
  }

  #rtsp(method: string, url: string, head: string, hostile: HostileCase): void {
    const isNow = method === hostile.at;
    if (!isNow || hostile.isBehind)
      this.#socket.write(rightAnswer(method, url, /^CSeq: *(\d+)/im.exec(head)?.[1] ?? ""));
    if (isNow) this.outflow.start(hostile, () => this.#socket.shutdown());
  }
}

function rightAnswer(method: string, url: string, cseq: string): string {
  const body = method === "DESCRIBE" ? SDP : "";
  const more: Readonly<Record<string, string>> = {
    OPTIONS: `Public: ${METHODS}\r\n`,
    DESCRIBE: `Content-Base: ${url}/\r\nContent-Type: application/sdp\r\nContent-Length: ${body.length}\r\n`,
    SETUP: "Session: 1;timeout=60\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n",
  };
  return `RTSP/1.0 200 OK\r\nCSeq: ${cseq}\r\n${more[method] ?? ""}\r\n${body}`;
}

const handlers: Bun.SocketHandler<Peer> = {
  open: (socket) => {
    socket.data = new Peer(socket);
  },
  data: ({ data }, bytes) => data.received(bytes),
  drain: ({ data }) => data.outflow.flush(),
  end: (socket) => {
    socket.end();
  },
  close: ({ data }) => data?.outflow.stop(),
  error() {},
};

/** Sends a request, and reads the answer as the case says until one side closes the connection. */
async function request({ name, host, port }: HostileOrder, plainPort: number): Promise<void> {
  const { reads, staysMs, through, ...hostile } = ALL[name]!;
  const relayed = `GET /http/127.0.0.1:${plainPort}/${through} HTTP/1.1\r\nHost: a.lan\r\n\r\n`;
  const send = through === undefined ? hostile.send : [relayed];
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket: Bun.SocketHandler<Peer> = {
    ...handlers,
    data(connection) {
      if (reads !== "slowly") return;
      connection.pause();
      setTimeout(() => connection.resume(), SLOW_READ_MS);
    },
    close: ({ data }) => {
      data.outflow.stop();
      resolve();
    },
    connectError: () => resolve(),
  };
  const connection = await Bun.connect<Peer>({ hostname: host, port, allowHalfOpen: true, socket });
  if (reads === "never") connection.pause();
  if (staysMs !== undefined) setTimeout(() => connection.terminate(), staysMs);
  connection.data.outflow.start({ ...hostile, send }, () => {
    if (staysMs === undefined) connection.shutdown();
  });
  await promise;
}

/** Each piece is a datagram. */
async function datagrams({ name, host, port }: HostileOrder): Promise<void> {
  const socket = await Bun.udpSocket({ hostname: "127.0.0.1", socket: { error() {} } });
  socket.setMulticastInterface("127.0.0.1");
  let sent = 0;
  for (const bytes of hostileBytes(ALL[name]!.send)) {
    socket.send(bytes, port, host);
    if (++sent % DATAGRAMS_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  socket.close();
}

function listen(socket: Bun.SocketHandler<Peer>, certificate?: Certificate): number {
  const tls = certificate && { key: Bun.file(certificate.keyFile), cert: Bun.file(certificate.file) };
  const where = { hostname: "127.0.0.1", port: 0, allowHalfOpen: true, ...(tls && { tls }) };
  return Bun.listen<Peer>({ ...where, socket }).port;
}

/** Answers each connection so, whatever is asked. */
function sending(hostile: HostileCase): Bun.SocketHandler<Peer> {
  return {
    ...handlers,
    open: (socket) => {
      socket.data = new Peer(socket);
      socket.data.outflow.start(hostile, () => socket.shutdown());
    },
    data() {},
  };
}

if (import.meta.main) {
  const [, , certificate = ""] = process.argv;
  const raw = Object.entries(hostileCases("tls")).map(([name, hostile]) => [name, listen(sending(hostile))]);
  const ports = {
    plain: listen(handlers),
    tls: listen(handlers, certificateAt(certificate)),
    raw: Object.fromEntries(raw),
  };
  const tell = (news: HostileNews) => process.send?.(news);
  process.on("message", async (order: HostileOrder) => {
    await (order.kind === "datagrams" ? datagrams(order) : request(order, ports.plain)).catch(() => {});
    tell({ done: order.name });
  });
  process.on("disconnect", () => process.exit());
  tell({ ports });
}
