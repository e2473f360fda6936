/** What workers say of the status page goes to those whom it concerns: the aggregator, another worker, the supervisor (status.md section 6). */
import type { LogLevel } from "../system/log.ts";
import type { StatusFromWorker } from "../worker/messages.ts";
import type { StatusAggregator, StatusAggregatorParent } from "./status-aggregator.ts";

/** What the answer to an order to renew workers has to leave its own worker. */
const ANSWER_DELIVERY_MS = 100;
/** The last part of a client's id. */
const CLIENT_OF_WORKER = /-worker(\d+)-seq\d+$/;

/** Who wants a reload or a restart. */
export type Asker = "signal" | "status page";

export interface SupervisorApi extends StatusAggregatorParent {
  readonly status: StatusAggregator;
  setLogLevel(level: LogLevel): void;
  clearLogs(): void;
  reload(asker: Asker): Promise<void>;
  renewWorkers(asker: Asker): void;
}

export function takeStatusMessage(from: number, message: StatusFromWorker, supervisor: SupervisorApi): void {
  switch (message.kind) {
    case "watch":
      supervisor.status.watching(from, message.isWatching);
      break;
    case "report":
      supervisor.status.reported(from, message.report);
      break;
    case "disconnect":
      findClient(from, message.question, message.clientId, supervisor);
      break;
    case "disconnected":
      supervisor.tell(message.from, message);
      break;
    case "set-log-level":
      supervisor.setLogLevel(message.level);
      break;
    case "clear-logs":
      supervisor.clearLogs();
      break;
    case "reload":
      void supervisor.reload("status page");
      break;
    case "renew-workers":
      setTimeout(() => supervisor.renewWorkers("status page"), ANSWER_DELIVERY_MS);
  }
}

/** Leaves the question to the worker that the client's id names; the one that asks has looked already. */
function findClient(from: number, question: number, clientId: string, supervisor: SupervisorApi): void {
  const named = Number(CLIENT_OF_WORKER.exec(clientId)?.[1] ?? from);
  const worker = supervisor.workers.find(({ id, pid }) => id === named && id !== from && pid !== 0);
  if (worker) supervisor.tell(worker.id, { kind: "disconnect", question, clientId, from });
  else supervisor.tell(from, { kind: "disconnected", question, isFound: false });
}
