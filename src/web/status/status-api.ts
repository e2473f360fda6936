/** What the page can ask the server to do (status.md section 6). */

/** Below the path of the page, without slashes at its end. */
export function pageUrl(path: string): string {
  return location.pathname.replace(/\/+$/, "") + path;
}

/** The server answers at once; an answer that takes longer will not come. */
const ANSWER_TIMEOUT_MS = 10_000;

export interface ApiResult {
  readonly isDone: boolean;
  /** Why it was not done, as the server or the browser says it. */
  readonly reason: string;
}

export function disconnectClient(clientId: string): Promise<ApiResult> {
  return call("disconnect", "POST", { client_id: clientId });
}

/** @param level 0 (fatal) to 4 (debug) */
export function setLogLevel(level: number): Promise<ApiResult> {
  return call("log-level", "PUT", { level: String(level) });
}

export type ServiceAction = "reload-config" | "restart-workers" | "clear-logs";

export function requestService(action: ServiceAction): Promise<ApiResult> {
  return call(action, "POST", {});
}

async function call(name: string, method: string, parameters: Record<string, string>): Promise<ApiResult> {
  try {
    const body = new URLSearchParams(parameters);
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    const response = await fetch(pageUrl(`/api/${name}`), { method, body, signal });
    const answer: unknown = await response.json().catch(() => undefined);
    return readAnswer(answer) ?? { isDone: false, reason: `HTTP ${response.status}` };
  } catch (error) {
    return { isDone: false, reason: error instanceof Error ? error.message : String(error) };
  }
}

function readAnswer(answer: unknown): ApiResult | undefined {
  if (typeof answer !== "object" || answer === null || !("success" in answer)) return undefined;
  const reason = "error" in answer && typeof answer.error === "string" ? answer.error : "";
  return { isDone: answer.success === true, reason };
}
