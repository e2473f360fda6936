import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { type StatusControl, statusApiRoute } from "../../src/routes/status-api.ts";
import { serveRoute } from "./serve-route.ts";

class FakeControl implements StatusControl {
  readonly calls: string[] = [];
  isReachable = true;

  async disconnect(clientId: string): Promise<boolean> {
    this.calls.push(`disconnect ${clientId}`);
    return clientId === "[::1]:5-worker0-seq0";
  }

  setLogLevel(level: number): boolean {
    return this.#order(`level ${level}`);
  }

  clearLogs(): boolean {
    return this.#order("clear");
  }

  reloadConfig(): boolean {
    return this.#order("reload");
  }

  restartWorkers(): boolean {
    return this.#order("restart");
  }

  #order(what: string): boolean {
    this.calls.push(what);
    return this.isReachable;
  }
}

const control = new FakeControl();
const server = serveRoute(statusApiRoute(control, "/status"));
const rootServer = serveRoute(statusApiRoute(control, "/"));
afterAll(() => {
  server[Symbol.dispose]();
  rootServer[Symbol.dispose]();
});
beforeEach(() => {
  control.calls.length = 0;
  control.isReachable = true;
});

/** Status and body of the answer, whose headers are checked. */
async function ask(method: string, target: string, body?: string, at = server): Promise<[number, string]> {
  using client = await at.connect();
  client.send(`${method} ${target} HTTP/1.1\r\nContent-Length: ${body?.length ?? 0}\r\n\r\n${body ?? ""}`);
  const { head, body: answer } = await client.response();
  if (head.status !== 404) {
    expect(head.raw).toEndWith("\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n");
  }
  return [head.status, answer.toString()];
}

const success = (message: string) => JSON.stringify({ success: true, message });
const failure = (error: string) => JSON.stringify({ success: false, error });

test.each([
  [
    "POST",
    "disconnect",
    "client_id=%5B%3A%3A1%5D%3A5-worker0-seq0",
    success("Disconnect request sent"),
    "disconnect [::1]:5-worker0-seq0",
  ],
  [
    "DELETE",
    "disconnect",
    "a=b&CLIENT_ID=[::1]:5-worker0-seq0",
    success("Disconnect request sent"),
    "disconnect [::1]:5-worker0-seq0",
  ],
  ["POST", "disconnect", "client_id=other", failure("Client not found or already disconnected"), "disconnect other"],
  ["PUT", "log-level", "level=0", success("Log level changed to FATAL"), "level 0"],
  ["PATCH", "log-level", "level=%34", success("Log level changed to DEBUG"), "level 4"],
  ["POST", "clear-logs", undefined, success("Logs cleared"), "clear"],
  ["POST", "reload-config", "", success("Configuration reload triggered"), "reload"],
  ["POST", "restart-workers/", "x", success("Worker restart triggered"), "restart"],
])("%s %s with %p", async (method, name, body, answer, call) => {
  expect(await ask(method, `/status/api/${name}`, body)).toEqual([200, answer]);
  expect(control.calls).toEqual([call]);
});

test.each([
  ["GET", "disconnect", "client_id=x", "Method not allowed. Use POST or DELETE"],
  ["POST", "disconnect", "", "Missing request body"],
  ["POST", "disconnect?client_id=x", "", "Missing request body"],
  ["POST", "disconnect", "client=x", "Missing 'client_id' parameter in request body"],
  ["POST", "disconnect", "client_id=%", "Missing 'client_id' parameter in request body"],
  ["POST", "disconnect", "client_id=", "Empty client_id"],
  ["POST", "log-level", "level=1", "Method not allowed. Use PUT or PATCH"],
  ["PUT", "log-level", "", "Missing request body"],
  ["PUT", "log-level", "x", "Missing 'level' parameter in request body"],
  ["PUT", "log-level", "level=5", "Invalid log level (must be 0-4)"],
  ["PUT", "log-level", "level=debug", "Invalid log level (must be 0-4)"],
  ["PUT", "log-level", "level=", "Invalid log level (must be 0-4)"],
  ["GET", "clear-logs", "", "Method not allowed. Use POST"],
  ["PUT", "reload-config", "", "Method not allowed. Use POST"],
  ["DELETE", "restart-workers", "", "Method not allowed. Use POST"],
])("%s %s with %p is refused", async (method, name, body, error) => {
  expect(await ask(method, `/status/api/${name}`, body)).toEqual([400, failure(error)]);
  expect(control.calls).toEqual([]);
});

describe("without a supervisor", () => {
  test.each([
    ["clear-logs", 503, /^Failed to queue log clear request$/],
    ["reload-config", 500, /^Failed to send signal to supervisor: /],
    ["restart-workers", 500, /^Failed to send signal to supervisor: /],
  ])("%s fails", async (name, status, error) => {
    control.isReachable = false;
    const [answered, body] = await ask("POST", `/status/api/${name}`);
    expect(answered).toBe(status);
    expect(JSON.parse(body)).toEqual({ success: false, error: expect.stringMatching(error) });
  });
});

test.each(["/status/api/", "/status/api/other", "/status/api/toString", "/api/clear-logs", "/statusapi/clear-logs"])(
  "%s is nothing",
  async (target) => {
    expect((await ask("POST", target))[0]).toBe(404);
  },
);

test("a page at the root has its API below the root", async () => {
  expect((await ask("POST", "/api/clear-logs", "", rootServer))[0]).toBe(200);
  expect((await ask("POST", "/status/api/clear-logs", "", rootServer))[0]).toBe(404);
});
