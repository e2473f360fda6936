/** The process that owns all that workers use: it starts, stops, and reloads (config.md sections 8, 9). */
import { networkInterfaces } from "node:os";
import { changedSettings } from "../config/change.ts";
import { logDiagnostics } from "../config/diagnostic.ts";
import type { LoadedSettings, ReloadSettings } from "../config/load.ts";
import { secretsOf } from "../config/secrets.ts";
import type { Settings } from "../config/settings.ts";
import type { LogRing } from "../status/log-ring.ts";
import { type Log, type LogLevel, sayUnlessQuiet } from "../system/log.ts";
import { type Account, findAccount } from "../system/privileges.ts";
import { keepSecret } from "../system/shown.ts";
import { TaskQueue } from "../system/task-queue.ts";
import type { ToWorker } from "../worker/messages.ts";
import { dropToUser } from "./drop-to-user.ts";
import { exposedListener } from "./exposure.ts";
import { LoadedCopies } from "./loaded-copies.ts";
import { OwnedResources } from "./owned-resources.ts";
import { startProblems } from "./start-problems.ts";
import { StartReport } from "./start-report.ts";
import { StatusAggregator } from "./status-aggregator.ts";
import { type Asker, type SupervisorApi, takeStatusMessage } from "./status-messages.ts";
import { STOP_TIMEOUT_MS } from "./worker-slot.ts";
import { type ForSupervisor, Workers, type WorkersParent } from "./workers.ts";

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

export class Supervisor implements WorkersParent, SupervisorApi {
  readonly log: Log;
  readonly status: StatusAggregator;
  readonly #options: SupervisorOptions;
  readonly #ownedResources: OwnedResources;
  /** The workers that have not loaded it get it from here, and so do those that come later. */
  readonly #loaded: LoadedCopies;
  readonly #workers: Workers;
  readonly #report: StartReport;
  readonly #ready = Promise.withResolvers<void>();
  readonly #readyWorkers = new Set<number>();
  #isReadyAtAll = false;
  #settings: Settings;
  #logLevel: LogLevel;
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
    this.#ownedResources = new OwnedResources(log);
    this.#workers = new Workers(this, this.#ownedResources, options.workerCommand);
    this.status = new StatusAggregator(this, options.logRing, this.#workers.totals);
    this.#loaded = new LoadedCopies(log, (loaded) => this.#workers.tellAll({ kind: "loaded", loaded }, 1));
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
    this.#workers.fill(settings.workers);
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
        this.#workers.tellAll({ kind: "settings", settings: this.#settings });
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
    this.#workers.renew();
  }

  /** Changes what all processes log, until the next start or until the configuration's own level changes. */
  setLogLevel(level: LogLevel): void {
    this.#logLevel = level;
    this.log.level = level;
    this.#workers.tellAll({ kind: "log-level", level });
    this.status.changed();
  }

  /** Ends all workers and removes what the start made. Takes `STOP_TIMEOUT_MS` and a little at most. Harmless when repeated. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  get facts() {
    return { settings: this.#settings, logLevel: this.#logLevel, loaded: this.#loaded.all };
  }

  received(id: number, message: ForSupervisor): void {
    if (message.kind === "channels") this.#report.loaded(message.loaded);
    else if (message.kind === "log") for (const line of message.lines) this.#options.logRing.append(line);
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
    return this.#workers.first(this.#settings.workers);
  }

  clearLogs(): void {
    this.#options.logRing.clear();
  }

  tell(worker: number, message: ToWorker): void {
    this.#workers.tell(worker, message);
  }

  accepts(id: number): void {
    this.#readyWorkers.add(id);
    this.status.ready(id);
    if (this.#readyWorkers.size < this.#settings.workers || this.#isReadyAtAll) return;
    this.#isReadyAtAll = true;
    this.#ready.resolve();
    if (this.#options.hasBanner === false) return;
    const unixSockets = this.#ownedResources.unixSockets.map(({ path }) => path);
    this.#report.ready({ settings: this.#settings, listeners: this.addresses, unixSockets });
  }

  exited(id: number): void {
    this.status.exited(id);
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

  async #stop(): Promise<void> {
    const timer = setTimeout(() => {
      this.log.warn(`${this.#workers.left} workers didn't exit gracefully, sending SIGKILL`);
    }, STOP_TIMEOUT_MS);
    this.#workers.retire(0);
    // A reload that was under way may have started workers.
    await this.#reloads.idle;
    await this.#workers.retire(0);
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
      this.#workers.retire(settings.workers);
    }
    if (changed.has("listen")) {
      this.log.info("Bind addresses changed, sending SIGTERM to tracked workers");
      this.#workers.renew();
    } else {
      this.log.info("Forwarding config reload, sending SIGHUP to tracked workers");
      this.#workers.tellAll({ kind: "settings", settings });
    }
    this.#workers.fill(settings.workers);
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

  #cleanUp(): void {
    this.#report.close();
    this.#loaded.close();
    this.#workers.close();
    this.status.stop();
    this.#ownedResources.release();
  }
}
