/** A multicast group that is opened by a burst from an FCC server, and then is a group like any other (fcc.md). */
import type {
  ArrivalCounts,
  ConsumerStart,
  RtpCounts,
  StreamInfo,
  StreamState,
  Upstream,
  UpstreamAbout,
  UpstreamParent,
} from "../../relay/upstream.ts";
import type { Log } from "../../system/log.ts";
import type { Memory } from "../../system/memory.ts";
import type { Reach } from "../../system/reach.ts";
import { CLIENT_STATE } from "../../wire/status/client-state.ts";
import { MulticastSession, multicastInfo } from "../multicast/session.ts";
import type { MulticastOptions, MulticastTarget } from "../multicast/target.ts";
import { Depacketizer } from "../rtp/depacketizer.ts";
import { Burst } from "./burst.ts";
import { FccClient, type FccClientParent } from "./client.ts";
import type { DialectName } from "./dialect.ts";
import { HandOver, type HandOverParent } from "./hand-over.ts";
import type { KnownServers } from "./known-servers.ts";
import { dueEvent, type FccClock, type FccEvent, type FccState, PUBLISHED, TRANSITIONS } from "./state.ts";

/** How often sockets are read until the first media have been delivered, and during the burst. */
const WAITING_TICK_MS = 2;
const BURST_TICK_MS = 5;
/** So long behind the hand-over the sockets stay: for what the group has lost, and for an acceptance that comes late. */
const LINGER_MS = 600;
/** The server stops behind this many packets more than the group's first (fcc.md section 9). */
const TERMINATION_OFFSET = 2;

/** What the URL and the settings say of FCC. */
export interface FccTarget {
  readonly server: { readonly host: string; readonly port: number };
  readonly dialect: DialectName | undefined;
  readonly interfaceName: string | undefined;
  readonly portRange: { readonly min: number; readonly max: number } | undefined;
  readonly reach: Reach;
}

export class FccUpstream implements Upstream, FccClientParent, HandOverParent {
  readonly about: UpstreamAbout;
  readonly #parent: UpstreamParent;
  readonly #target: MulticastTarget;
  readonly #options: MulticastOptions;
  readonly #log: Log;
  readonly #input: Depacketizer;
  readonly #client: FccClient;
  readonly #handOver: HandOver;
  #state: FccState = "requested";
  #isClosed = false;
  /** The group, once it is joined. */
  #session: MulticastSession | undefined;
  #isMeasured = false;
  #now: number;
  #clock: { -readonly [Name in keyof FccClock]: FccClock[Name] };
  /** When the group alone was left. */
  #settledAt = Number.POSITIVE_INFINITY;
  /** Where the first media came from. */
  #origin: "unicast" | "group" | undefined;
  #hasGroupMedia = false;
  readonly #burst: Burst;

