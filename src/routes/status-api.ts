/** `<status page>/api/…`: what the status page can order (status.md section 6). */
import type { Connection } from "../http/connection.ts";
import type { HttpRequest } from "../http/request.ts";
import type { LogLevel } from "../system/log.ts";
import { LEVEL_NAMES } from "../wire/status/event.ts";
import { bytesToString, utf8Decode } from "../wire/text/byte-string.ts";
import { queryParameter } from "../wire/url/query.ts";
import type { ControlRoute } from "./route.ts";
import { belowStatusPage } from "./status-events.ts";

/** Who carries the orders out. False: the supervisor cannot be reached. None takes effect before the answer is sent. */
export interface StatusControl {
  /** False when no worker has such a client. */
  disconnect(clientId: string): Promise<boolean>;
  setLogLevel(level: LogLevel): boolean;
  clearLogs(): boolean;
  reloadConfig(): boolean;
  restartWorkers(): boolean;
}

interface Answer {
  readonly status: 200 | 400 | 500 | 503;
  /** Of success. */
  readonly message?: string;
  readonly error?: string;
}

interface Endpoint {
  /** A page's plain GET cannot be told from a program's: none may order anything (http.md section 25). */
  readonly methods: readonly ("POST" | "PUT" | "PATCH" | "DELETE")[];
  answer(control: StatusControl, request: HttpRequest): Answer | Promise<Answer>;
}

const NO_SUPERVISOR = "Failed to send signal to supervisor: the connection to it is closed";

const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  disconnect: { methods: ["POST", "DELETE"], answer: disconnect },
  "log-level": { methods: ["PUT", "PATCH"], answer: setLogLevel },
  "clear-logs": {
    methods: ["POST"],
    answer: (control) =>
      control.clearLogs() ? done("Logs cleared") : { status: 503, error: "Failed to queue log clear request" },
  },
  "reload-config": {
    methods: ["POST"],
    answer: (control) => (control.reloadConfig() ? done("Configuration reload triggered") : unreachable()),
  },
  "restart-workers": {
    methods: ["POST"],
    answer: (control) => (control.restartWorkers() ? done("Worker restart triggered") : unreachable()),
  },
};

export function statusApiRoute(control: StatusControl, statusPagePath: string): ControlRoute {
  const endpoint = (path: string): Endpoint | undefined => {
    const [, name = ""] = /^api\/(.+)$/s.exec(belowStatusPage(statusPagePath, path) ?? "") ?? [];
    return Object.hasOwn(ENDPOINTS, name) ? ENDPOINTS[name] : undefined;
  };
  return {
    owns: (path) => endpoint(path) !== undefined,
    answer({ request, connection, path }) {
      serve(endpoint(path)!, control, request, connection).catch((error) => connection.failed(error));
    },
  };
}

async function serve(
  { methods, answer }: Endpoint,
  control: StatusControl,
  request: HttpRequest,
  connection: Connection,
): Promise<void> {
  const { status, message, error } = methods.some((method) => method === request.method)
    ? await answer(control, request)
    : bad(`Method not allowed. Use ${methods.join(" or ")}`);
  const result = error === undefined ? { success: true, message } : { success: false, error };
  connection.respond({ status, headers: [["Content-Type", "application/json"]], body: JSON.stringify(result) });
}

async function disconnect(control: StatusControl, request: HttpRequest): Promise<Answer> {
  const clientId = parameter(request, "client_id");
  if (typeof clientId !== "string") return clientId;
  if (clientId === "") return bad("Empty client_id");
  if (await control.disconnect(clientId)) return done("Disconnect request sent");
  return { status: 200, error: "Client not found or already disconnected" };
}

function setLogLevel(control: StatusControl, request: HttpRequest): Answer {
  const text = parameter(request, "level");
  if (typeof text !== "string") return text;
  if (!/^[0-4]$/.test(text)) return bad("Invalid log level (must be 0-4)");
  const level = Number(text) as LogLevel;
  return control.setLogLevel(level) ? done(`Log level changed to ${LEVEL_NAMES[level]}`) : unreachable();
}

/** The text of a parameter of the body, whatever type that claims to have. */
function parameter({ body }: HttpRequest, name: string): string | Answer {
  if (body.length === 0) return bad("Missing request body");
  const value = queryParameter(bytesToString(Buffer.from(body)), name);
  return value === undefined ? bad(`Missing '${name}' parameter in request body`) : utf8Decode(value);
}

function done(message: string): Answer {
  return { status: 200, message };
}

function bad(error: string): Answer {
  return { status: 400, error };
}

function unreachable(): Answer {
  return { status: 500, error: NO_SUPERVISOR };
}
