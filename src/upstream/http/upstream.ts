/** An HTTP server's answer as an upstream: its head once that is decided, then its body into the ring (http-proxy.md section 5). */

import type { StreamInfo, Upstream, UpstreamAbout, UpstreamParent, UpstreamResponse } from "../../relay/upstream.ts";
import type { Memory } from "../../system/memory.ts";
import type { ClientState } from "../../wire/status/client-state.ts";
import type { PlannerParts } from "../planner.ts";
import { ReadBackoff } from "../read-backoff.ts";
import type { ByteSource } from "./body.ts";
import { type HttpTarget, ProxiedRequest, type ProxiedRequestParent } from "./proxied-request.ts";

const WAITING_TICK_MS = 1000;

type State =
  /** There is nothing to say before the head, or before a playlist is complete. */
  | "asking"
  /** The body is read on each tick. */
  | "polling"
  /** The body was quiet; its source tells when there is more. */
  | "waiting"
  | "closed";

export class HttpUpstream implements Upstream, ProxiedRequestParent {
  readonly rtp = undefined;
  readonly about: UpstreamAbout;
  info: StreamInfo = { metadata: [] };
  readonly #parent: UpstreamParent;
  #state: State = "asking";
  #body: ByteSource | undefined;
  readonly #backoff = new ReadBackoff();
  readonly #request: ProxiedRequest;

  constructor(target: HttpTarget, parent: UpstreamParent, parts: PlannerParts) {
    this.about = target.about;
    this.#parent = parent;
    this.#request = new ProxiedRequest(target, this, parts);
  }

  get tickMs(): number {
    return this.#state === "polling" ? this.#backoff.intervalMs : WAITING_TICK_MS;
  }

  tick(now: number): void {
    if (this.#state !== "polling" || !this.#body) return;
    const turn = this.#parent.fill(this.#read);
    if (turn < 0) {
      this.#parent.ended(undefined);
      return;
    }
    this.#backoff.observe(turn, now, this.#body.window);
    if (turn > 0 || !this.#backoff.isQuiet(now) || this.#parent.room <= 0 || this.#state !== "polling") return;
    this.#enter("waiting");
  }

  close(): void {
    this.#enter("closed");
    this.#request.close();
  }

  entered(state: ClientState): void {
    this.#parent.entered(state);
  }

  answered(response: UpstreamResponse, body: ByteSource): void {
    this.info = { metadata: [], response };
    this.#body = body;
    this.#enter("polling");
    // The client's head goes out at once, whatever the body does.
    this.#parent.opened();
    this.#parent.wake();
  }

  readable(): void {
    if (this.#state === "waiting") this.#enter("polling");
    this.#parent.wake();
  }

  failed(cause: Error): void {
    this.#parent.ended(cause);
  }

  /** The only place that changes the state. */
  #enter(state: State): void {
    this.#state = state;
    if (state === "polling") this.#backoff.reset();
    else if (state === "waiting") this.#body?.waitReadable();
  }

  readonly #read = (into: Memory, offset: number, length: number): number => this.#body!.read(into, offset, length);
}
