/** A line for every admitted media request, before its upstream is contacted (config.md section 14). */
import type { AccessLogFile } from "../system/access-log-file.ts";
import { shown } from "../system/shown.ts";
import {
  type AccessLogEntry,
  type AccessLogFormat,
  accessLogLine,
  parseAccessLogFormat,
} from "../wire/http/access-log.ts";
import { forwardedFor } from "../wire/http/forwarded.ts";
import type { ByteString } from "../wire/text/byte-string.ts";
import { serviceUrl, userAgent } from "./client-identity.ts";
import type { Exchange } from "./route.ts";

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

  /** @param upstreamUrl without what is for this relay */
  admitted(exchange: Exchange, serviceType: string, upstreamUrl: ByteString): void {
    if (this.#path === undefined) return;
    const { request, clientAddress } = exchange;
    const now = new Date();
    const entry: AccessLogEntry = {
      time: now.getTime(),
      zoneOffset: -now.getTimezoneOffset(),
      clientAddress: shown(clientAddress),
      workerPid: process.pid,
      method: request.method,
      serviceUrl: serviceUrl(exchange),
      host: shown(request.header("host") ?? ""),
      userAgent: userAgent(exchange),
      forwardedFor: shown(forwardedFor(request.headers)),
      serviceType,
      upstreamUrl: shown(upstreamUrl),
    };
    this.#file.write(this.#path, accessLogLine(this.#format, entry));
  }
}
