/** The process that owns the workers: it starts and ends them, hands them what they need, and reloads (config.md sections 8, 9). */
import { networkInterfaces } from "node:os";
import { changedSettings } from "../config/change.ts";
import { logDiagnostics } from "../config/diagnostic.ts";
import type { LoadedSettings, ReloadSettings } from "../config/load.ts";
import { secretsOf } from "../config/secrets.ts";
import type { Settings } from "../config/settings.ts";
import type { LogRing } from "../status/log-ring.ts";
import { SharedSlots } from "../status/shared-slots.ts";
import { WorkerTotals } from "../status/totals.ts";
import { type Log, type LogLevel, sayUnlessQuiet } from "../system/log.ts";
import { type Account, findAccount } from "../system/privileges.ts";
import { createSharedFloats, createSharedIntegers, mapFloats, mapIntegers } from "../system/shared-memory.ts";
import { keepSecret } from "../system/shown.ts";
import { TaskQueue } from "../system/task-queue.ts";
import type { FromWorker, InheritedSocket, ToWorker } from "../worker/messages.ts";
import { dropToUser } from "./drop-to-user.ts";
import { exposedListener } from "./exposure.ts";
import { HelperProcesses } from "./helper-processes.ts";
import { LoadedCopies } from "./loaded-copies.ts";
import { OwnedResources } from "./owned-resources.ts";
import { startProblems } from "./start-problems.ts";
import { StartReport } from "./start-report.ts";
import { StatusAggregator } from "./status-aggregator.ts";
import { type Asker, type SupervisorApi, takeStatusMessage } from "./status-messages.ts";
import { SuspectLists } from "./suspect-lists.ts";
import { Watchdog } from "./watchdog.ts";
import { STOP_TIMEOUT_MS, WorkerSlot, type WorkerSlotParent } from "./worker-slot.ts";

/** The most that `-w` can ask for: what is shared is made for so many, so that a reload can add workers. */
const MAX_WORKERS = 32;
/** In a worker, standard input, output and error are 0 to 2. */
const FIRST_INHERITED_FD = 3;

interface SupervisorOptions {
  readonly settings: Settings;
  readonly reload: ReloadSettings;
  readonly log: Log;
  /** Gets the lines of all processes. */
  readonly logRing: LogRing;
  /** Start a worker with these words and its id. */
  readonly workerCommand: readonly string[];
  /** Shows text on the terminal, if that is where standard output goes. */
  readonly print?: ((text: string) => void) | undefined;
  /** False: somebody else says where this relay is. Default true. */
  readonly hasBanner?: boolean;
}

export class Supervisor implements WorkerSlotParent, SupervisorApi {
  readonly log: Log;
  readonly status: StatusAggregator;
  readonly #options: SupervisorOptions;
  readonly #ownedResources: OwnedResources;
  readonly #clientSlotsFd = createSharedIntegers(SharedSlots.size(MAX_WORKERS));
  readonly #clientSlots = mapIntegers(this.#clientSlotsFd, SharedSlots.size(MAX_WORKERS));
  /** The workers that have not loaded it get it from here, and so do those that come later. */
  readonly #loaded: LoadedCopies;
  readonly #suspects: SuspectLists;
  readonly #watchdog: Watchdog;
  readonly #helpers = new HelperProcesses();
  readonly #report: StartReport;
  readonly #linkKey = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("hex");
  readonly #totalsFd = createSharedFloats(WorkerTotals.size(MAX_WORKERS));
  readonly #ready = Promise.withResolvers<void>();
  readonly #readyWorkers = new Set<number>();
  #isReadyAtAll = false;
  #settings: Settings;
  #logLevel: LogLevel;
  /** By id; those beyond the number of workers have been retired. */
  readonly #slots: WorkerSlot[] = [];
  /** Reloads come one after the other. */
  readonly #reloads: TaskQueue;
  #stopped: Promise<void> | undefined;

