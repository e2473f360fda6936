import { beforeEach, expect, test } from "bun:test";
import { Budget } from "../../src/relay/budget.ts";
import { ClientRegistry } from "../../src/status/clients.ts";
import { CLIENT_STATE } from "../../src/wire/status/client-state.ts";
import type { FromWorker } from "../../src/worker/messages.ts";
import { WorkerStatus } from "../../src/worker/worker-status.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { until } from "../fakes/until.ts";

const WAIT_MS = 3000;
const IDENTITY = { address: "1.2.3.4:5", serviceUrl: "/x", userAgent: "", kind: "http" } as const;

let sent: FromWorker[];
let log: string[];
let isConnected: boolean;
let clients: ClientRegistry;
let status: WorkerStatus;

beforeEach(() => {
  sent = [];
  log = [];
  isConnected = true;
  clients = new ClientRegistry(1);
  status = new WorkerStatus(clients, new Budget(16_384), recordingLog(log), (message) => {
    if (isConnected) sent.push(message);
    return isConnected;
  });
});

function enter() {
  let aborts = 0;
  const abort = () => {
    aborts++;
  };
  return { client: clients.enter({ sentBytes: 0, abort }, IDENTITY, CLIENT_STATE.connecting), aborts: () => aborts };
}

test("reports when asked, and then once for changes that come together, until nobody watches", async () => {
  enter();
  expect(sent).toEqual([]);
  status.take({ kind: "ask", isWatched: true });
  expect(sent).toMatchObject([{ kind: "report", report: { clients: [{ clientAddr: "1.2.3.4:5" }] } }]);
  for (let i = 0; i < 5; i++) enter();
  expect(sent).toHaveLength(1);
  await until(() => sent.length === 2, WAIT_MS, "a report");
  expect(sent[1]).toMatchObject({ report: { clients: { length: 6 }, pool: { total: 16_384, used: 0 } } });
  enter();
  status.take({ kind: "ask", isWatched: false });
  expect(sent).toHaveLength(3);
  enter();
  expect(sent).toHaveLength(3);
  status.take({ kind: "ask", isWatched: true });
  expect(sent).toHaveLength(4);
});

test("says whether somebody watches here", () => {
  const listener = { isBehind: false, published() {}, dismissed() {} };
  status.feed.open(listener);
  status.feed.close(listener);
  expect(sent).toEqual([
    { kind: "watch", isWatching: true },
    { kind: "watch", isWatching: false },
  ]);
});

test("disconnects its own clients, and asks the others for those it does not have", async () => {
  const { client, aborts } = enter();
  expect(await status.control.disconnect(client.id)).toBe(true);
  expect(aborts()).toBe(1);
  expect(log).toEqual([`INFO Disconnected client ${client.id} by request of the status page`]);
  expect(sent).toEqual([]);
  const answers = [status.control.disconnect("a"), status.control.disconnect("b")];
  expect(sent).toEqual([
    { kind: "disconnect", question: 0, clientId: "a" },
    { kind: "disconnect", question: 1, clientId: "b" },
  ]);
  status.take({ kind: "disconnected", question: 1, isFound: true });
  status.take({ kind: "disconnected", question: 0, isFound: false });
  expect(await Promise.all(answers)).toEqual([false, true]);
  // No answer at all is one, too.
  expect(await status.control.disconnect("c")).toBe(false);
});

test("answers the others' questions", () => {
  const { client, aborts } = enter();
  status.take({ kind: "disconnect", question: 5, from: 0, clientId: client.id });
  status.take({ kind: "disconnect", question: 6, from: 0, clientId: "other" });
  expect(aborts()).toBe(1);
  expect(sent).toEqual([
    { kind: "disconnected", question: 5, from: 0, isFound: true },
    { kind: "disconnected", question: 6, from: 0, isFound: false },
  ]);
});

test("without a supervisor nothing can be ordered", async () => {
  isConnected = false;
  const { control } = status;
  const orders = [control.setLogLevel(1), control.clearLogs(), control.reloadConfig(), control.restartWorkers()];
  expect(orders).toEqual([false, false, false, false]);
  expect(await control.disconnect("a")).toBe(false);
});
