/** Single routes behind a accessControl and a real HTTP listener. */

import { AccessControl, type AccessControlOptions } from "../../src/routes/access-control.ts";
import type { ControlRoute, Route } from "../../src/routes/route.ts";
import { router } from "../../src/routes/router.ts";
import type { HttpClient, HttpHead } from "../fakes/http-client.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { TestServer } from "../http/serve.ts";

/** Everybody may ask. */
export const OPEN: AccessControlOptions = {
  hostname: undefined,
  allowedHosts: [],
  xff: false,
  r2hToken: undefined,
  corsAllowOrigin: undefined,
  appPathPrefix: undefined,
};

export interface RoutedOptions extends Partial<AccessControlOptions> {
  readonly routes?: readonly (Route | ControlRoute)[];
  readonly assets?: Route;
}

export class RoutedServer {
  readonly log: string[] = [];
  readonly #server: TestServer;

  constructor({ routes = [], assets, ...options }: RoutedOptions) {
    const log = recordingLog(this.log);
    const accessControl = new AccessControl({ ...OPEN, ...options }, log);
    this.#server = new TestServer(router({ accessControl, routes, log, ...(assets && { assets }) }), {
      log,
      errorResponse: (status) => accessControl.errorResponse(status),
    });
  }

  connect(): Promise<HttpClient> {
    return this.#server.connect();
  }

  /** The complete answer, which ends with the connection. */
  async ask(
    target: string,
    headers: Readonly<Record<string, string>> = {},
    method = "GET",
  ): Promise<HttpHead & { readonly body: Buffer }> {
    using client = await this.connect();
    client.request(method, target, headers);
    const head = await client.head();
    return { ...head, body: await client.readToEnd() };
  }

  [Symbol.dispose](): void {
    this.#server[Symbol.dispose]();
  }
}
