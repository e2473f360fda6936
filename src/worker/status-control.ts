/** What the status page can order, from any worker: most of it is the supervisor's to do (status.md section 6). */
import type { StatusControl } from "../routes/status-api.ts";
import type { ClientRegistry } from "../status/clients.ts";
import type { Log, LogLevel } from "../system/log.ts";
import type { FromWorker } from "./messages.ts";

/** How long the worker that serves a client may take to answer. */
const ANSWER_TIMEOUT_MS = 1000;

export class WorkerStatusControl implements StatusControl {
  readonly #clients: ClientRegistry;
  readonly #log: Log;
  readonly #send: (message: FromWorker) => boolean;
  /** Who waits for an answer, by the number of the question. */
  readonly #waiting = new Map<number, (isFound: boolean) => void>();
  #questions = 0;

  /** @param send false when the supervisor is gone */
  constructor(clients: ClientRegistry, log: Log, send: (message: FromWorker) => boolean) {
    this.#clients = clients;
    this.#log = log;
    this.#send = send;
  }

  setLogLevel(level: LogLevel): boolean {
    return this.#send({ kind: "set-log-level", level });
  }

  clearLogs(): boolean {
    return this.#send({ kind: "clear-logs" });
  }

  reloadConfig(): boolean {
    return this.#send({ kind: "reload" });
  }

  restartWorkers(): boolean {
    return this.#send({ kind: "renew-workers" });
  }

  async disconnect(clientId: string): Promise<boolean> {
    return this.disconnectHere(clientId) || this.#askOthers(clientId);
  }

  /** False when this worker has no such client. */
  disconnectHere(clientId: string): boolean {
    const isFound = this.#clients.disconnect(clientId);
    if (isFound) this.#log.info(`Disconnected client ${clientId} by request of the status page`);
    return isFound;
  }

  /** The answer to a question of ours. */
  answered(question: number, isFound: boolean): void {
    this.#waiting.get(question)?.(isFound);
  }

  async #askOthers(clientId: string): Promise<boolean> {
    const question = this.#questions++;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#waiting.set(question, resolve);
    const timer = setTimeout(() => resolve(false), ANSWER_TIMEOUT_MS);
    if (!this.#send({ kind: "disconnect", question, clientId })) resolve(false);
    const isFound = await promise;
    clearTimeout(timer);
    this.#waiting.delete(question);
    return isFound;
  }
}