  constructor(
    parent: UpstreamParent,
    target: MulticastTarget,
    fcc: FccTarget,
    options: MulticastOptions,
    known: KnownServers,
    log: Log,
    now: number,
  ) {
    this.#parent = parent;
    this.about = target.about;
    this.#target = target;
    this.#options = options;
    this.#log = log;
    this.#now = now;
    const never = Number.POSITIVE_INFINITY;
    this.#clock = { askedAt: now, heardAt: now, acceptedAt: never, joinedAt: never, hasUnicast: false };
    this.#burst = new Burst(parent, target.name, log, now);
    this.#input = new Depacketizer(parent);
    this.#input.hasManySources = true;
    this.#handOver = new HandOver(this, this.#input);
    this.#client = new FccClient(this, {
      name: target.name,
      serverName: `${fcc.server.host}:${fcc.server.port}`,
      group: { group: target.group, groupPort: target.port },
      dialect: fcc.dialect,
      interfaceName: fcc.interfaceName,
      range: fcc.portRange,
      serverHost: fcc.server.host,
      reach: fcc.reach,
      receiveBufferBytes: options.receiveBufferBytes,
      known,
      log,
    });
    parent.entered(PUBLISHED.requested);
    this.#client.ask(fcc.server.host, fcc.server.port, now);
  }

  get info(): StreamInfo {
    return this.infoFor("first-media");
  }

  /** Who comes later has a quick start if the ring gives him a picture. */
  infoFor(start: ConsumerStart): StreamInfo {
    const { metadata } = multicastInfo(this.#input.payloadKind);
    const isQuick = start === "random-access" || (start === "first-media" && this.#origin === "unicast");
    const status = isQuick ? "active" : "fallback";
    return { metadata: [...metadata, ["R2H-FCC-Type", this.#client.dialect], ["R2H-FCC-Status", status]] };
  }

  get rtp(): RtpCounts {
    return this.#input.reorder.counts;
  }

  get arrival(): ArrivalCounts {
    const { senderChanges } = this.#input;
    return this.#session?.arrival ?? { kernelDrops: 0, senderChanges, jitterMs: 0 };
  }

  measureArrival(isMeasured: boolean): void {
    this.#isMeasured = isMeasured;
    this.#session?.measureArrival(isMeasured);
  }

  get details(): Readonly<Record<string, string | number>> {
    return {
      fccState: this.#state,
      fccServer: this.#client.server,
      fccDialect: this.#client.dialect,
      ...this.#burst.details,
    };
  }

  get tickMs(): number {
    const groupMs = this.#session?.tickMs ?? WAITING_TICK_MS;
    if (this.#state === "mcast-active") return groupMs;
    return Math.min(groupMs, this.#input.payloads > 0 ? BURST_TICK_MS : WAITING_TICK_MS);
  }

  tick(now: number): void {
    this.#now = now;
    if (!this.#client.isOpen && this.#state === "mcast-active") {
      this.#session?.tick(now);
      return;
    }
    this.#input.tick(now);
    this.#client.receive(now);
    if (!this.#isClosed) this.#session?.tick(now);
    if (this.#isClosed) return;
    if (this.#state === "mcast-requested" && this.#handOver.drain(now)) this.#step("caught-up");
    const event = dueEvent(this.#state, this.#clock, now);
    if (event) this.#due(event);
    if (now - this.#settledAt >= LINGER_MS) this.#client.close(true);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#client.close(false);
    this.#session?.close();
  }

  get awaitsAnswer(): boolean {
    return !this.#isClosed && (this.#state === "requested" || this.#state === "requested-late");
  }

  heard(): void {
    this.#clock.heardAt = this.#now;
  }

  accepted(): void {
    this.#clock.acceptedAt = this.#now;
    this.#log.debug(`${this.#target.name}: FCC server ${this.#client.server} accepts (${this.#client.dialect})`);
    this.#step("accepted");
  }

  declined(reason: string): void {
    this.#log.info(`${this.#target.name}: no FCC (${reason}), joining the group`);
    this.#step("declined");
  }

  asked(now: number): void {
    this.#now = this.#clock.askedAt = this.#clock.heardAt = now;
  }

  redirected(): void {
    this.asked(this.#now);
    this.#parent.entered(CLIENT_STATE.fccInitial);
    this.#parent.entered(PUBLISHED[this.#state]);
  }

  notified(): void {
    this.#step("notified");
  }

  unicast(memory: Memory, offset: number, length: number): void {
    if (this.#isClosed) return;
    if (this.#state === "mcast-active") {
      if (this.#clock.hasUnicast) this.#handOver.fill(memory, offset, length);
      return;
    }
    if (!this.#clock.hasUnicast) this.#unicastBegins();
    this.#step("unicast-media");
    // Joining may have failed, which ends all.
    if (this.#isClosed) return;
    this.#burst.add(length, this.#now);
    this.#handOver.unicast(memory, offset, length);
  }

  groupMedia(sequence: number | undefined): void {
    this.#origin ??= "group";
    this.#step("group-media");
    if (this.#state !== "mcast-requested" || this.#hasGroupMedia) return;
    this.#hasGroupMedia = true;
    this.#clock.joinedAt = this.#now;
    if (sequence !== undefined) this.#client.terminate((sequence + TERMINATION_OFFSET) & 0xffff);
    // Without sequence numbers nothing tells where unicast and group meet.
    else this.#step("caught-up");
  }

  #unicastBegins(): void {
    this.#clock.hasUnicast = true;
    this.#origin ??= "unicast";
    this.#burst.begin(this.#client.server, this.#now);
  }

  /** Time has brought an event. */
  #due(event: FccEvent): void {
    const { name } = this.#target;
    const { server } = this.#client;
    if (event === "overdue" && this.#state === "unicast-active") {
      this.#log.warn(`${name}: FCC server ${server} sends no notice, joining the group`);
    } else if (event === "overdue") {
      const what = this.#state === "requested" ? "has not answered" : "has sent nothing";
      this.#log.warn(`${name}: FCC server ${server} ${what} within the limit of 80 ms, joining the group`);
    } else if (this.#clock.hasUnicast) {
      this.#log.warn(
        `${name}: unicast of FCC server ${server} has ended before it reached the group, which goes on alone`,
      );
    }
    const asksOthers = event === "overdue" && this.#state === "requested";
    this.#step(event);
    if (asksOthers && !this.#isClosed) this.#client.askOthers();
  }

  /** The only place that changes the state. */
  #step(event: FccEvent): void {
    const to = TRANSITIONS[this.#state][event];
    if (!to || this.#isClosed) return;
    const from = this.#state;
    this.#state = to;
    if (to === "mcast-requested") this.#handOver.hold();
    if (to !== "unicast-pending" && to !== "unicast-active" && !this.#join()) return;
    if (to === "mcast-active") this.#settle(from);
    else this.#parent.entered(PUBLISHED[to]);
  }

  /** False when that is impossible, and all is over. */
  #join(): boolean {
    if (this.#session) return true;
    const parent = {
      entered: (state: StreamState) => this.#groupEntered(state),
      ended: (cause: Error | undefined) => this.#parent.ended(cause),
    };
    try {
      this.#session = new MulticastSession(parent, this.#target, this.#options, this.#log, this.#now, this.#input);
      this.#session.sink = this.#handOver;
      this.#session.measureArrival(this.#isMeasured);
      return true;
    } catch (error) {
      this.#log.error((error as Error).message);
      this.#parent.ended(error as Error);
      return false;
    }
  }

  #groupEntered(state: StreamState): void {
    if (this.#state === "mcast-active") this.#parent.entered(state);
  }

  /** From now on the group alone is delivered. */
  #settle(from: FccState): void {
    this.#settledAt = this.#now;
    this.#client.terminate(undefined);
    const gap = this.#handOver.release();
    if (this.#isClosed) return;
    if (gap === undefined) {
      const { server } = this.#client;
      this.#log.warn(`${this.#target.name}: unicast of FCC server ${server} has other sequence numbers than the group`);
    } else if (from === "mcast-requested" && this.#clock.hasUnicast) this.#burst.joined(gap);
    this.#session!.sink = this.#input;
    this.#input.hasManySources = false;
    if (this.#hasGroupMedia) this.#parent.entered(CLIENT_STATE.multicastActive);
  }
}
