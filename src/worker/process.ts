/** A worker's process: it lives for its supervisor, does what that says, and ends when that is gone. */
import type { Loaded } from "../playlist/loaded.ts";
import { SharedSlots } from "../status/shared-slots.ts";
import { WorkerTotals } from "../status/totals.ts";
import { raiseDescriptorLimit } from "../system/descriptors.ts";
import { errorReason } from "../system/errno.ts";
import { createLog, LOG_ERROR, type Log, type LogLine } from "../system/log.ts";
import { keepToOurselves } from "../system/privileges.ts";
import { mapFloats, mapIntegers } from "../system/shared-memory.ts";
import type { FromWorker, StartMessage, ToWorker } from "./messages.ts";
import { Worker } from "./worker.ts";

/** The first one is there whatever the number of workers, and is replaced when it dies. */
const LOADING_WORKER = 0;
/** Log lines travel together. */
const LOG_BATCH_MS = 100;

/** @param id 0 or more; its word in the command line */
export function runWorkerProcess(id: number): void {
  if (!process.send) {
    process.stderr.write("sluice: 'worker' is for the program itself; start it without\n");
    process.exit(1);
  }
  new WorkerProcess(id);
}

class WorkerProcess {
  readonly #id: number;
  readonly #log: Log;
  #worker: Worker | undefined;
  /** A second signal does not cut short what the first one has begun. */
  #stopped: Promise<never> | undefined;
  #lines: LogLine[] = [];

  constructor(id: number) {
    this.#id = id;
    raiseDescriptorLimit();
    this.#log = createLog({ level: LOG_ERROR, prefix: `Worker ${id}`, onLine: (line) => this.#keep(line) });
    process.on("message", (message) => this.#take(message as ToWorker));
    process.on("disconnect", () => this.#stop());
    process.on("SIGTERM", () => this.#stop());
    // Ctrl-C reaches all processes of a terminal, and so may a careless kill: the supervisor tells us what to do.
    for (const signal of ["SIGINT", "SIGHUP", "SIGUSR1"] as const) process.on(signal, () => {});
  }

  #take(message: ToWorker): void {
    switch (message.kind) {
      case "start":
        this.#start(message);
        break;
      case "settings":
        this.#worker?.reload(message.settings);
        break;
      case "log-level":
        this.#log.level = message.level;
        break;
      case "alive?":
        this.#send({ kind: "alive" });
        break;
      case "loaded":
        this.#worker?.accept(message.loaded);
        break;
      default:
        this.#worker?.takeStatus(message);
    }
  }

  #start(message: StartMessage): void {
    const { settings, logLevel, sockets, clientSlots, totals, linkKey, loaded, suspects } = message;
    const log = this.#log;
    log.level = logLevel;
    if (settings.user !== undefined) keepToOurselves();
    log.info(`Worker ${this.#id} started (pid=${process.pid})`);
    const counters = mapIntegers(clientSlots.fd, SharedSlots.size(clientSlots.workers));
    // One worker loads for all: servers are asked once, and all publish the same (src/playlist/README.md).
    const onLoaded = (copy: Loaded) => this.#send({ kind: "loaded", loaded: copy });
    this.#worker = new Worker({
      id: this.#id,
      settings,
      log,
      sockets,
      clientSlots: new SharedSlots(counters, this.#id),
      totals: new WorkerTotals(mapFloats(totals.fd, WorkerTotals.size(clientSlots.workers)), this.#id),
      linkKey,
      loaded,
      suspects,
      reading: {
        begins: (list) => this.#send({ kind: "reading", list }),
        ends: () => this.#send({ kind: "read" }),
      },
      onLoaded: this.#id === LOADING_WORKER ? onLoaded : undefined,
      send: (message) => this.#send(message),
    });
    this.#send({ kind: "ready" });
  }

  #keep(line: LogLine): void {
    if (this.#lines.length === 0) setTimeout(() => this.#flush(), LOG_BATCH_MS);
    this.#lines.push(line);
  }

  #flush(): void {
    if (this.#lines.length > 0) this.#send({ kind: "log", lines: this.#lines });
    this.#lines = [];
  }

  /** False when the supervisor is gone; then the end of this process is on its way. */
  #send(message: FromWorker): boolean {
    if (!process.connected || !process.send) return false;
    process.send(message);
    return true;
  }

  #stop(): void {
    this.#stopped ??= this.#end();
  }

  async #end(): Promise<never> {
    try {
      await this.#worker?.stop();
    } catch (error) {
      this.#log.error(`The worker could not be stopped cleanly: ${errorReason(error)}`);
    }
    this.#flush();
    process.exit(0);
  }
}
