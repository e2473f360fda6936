/** A line for every admitted media request, before its upstream is contacted (config.md section 14). */
import type { AccessLogFile } from "../system/access-log-file.ts";
import { type AccessLogEntry, type AccessLogFormat, accessLogLine, parseAccessLogFormat } from "../wire/access-log.ts";
import { forwardedFor } from "../wire/forwarded.ts";
import { withoutTrailingSlash } from "../wire/path-prefix.ts";
import { percentDecode } from "../wire/percent.ts";
import { withoutTokenWord } from "../wire/token.ts";
import type { Exchange } from "./route.ts";

/** Longest `$service_url`. */
const SERVICE_URL_MAX_BYTES = 255;

export class AccessLog {
  readonly #file: AccessLogFile;
  readonly #path: string | undefined;
  readonly #format: AccessLogFormat;

  /** @param path undefined for no access log */
  constructor(file: AccessLogFile, path: string | undefined, format: string) {
    this.#file = file;
    this.#path = path;
    this.#format = parseAccessLogFormat(format);
  }

  /** @param upstreamUrl byte string, without the token and what is for this relay */
  admitted(exchange: Exchange, serviceType: AccessLogEntry["serviceType"], upstreamUrl: string): void {
    if (this.#path === undefined) return;
    const { request, clientAddress } = exchange;
    const now = new Date();
    const entry: AccessLogEntry = {
      time: now.getTime(),
      zoneOffset: -now.getTimezoneOffset(),
      clientAddress,
      workerPid: process.pid,
      method: request.method,
      serviceUrl: serviceUrl(exchange),
      host: request.header("host") ?? "",
      userAgent: withoutTokenWord(request.header("user-agent") ?? ""),
      forwardedFor: forwardedFor(request.headers),
      serviceType,
      upstreamUrl,
    };
    this.#file.write(this.#path, accessLogLine(this.#format, entry));
  }
}

/** Path without prefix, label and a trailing slash, decoded, and the query without the token. */
function serviceUrl({ path, query }: Exchange): string {
  const trimmed = withoutTrailingSlash(path);
  const url = (percentDecode(trimmed) ?? trimmed) + (query === "" ? "" : `?${query}`);
  return url.slice(0, SERVICE_URL_MAX_BYTES);
}
