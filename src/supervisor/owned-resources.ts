/** What the supervisor holds while it runs, its PID file and listening sockets; a reload changes all of them or none (config.md section 8). */
import { fchownSync } from "node:fs";
import { tcpAddresses, unixPaths } from "../config/listen.ts";
import type { Settings } from "../config/settings.ts";
import type { Log } from "../system/log.ts";
import { PidFile } from "../system/pid-file.ts";
import type { TcpListener } from "../system/tcp-listener.ts";
import { UnixListeners } from "../system/unix-listeners.ts";
import type { UnixListener } from "../system/unix-socket.ts";
import { TcpSockets } from "./tcp-sockets.ts";

/** None of the addresses could be listened on; each reason has been logged. */
export class NothingToListenError extends Error {
  readonly code = "nothing-to-listen";

  constructor() {
    super("No socket to listen!");
  }
}

export class OwnedResources {
  readonly #log: Log;
  readonly #pidFile: PidFile;
  readonly #unix: UnixListeners;
  readonly #tcp: TcpSockets;

  constructor(log: Log) {
    this.#log = log;
    this.#pidFile = new PidFile(log);
    this.#unix = new UnixListeners(log);
    this.#tcp = new TcpSockets(log);
  }

  /** The TCP sockets of one worker, on all addresses. */
  tcpSocketsOf(worker: number): readonly TcpListener[] {
    return this.#tcp.of(worker);
  }

  /** All workers accept on the same ones. */
  get unixSockets(): readonly UnixListener[] {
    return this.#unix.all;
  }

  /** Makes everything for the first time. @throws UnixSocketError, PidFileError, NothingToListenError; nothing is left behind then */
  async acquire({ listen, pidFile, workers }: Settings): Promise<void> {
    try {
      this.#unix.prepare(unixPaths(listen)).commit();
      if (pidFile !== undefined) this.#pidFile.acquire(pidFile);
      const tcp = await this.#tcp.prepare(tcpAddresses(listen), workers);
      tcp.commit();
      if (tcp.addresses + this.#unix.all.length === 0) throw new NothingToListenError();
    } catch (error) {
      this.release();
      throw error;
    }
  }

  /**
   * Makes everything that new settings need while the old is kept; the answer puts it to use. Undefined when that is impossible:
   * the reason has been logged, and nothing has changed.
   */
  async prepare({ listen, pidFile, workers }: Settings, hasNewAddresses: boolean): Promise<(() => void) | undefined> {
    const undo: (() => void)[] = [];
    const commits: (() => void)[] = [];
    let failure = "Failed to prepare PID file after configuration reload";
    try {
      const pid = this.#pidFile.prepareMove(pidFile);
      undo.push(() => pid.rollback());
      failure = "Configuration reload failed, keeping existing workers and listeners";
      const tcp = await this.#tcp.prepare(tcpAddresses(listen), workers);
      undo.push(() => tcp.rollback());
      commits.push(() => tcp.commit());
      if (hasNewAddresses) {
        const unix = this.#unix.prepare(unixPaths(listen));
        undo.push(() => unix.rollback());
        commits.push(() => unix.commit());
      }
      if (tcp.addresses + unixPaths(listen).length === 0) throw new NothingToListenError();
      commits.push(() => pid.commit());
    } catch (error) {
      for (const step of undo.reverse()) step();
      this.#log.error((error as Error).message);
      this.#log.error(failure);
      return undefined;
    }
    return () => {
      for (const step of commits) step();
    };
  }

  /** Sockets of another owner would share no port with those that are made later (socket(7), SO_REUSEPORT). */
  giveTo(uid: number, gid: number): void {
    for (const fd of this.#tcp.descriptors) fchownSync(fd, uid, gid);
  }

  /** Closes the sockets and removes their files and the PID file. */
  release(): void {
    this.#tcp.close();
    this.#unix.close();
    this.#pidFile.remove();
  }
}