  constructor(options: SupervisorOptions) {
    const { log, settings } = options;
    this.#options = options;
    keepSecret(secretsOf(settings));
    this.#settings = settings;
    this.#logLevel = settings.verbosity;
    this.log = log;
    this.#reloads = new TaskQueue(log);
    this.#report = new StartReport({ log, print: options.print });
    this.status = new StatusAggregator(
      this,
      options.logRing,
      mapFloats(this.#totalsFd, WorkerTotals.size(MAX_WORKERS)),
    );
    this.#suspects = new SuspectLists(log);
    this.#watchdog = new Watchdog({
      ask: (worker) => this.tell(worker, { kind: "alive?" }),
      pidOf: (worker) => this.#slots[worker]?.pid ?? 0,
      hung: (worker, ms) => this.#replace(worker, ms),
    });
    this.#ownedResources = new OwnedResources(log);
    this.#loaded = new LoadedCopies(log, (loaded) => {
      for (const slot of this.#slots.slice(1)) slot.send({ kind: "loaded", loaded });
    });
  }

  /** The TCP addresses that are listened on. */
  get addresses(): readonly { readonly address: string; readonly port: number }[] {
    return this.#ownedResources.tcpSocketsOf(0);
  }

  /** When all workers of the start accept connections. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** @throws UnixSocketError, PidFileError, NothingToListenError, PrivilegeError; nothing is left behind then */
  async start(): Promise<void> {
    const { settings, log } = this.#options;
    log.info(`Starting sluice with ${settings.workers} worker(s)`);
    const account = settings.user === undefined ? undefined : findAccount(settings.user);
    await this.#ownedResources.acquire(settings);
    if (this.#stopped) return;
    if (account) this.#become(account);
    this.#warnOfStrangers(settings);
    for (const { message } of startProblems(settings)) log.error(message);
    this.#fillSlots(settings.workers);
    log.info("Entering monitoring loop");
  }

  /** Reads the configuration again and uses it, or changes nothing at all (config.md section 8). */
  reload(asker: Asker): Promise<void> {
    return this.#reloads.run("Configuration reload", async () => {
      if (this.#stopped) return;
      const who = asker === "signal" ? "Received SIGHUP" : `Reload asked for by the ${asker}`;
      this.log.info(`${who}, reloading configuration`);
      const outcome = this.#options.reload(this.#settings);
      if (outcome.kind === "no-file") {
        this.log.info("Only reload M3U/EPG, skipping configuration reload (config file path not set)");
        this.#broadcast({ kind: "settings", settings: this.#settings });
        return;
      }
      logDiagnostics(this.log, outcome.diagnostics);
      if (outcome.kind === "loaded") await this.#use(outcome);
      else this.log.error("Configuration reload failed, not forwarding SIGHUP to workers");
    });
  }

  /** Replaces every worker by a new process; their clients are cut off. */
  renewWorkers(asker: Asker): void {
    if (this.#stopped) return;
    const who = asker === "signal" ? "Received SIGUSR1" : `Restart asked for by the ${asker}`;
    this.log.info(`${who}, restarting workers, sending SIGTERM to tracked workers`);
    for (const slot of this.#slots) slot.renew();
  }

  /** Changes what all processes log, until the next start or until the configuration's own level changes. */
  setLogLevel(level: LogLevel): void {
    this.#logLevel = level;
    this.log.level = level;
    this.#broadcast({ kind: "log-level", level });
    this.status.changed();
  }

  /** Ends all workers and removes what the start made. Takes `STOP_TIMEOUT_MS` and a little at most. Harmless when repeated. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  launch(id: number) {
    const sockets: InheritedSocket[] = [];
    const descriptors: number[] = [];
    const hand = (fd: number) => FIRST_INHERITED_FD + descriptors.push(fd) - 1;
    for (const { fd, address, port } of this.#ownedResources.tcpSocketsOf(id))
      sockets.push({ fd: hand(fd), address, port });
    for (const { fd, path } of this.#ownedResources.unixSockets) sockets.push({ fd: hand(fd), path });
    return {
      command: [...this.#options.workerCommand, String(id)],
      descriptors,
      start: {
        kind: "start" as const,
        settings: this.#settings,
        logLevel: this.#logLevel,
        clientSlots: { fd: hand(this.#clientSlotsFd), workers: MAX_WORKERS },
        totals: { fd: hand(this.#totalsFd) },
        sockets,
        linkKey: this.#linkKey,
        loaded: this.#loaded.all,
        suspects: this.#suspects.all,
      },
    };
  }

  received(id: number, message: FromWorker): void {
    if (message.kind === "ready") this.#isReady(id);
    else if (message.kind === "reading") this.#suspects.begins(id, message.list);
    else if (message.kind === "read") this.#suspects.ends(id);
    else if (message.kind === "alive") this.#watchdog.answered(id);
    else if (message.kind === "channels") this.#report.loaded(message.loaded);
    else if (message.kind === "log") for (const line of message.lines) this.#options.logRing.append(line);
    else if (message.kind === "helper") this.#helpers.take(id, message);
    else if (message.kind === "loaded") this.#loaded.keep(message.loaded);
    else takeStatusMessage(id, message, this);
  }

  get logLevel(): LogLevel {
    return this.#logLevel;
  }

  get maxClients(): number {
    return this.#settings.maxClients;
  }

  get workers(): readonly { readonly id: number; readonly pid: number }[] {
    return this.#slots.slice(0, this.#settings.workers);
  }

  clearLogs(): void {
    this.#options.logRing.clear();
  }

  tell(worker: number, message: ToWorker): void {
    this.#slots[worker]?.send(message);
  }

  #isReady(id: number): void {
    this.#readyWorkers.add(id);
    this.status.ready(id);
    this.#watchdog.ready(id);
    if (this.#readyWorkers.size < this.#settings.workers || this.#isReadyAtAll) return;
    this.#isReadyAtAll = true;
    this.#ready.resolve();
    if (this.#options.hasBanner === false) return;
    const unixSockets = this.#ownedResources.unixSockets.map(({ path }) => path);
    this.#report.ready({ settings: this.#settings, listeners: this.addresses, unixSockets });
  }

  exited(id: number, pid: number, isDeath: boolean): void {
    const count = new SharedSlots(this.#clientSlots, id).reclaim();
    if (count > 0) this.log.info(`Reclaimed ${count} status client slot(s) from worker ${id} (pid ${pid})`);
    this.#helpers.end(id);
    this.status.exited(id);
    this.#watchdog.exited(id);
    this.#suspects.exited(id, isDeath);
  }

  #become(account: Account): void {
    const { settings, log, reload } = this.#options;
    try {
      this.#ownedResources.giveTo(account.uid, account.gid);
      dropToUser(account, settings, log);
    } catch (error) {
      this.#ownedResources.release();
      throw error;
    }
    const trial = reload(settings);
    const problem = trial.kind === "refused" ? trial.diagnostics.at(-1) : undefined;
    if (problem) log.warn(`${account.text} will not be able to reload: ${problem.message}`);
  }

  /** Its connections, and those that wait for it, are its successor's. */
  #replace(id: number, unansweredMs: number): void {
    const slot = this.#slots[id];
    if (!slot) return;
    const seconds = (unansweredMs / 1000).toFixed(1);
    this.log.error(`Worker ${id} (pid ${slot.pid}) has answered nothing for ${seconds} seconds, sending SIGKILL`);
    slot.kill();
  }

  async #stop(): Promise<void> {
    const timer = setTimeout(() => {
      const stuck = this.#slots.filter((slot) => !slot.isOver).length;
      this.log.warn(`${stuck} workers didn't exit gracefully, sending SIGKILL`);
    }, STOP_TIMEOUT_MS);
    this.#retire(0);
    // A reload that was under way may have started workers.
    await this.#reloads.idle;
    await this.#retire(0);
    clearTimeout(timer);
    this.log.info("All workers stopped, cleaning up");
    this.#cleanUp();
  }

  async #use({ settings, path }: LoadedSettings): Promise<void> {
    keepSecret(secretsOf(settings));
    const before = this.#settings;
    const changed = changedSettings(before, settings);
    const commit = await this.#ownedResources.prepare(settings, changed.has("listen"));
    if (!commit) return;
    this.#settings = settings;
    this.#report.close();
    this.#loaded.dropAllBut(settings.externalM3u);
    commit();
    this.log.info(`Configuration reloaded successfully from ${path}`);
    for (const { setting, message } of startProblems(settings)) if (changed.has(setting)) this.log.error(message);
    if (changed.has("user")) this.log.warn("Another user takes effect at the next start only");
    if (changed.has("verbosity")) this.setLogLevel(settings.verbosity);
    if (settings.workers < before.workers) {
      this.log.info(`Reducing worker count from ${before.workers} to ${settings.workers}`);
      this.#retire(settings.workers);
    }
    if (changed.has("listen")) {
      this.log.info("Bind addresses changed, sending SIGTERM to tracked workers");
      for (const slot of this.#slots) slot.renew();
    } else {
      this.log.info("Forwarding config reload, sending SIGHUP to tracked workers");
      this.#broadcast({ kind: "settings", settings });
    }
    this.#fillSlots(settings.workers);
    this.status.changed();
  }

  #warnOfStrangers({ r2hToken }: Settings): void {
    const own = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses.map(({ address }) => address));
    const exposed = r2hToken === undefined ? exposedListener(this.addresses, own) : undefined;
    if (exposed === undefined) return;
    const warning =
      `Reachable from public networks at ${exposed}, without a token: strangers may use this relay, and through it the ` +
      "network here; set r2h-token, or listen on an address of the home network only";
    sayUnlessQuiet(this.log, () => this.log.warn(warning));
  }

  #fillSlots(workers: number): void {
    for (const slot of this.#slots.slice(0, workers)) slot.refill();
    for (let id = this.#slots.length; id < workers; id++) this.#slots.push(new WorkerSlot(id, this));
  }

  /** Ends all workers from this id on. */
  async #retire(from: number): Promise<void> {
    await Promise.all(this.#slots.slice(from).map((slot) => slot.retire()));
  }

  #broadcast(message: ToWorker): void {
    for (const slot of this.#slots) slot.send(message);
  }

  #cleanUp(): void {
    this.#report.close();
    this.#loaded.close();
    this.#watchdog.stop();
    this.status.stop();
    this.#ownedResources.release();
  }
}
