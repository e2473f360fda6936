/** All workers: their slots, what they are handed and share, and who hangs, has died of a list or left a process (config.md section 9). */
import { SharedSlots } from "../status/shared-slots.ts";
import { WorkerTotals } from "../status/totals.ts";
import type { Log } from "../system/log.ts";
import { createSharedFloats, createSharedIntegers, mapFloats, mapIntegers } from "../system/shared-memory.ts";
import type { FromWorker, InheritedSocket, StartMessage, ToWorker } from "../worker/messages.ts";
import { HelperProcesses } from "./helper-processes.ts";
import type { OwnedResources } from "./owned-resources.ts";
import { SuspectLists } from "./suspect-lists.ts";
import { Watchdog } from "./watchdog.ts";
import { WorkerSlot, type WorkerSlotParent } from "./worker-slot.ts";

/** The most that `-w` can ask for: what is shared is made for so many, so that a reload can add workers. */
const MAX_WORKERS = 32;
/** In a worker, standard input, output and error are 0 to 2. */
const FIRST_INHERITED_FD = 3;

/** What workers say that concerns others too. */
export type ForSupervisor = Exclude<FromWorker, { readonly kind: "ready" | "reading" | "read" | "alive" | "helper" }>;

export interface WorkersParent {
  readonly log: Log;
  /** What is so for a worker that starts now. */
  readonly facts: Pick<StartMessage, "settings" | "logLevel" | "loaded">;
  /** It takes connections from now on. */
  accepts(id: number): void;
  received(id: number, message: ForSupervisor): void;
  /** Its process is gone, and is not replaced yet. */
  exited(id: number): void;
}

export class Workers implements WorkerSlotParent {
  readonly log: Log;
  /** A view of what all of them count into. */
  readonly totals: Float64Array;
  readonly #parent: WorkersParent;
  readonly #resources: OwnedResources;
  /** Start a worker with these words and its id. */
  readonly #command: readonly string[];
  readonly #clientSlotsFd = createSharedIntegers(SharedSlots.size(MAX_WORKERS));
  readonly #clientSlots = mapIntegers(this.#clientSlotsFd, SharedSlots.size(MAX_WORKERS));
  readonly #totalsFd = createSharedFloats(WorkerTotals.size(MAX_WORKERS));
  readonly #linkKey = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex");
  readonly #suspects: SuspectLists;
  readonly #watchdog: Watchdog;
  readonly #helpers = new HelperProcesses();
  /** By id; those beyond the number of workers have been retired. */
  readonly #slots: WorkerSlot[] = [];

  constructor(parent: WorkersParent, resources: OwnedResources, command: readonly string[]) {
    this.#parent = parent;
    this.#resources = resources;
    this.#command = command;
    this.log = parent.log;
    this.totals = mapFloats(this.#totalsFd, WorkerTotals.size(MAX_WORKERS));
    this.#suspects = new SuspectLists(this.log);
    this.#watchdog = new Watchdog({
      ask: (worker) => this.tell(worker, { kind: "alive?" }),
      pidOf: (worker) => this.#slots[worker]?.pid ?? 0,
      hung: (worker, ms) => this.#replace(worker, ms),
    });
  }

  /** The first so many. */
  first(count: number): readonly { readonly id: number; readonly pid: number }[] {
    return this.#slots.slice(0, count);
  }

  /** How many have processes still, or will have. */
  get left(): number {
    return this.#slots.filter((slot) => !slot.isOver).length;
  }

  tell(worker: number, message: ToWorker): void {
    this.#slots[worker]?.send(message);
  }

  /** @param from the first one that is told */
  tellAll(message: ToWorker, from = 0): void {
    for (const slot of this.#slots.slice(from)) slot.send(message);
  }

  /** Sees that so many run, or will when their slots are free. */
  fill(count: number): void {
    for (const slot of this.#slots.slice(0, count)) slot.refill();
    for (let id = this.#slots.length; id < count; id++) this.#slots.push(new WorkerSlot(id, this));
  }

  /** Replaces every one by a new process. */
  renew(): void {
    for (const slot of this.#slots) slot.renew();
  }

  /** Ends all from this id on. */
  async retire(from: number): Promise<void> {
    await Promise.all(this.#slots.slice(from).map((slot) => slot.retire()));
  }

  /** When all have ended. */
  close(): void {
    this.#watchdog.stop();
  }

  launch(id: number) {
    const sockets: InheritedSocket[] = [];
    const descriptors: number[] = [];
    const hand = (fd: number) => FIRST_INHERITED_FD + descriptors.push(fd) - 1;
    for (const { fd, address, port } of this.#resources.tcpSocketsOf(id)) sockets.push({ fd: hand(fd), address, port });
    for (const { fd, path } of this.#resources.unixSockets) sockets.push({ fd: hand(fd), path });
    return {
      command: [...this.#command, String(id)],
      descriptors,
      start: {
        ...this.#parent.facts,
        kind: "start" as const,
        clientSlots: { fd: hand(this.#clientSlotsFd), workers: MAX_WORKERS },
        totals: { fd: hand(this.#totalsFd) },
        sockets,
        linkKey: this.#linkKey,
        suspects: this.#suspects.all,
      },
    };
  }

  received(id: number, message: FromWorker): void {
    if (message.kind === "ready") {
      this.#watchdog.ready(id);
      this.#parent.accepts(id);
    } else if (message.kind === "reading") this.#suspects.begins(id, message.list);
    else if (message.kind === "read") this.#suspects.ends(id);
    else if (message.kind === "alive") this.#watchdog.answered(id);
    else if (message.kind === "helper") this.#helpers.take(id, message);
    else this.#parent.received(id, message);
  }

  exited(id: number, pid: number, isDeath: boolean): void {
    const count = new SharedSlots(this.#clientSlots, id).reclaim();
    if (count > 0) this.log.info(`Reclaimed ${count} status client slot(s) from worker ${id} (pid ${pid})`);
    this.#helpers.end(id);
    this.#parent.exited(id);
    this.#watchdog.exited(id);
    this.#suspects.exited(id, isDeath);
  }

  /** Its connections, and those that wait for it, are its successor's. */
  #replace(id: number, unansweredMs: number): void {
    const slot = this.#slots[id];
    if (!slot) return;
    const seconds = (unansweredMs / 1000).toFixed(1);
    this.log.error(`Worker ${id} (pid ${slot.pid}) has answered nothing for ${seconds} seconds, sending SIGKILL`);
    slot.kill();
  }
}
