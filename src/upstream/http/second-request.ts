/** Whether a request that was refused is worth to be sent again, otherwise than the client has asked (http-proxy.md section 5). */
import type { Credentials } from "../../wire/http/digest.ts";
import { headerValue } from "../../wire/http/header-fields.ts";
import type { ResponseHead } from "../../wire/http/response-head.ts";
import type { ProxyUrl } from "../../wire/url/proxy-url.ts";
import type { PlanRequest } from "../planner.ts";
import { digestAnswer } from "./login.ts";
import { isFromStart } from "./playlist-handling.ts";
import { requestTarget, type UpstreamRequest } from "./request-head.ts";

const UNAUTHORIZED = 401;
const RANGE_NOT_SATISFIABLE = 416;

export type RequestChanges = Pick<UpstreamRequest, "authorization" | "isWhole">;

/** Undefined: the answer is what there is. */
export function secondRequest(
  { status, headers }: ResponseHead,
  request: PlanRequest,
  url: ProxyUrl,
  login: Credentials | undefined,
): RequestChanges | undefined {
  if (status === UNAUTHORIZED && login) {
    const authorization = digestAnswer(login, headers, request.method, requestTarget(url));
    return authorization === undefined ? undefined : { authorization };
  }
  // A live stream has no parts, but players ask for all of it as if it had.
  const isAllRefused = status === RANGE_NOT_SATISFIABLE && isFromStart(headerValue(request.headers, "range"));
  return isAllRefused ? { isWhole: true } : undefined;
}
