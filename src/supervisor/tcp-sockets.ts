/** The TCP sockets of all workers, one for each worker and address, and how a reload changes them (config.md section 10). */
import type { TcpAddress } from "../config/settings.ts";
import type { Log } from "../system/log.ts";
import { closeSocket } from "../system/socket.ts";
import {
  openSibling,
  openTcpListeners,
  ResolveError,
  type TcpListenError,
  type TcpListener,
} from "../system/tcp-listener.ts";

/** The sockets on one address: the kernel spreads connections over them, and each waits for its worker's respawn. */
interface SharedAddress {
  /** The entry of the bind list that asked for it. */
  readonly endpoint: string;
  /** By worker. */
  readonly sockets: readonly TcpListener[];
}

/** A change of the sockets that can still be taken back. Call one of the two, once. */
interface TcpSocketsChange {
  /** How many addresses there will be. */
  readonly addresses: number;
  commit(): void;
  rollback(): void;
}

export class TcpSockets {
  readonly #log: Log;
  #open: readonly SharedAddress[] = [];

  constructor(log: Log) {
    this.#log = log;
  }

  get descriptors(): number[] {
    return this.#open.flatMap(({ sockets }) => sockets.map(({ fd }) => fd));
  }

  /** A worker's sockets. */
  of(worker: number): TcpListener[] {
    return this.#open.flatMap(({ sockets }) => sockets[worker] ?? []);
  }

  /**
   * Listens on `endpoints` for `workers` workers; an address that is listened on already keeps its sockets. One that cannot be
   * bound is logged and left out.
   */
  async prepare(endpoints: readonly TcpAddress[], workers: number): Promise<TcpSocketsChange> {
    const before = this.#open;
    const after: SharedAddress[] = [];
    for (const endpoint of endpoints) {
      const name = `${endpoint.host ?? "*"} ${endpoint.port}`;
      if (after.some((known) => known.endpoint === name)) continue;
      const kept = before.filter((known) => known.endpoint === name);
      const shared = kept.length > 0 ? kept : await this.#listen(name, endpoint);
      after.push(...shared.map((address) => this.#forWorkers(address, workers)));
    }
    const isIn = (addresses: readonly SharedAddress[], socket: TcpListener) =>
      addresses.some(({ sockets }) => sockets.includes(socket));
    const closeAllBut = (wanted: readonly SharedAddress[], addresses: readonly SharedAddress[]) => {
      for (const socket of addresses.flatMap(({ sockets }) => sockets))
        if (!isIn(wanted, socket)) closeSocket(socket.fd);
    };
    return {
      addresses: after.length,
      commit: () => {
        this.#open = after;
        closeAllBut(after, before);
      },
      rollback: () => closeAllBut(before, after),
    };
  }

  close(): void {
    for (const { sockets } of this.#open) for (const { fd } of sockets) closeSocket(fd);
    this.#open = [];
  }

  async #listen(name: string, endpoint: TcpAddress): Promise<SharedAddress[]> {
    try {
      const onSamePort = this.#open.flatMap(({ sockets }) => sockets).filter(({ port }) => port === endpoint.port);
      const { listeners, failures } = await openTcpListeners(endpoint, onSamePort);
      for (const { message } of failures) this.#log.error(message);
      for (const { address, port } of listeners) this.#log.info(`Listening on ${address} port ${port}`);
      return listeners.map((listener) => ({ endpoint: name, sockets: [listener] }));
    } catch (error) {
      if (!(error instanceof ResolveError)) throw error;
      this.#log.error(error.message);
      return [];
    }
  }

  #forWorkers(address: SharedAddress, workers: number): SharedAddress {
    const sockets = address.sockets.slice(0, workers);
    try {
      while (sockets.length < workers) sockets.push(openSibling(sockets[0]!));
    } catch (error) {
      // The other workers serve the address.
      this.#log.error((error as TcpListenError).message);
    }
    return { endpoint: address.endpoint, sockets };
  }
}
