/** Listening sockets and the connections they accept. */
import { errnoWords } from "../system/errno.ts";
import type { Log } from "../system/log.ts";
import { tuneListeningSocket } from "../system/tcp.ts";
import type { RequestHandler } from "./connection.ts";
import { Connection, type ConnectionParent, type ConnectionSocket, type ConnectionTimeouts } from "./connection.ts";
import { type Activity, ConnectionTable } from "./connection-table.ts";
import { errorResponse, type HttpResponse } from "./response.ts";

const HEAD_TIMEOUT_MS = 30_000;
const BODY_TIMEOUT_MS = 60_000;
const LINGER_MS = 2000;
/** Longer than a FIN is behind its request in any network, and shorter than anybody stays on a channel. */
const HALF_CLOSE_MS = 250;
/** Longer than the pause between two events of the status page. */
const LEFT_MS = 2000;
const USUAL_LIMITS = { total: 1024, perAddress: 1024 };
/** Bodies that are under way at the same time. Without it, 1024 clients could each make us hold 4 MiB. */
const MAX_BODIES_BYTES = 32 * 1024 * 1024;

type ListenAddress =
  /** `ipv6Only` makes `::` leave IPv4 to another socket on the same port. Port 0 takes a free one. */
  | { readonly hostname: string; readonly port: number; readonly ipv6Only?: boolean }
  | { readonly unix: string }
  /** A listening socket that somebody else has made; it is ours now. */
  | { readonly fd: number };

export type ListenOptions = ListenAddress & {
  readonly log: Log;
  readonly handler: RequestHandler;
  /** Of all listeners that have its connections; by default one of its own. */
  readonly table?: ConnectionTable;
  readonly timeouts?: Partial<ConnectionTimeouts>;
  /** Makes the pages for requests that no handler sees; by default without extra headers. */
  readonly errorResponse?: (status: number) => HttpResponse;
};

export interface HttpListener {
  /** Path of a Unix socket; empty for an adopted one. */
  readonly hostname: string;
  /** 0 for a Unix socket or an adopted one. */
  readonly port: number;
  /** How many connections are open. */
  readonly connections: number;
  /** Closes the socket and every connection at once. */
  stop(): void;
}

/** An address that cannot be listened on. The message names address and reason. */
class ListenError extends Error {
  /** As the kernel says it, e.g. `EADDRINUSE`; `EUNKNOWN` when it was not the kernel. */
  readonly code: string;
  readonly address: string;

  constructor(address: string, cause: Error & { readonly code?: string; readonly errno?: number }) {
    const reason = cause.errno === undefined ? cause.message : errnoWords(cause.errno);
    super(`${address}: ${reason}`, { cause });
    this.code = cause.code ?? "EUNKNOWN";
    this.address = address;
  }
}

/**
 * Listens, and hands every complete request to `handler`.
 * @throws ListenError
 */
export function listen(options: ListenOptions): HttpListener {
  return new Server(options);
}

class Server implements HttpListener, ConnectionParent {
  readonly hostname: string;
  readonly port: number;
  readonly log: Log;
  readonly handler: RequestHandler;
  readonly timeouts: ConnectionTimeouts;
  readonly errorResponse: (status: number) => HttpResponse;
  readonly #socket: Bun.SocketListener<Connection | undefined>;
  readonly #table: ConnectionTable;
  readonly #connections = new Set<Connection>();
  #bodiesBytes = 0;

  constructor(options: ListenOptions) {
    this.log = options.log;
    this.handler = options.handler;
    this.errorResponse = options.errorResponse ?? errorResponse;
    this.#table = options.table ?? new ConnectionTable(USUAL_LIMITS, options.log);
    this.timeouts = {
      headMs: HEAD_TIMEOUT_MS,
      bodyMs: BODY_TIMEOUT_MS,
      lingerMs: LINGER_MS,
      halfCloseMs: HALF_CLOSE_MS,
      leftMs: LEFT_MS,
      ...options.timeouts,
    };
    const socket = bind(options, (accepted) => this.#accept(accepted));
    tuneListeningSocket(socket.fd);
    this.#socket = socket;
    this.hostname = socket.hostname ?? ("unix" in options ? options.unix : "");
    this.port = socket.port ?? 0;
  }

  get connections(): number {
    return this.#connections.size;
  }

  stop(): void {
    this.#socket.stop();
    for (const connection of this.#connections) connection.abort();
  }

  reserveBody(bytes: number): boolean {
    if (this.#bodiesBytes + bytes > MAX_BODIES_BYTES) return false;
    this.#bodiesBytes += bytes;
    return true;
  }

  releaseBody(bytes: number): void {
    this.#bodiesBytes -= bytes;
  }

  entered(connection: Connection, activity: Activity): void {
    this.#table.entered(connection, activity);
  }

  closed(connection: Connection): void {
    this.#connections.delete(connection);
    this.#table.remove(connection);
  }

  #accept(socket: ConnectionSocket): void {
    const { fd, remoteAddress } = socket;
    if (!this.#table.makeRoom(fd, remoteAddress)) {
      socket.terminate();
      return;
    }
    const connection = new Connection(socket, this);
    socket.data = connection;
    this.#connections.add(connection);
    this.#table.add(connection, fd, remoteAddress);
  }
}

/** What Bun really returns: its types leave out the descriptor and adopted sockets. */
type BoundSocket = Bun.SocketListener<Connection | undefined> & {
  readonly fd: number;
  readonly hostname?: string;
  readonly port?: number;
};

function bind(address: ListenAddress, open: (socket: ConnectionSocket) => void): BoundSocket {
  const socket: Bun.SocketHandler<Connection | undefined> = {
    open: (accepted) => open(accepted as ConnectionSocket),
    data: ({ data }, piece) => data?.received(piece),
    drain: ({ data }) => data?.drained(),
    end: ({ data }) => data?.ended(),
    close: ({ data }) => data?.socketClosed(),
    error: ({ data }, error) => data?.failed(error),
  };
  try {
    // By default Bun answers a client's FIN with its own, in the middle of the answer.
    return Bun.listen({ ...bunAddress(address), allowHalfOpen: true, socket }) as unknown as BoundSocket;
  } catch (error) {
    throw new ListenError(addressText(address), error as Error);
  }
}

/** Typed as the TCP form, the only one whose options Bun's types know in full. */
function bunAddress(address: ListenAddress): { hostname: string; port: number } {
  if ("unix" in address) return { unix: address.unix } as never;
  if ("fd" in address) return { fd: address.fd } as never;
  const { hostname, port, ipv6Only = false } = address;
  return { hostname, port, ...(ipv6Only && { ipv6Only }) };
}

function addressText(address: ListenAddress): string {
  if ("unix" in address) return address.unix;
  return "fd" in address ? `descriptor ${address.fd}` : `${address.hostname} port ${address.port}`;
}
