/** OPTIONS, and leave for web pages of other origins to use the relay (`cors-allow-origin`, http.md section 6). */
import type { HeaderField } from "../wire/http/header-fields.ts";
import type { HttpRequest } from "./request.ts";
import type { HttpResponse } from "./response.ts";

const PREFLIGHT_MAX_AGE_S = 86_400;
const USUAL_METHODS = "GET, HEAD, OPTIONS";

/** Stands in every answer. Empty without an origin, which is fixed: that of the request does not matter. */
export function corsHeaders(origin: string | undefined): readonly HeaderField[] {
  return origin ? [["Access-Control-Allow-Origin", origin]] : [];
}

/** The answer to OPTIONS where no page of another origin has leave. No upstream is asked, nothing is opened. */
export const OPTIONS_RESPONSE: HttpResponse = {
  status: 204,
  headers: [
    ["Allow", "GET, HEAD, POST, OPTIONS"],
    ["Content-Length", "0"],
  ],
};

/** The answer to OPTIONS, without `corsHeaders`: whatever the page asks for is allowed. */
export function preflightResponse(request: HttpRequest): HttpResponse {
  const methods = request.header("access-control-request-method") || USUAL_METHODS;
  const names = request.header("access-control-request-headers");
  return {
    status: 204,
    headers: [
      ["Access-Control-Allow-Methods", methods],
      ...(names ? [["Access-Control-Allow-Headers", names] as const] : []),
      ["Access-Control-Max-Age", String(PREFLIGHT_MAX_AGE_S)],
      ["Content-Length", "0"],
    ],
  };
}
