/** The worker's part in the status page: its reports, the events for those who watch through it, and their orders. */
import type { Budget } from "../relay/budget.ts";
import type { ClientRegistry } from "../status/clients.ts";
import { StatusFeed } from "../status/feed.ts";
import type { Log } from "../system/log.ts";
import type { FromWorker, StatusToWorker } from "./messages.ts";
import { WorkerStatusControl } from "./status-control.ts";
import { StatusReporter } from "./status-reporter.ts";

export class WorkerStatus {
  readonly feed = new StatusFeed();
  readonly control: WorkerStatusControl;
  readonly #reporter: StatusReporter;
  readonly #send: (message: FromWorker) => boolean;

  /** @param send tells the supervisor; false when it is gone */
  constructor(clients: ClientRegistry, budget: Budget, log: Log, send: (message: FromWorker) => boolean) {
    this.#send = send;
    this.control = new WorkerStatusControl(clients, log, send);
    this.#reporter = new StatusReporter(clients, budget, (report) => send({ kind: "status-report", report }));
    this.feed.onWatched = (isWatching) => send({ kind: "status-watching", isWatching });
  }

  take(message: StatusToWorker): void {
    switch (message.kind) {
      case "status-ask":
        this.#reporter.ask();
        break;
      case "status-rest":
        this.#reporter.rest();
        break;
      case "status-event":
        this.feed.publish(message.payloadStart, message.logs);
        break;
      case "disconnect": {
        const { question, from, clientId } = message;
        this.#send({ kind: "disconnected", question, from, isFound: this.control.disconnectHere(clientId) });
        break;
      }
      case "disconnected":
        this.control.answered(message.question, message.isFound);
    }
  }
}
