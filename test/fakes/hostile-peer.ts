/**
 * A hostile HTTP and RTSP server, and whatever else sends bytes, driven by the data of `test/corpus/hostile`. Started by its path it
 * is a process of its own, so that what it does costs a test's senders and viewers nothing but processor time.
 */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CORPUS, type HostilePart, hostileBytes } from "./hostile-bytes.ts";

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
}

export type HostileKind = "rtsp" | "http" | "lists" | "guides" | "datagrams" | "requests";

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

/** Where the server listens; that an order has been carried out. */
export type HostileNews = { readonly port: number } | { readonly done: string };

const KINDS: readonly HostileKind[] = ["rtsp", "http", "lists", "guides", "datagrams", "requests"];
const ALL: Cases = Object.assign({}, ...KINDS.map(hostileCases));

/** Sends pieces as fast as the other side takes them. */
class Outflow {
  readonly #socket: Bun.Socket<Peer>;
  #pieces: Iterator<Uint8Array> | undefined;
  #piece: Uint8Array = new Uint8Array(0);
  #pieceBytes = Number.POSITIVE_INFINITY;
  #onSent: () => void = () => {};

  constructor(socket: Bun.Socket<Peer>) {
    this.#socket = socket;
  }

  start({ send, pieceBytes = Number.POSITIVE_INFINITY }: HostileCase, onSent: () => void): void {
    this.#pieces = hostileBytes(send);
    this.#pieceBytes = pieceBytes;
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

/** Sends a request, and takes what comes until the connection is closed. */
async function request({ name, host, port }: HostileOrder): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const socket: Bun.SocketHandler<Peer> = {
    ...handlers,
    data() {},
    close: () => resolve(),
    connectError: () => resolve(),
  };
  const connection = await Bun.connect<Peer>({ hostname: host, port, allowHalfOpen: true, socket });
  connection.data.outflow.start(ALL[name]!, () => connection.shutdown());
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

if (import.meta.main) {
  const listener = Bun.listen<Peer>({ hostname: "127.0.0.1", port: 0, allowHalfOpen: true, socket: handlers });
  const tell = (news: HostileNews) => process.send?.(news);
  process.on("message", async (order: HostileOrder) => {
    await (order.kind === "datagrams" ? datagrams : request)(order).catch(() => {});
    tell({ done: order.name });
  });
  process.on("disconnect", () => process.exit());
  tell({ port: listener.port });
}
