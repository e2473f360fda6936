/** Asks FCC servers for a burst: whom, in which dialect, and who of them is listened to (fcc.md sections 8 and 13). */
import { errorAdvice } from "../../system/errno.ts";
import type { Log } from "../../system/log.ts";
import type { Memory } from "../../system/memory.ts";
import { resolveHost } from "../../system/resolve.ts";
import { formatIpAddress, type IpAddress, parseIpAddress } from "../../wire/ip/address.ts";
import { type Candidate, candidates } from "./candidates.ts";
import { DIALECTS, type DialectName, type ServerMessage } from "./dialect.ts";
import type { KnownServers } from "./known-servers.ts";
import {
  type Endpoint,
  formatEndpoint,
  type GroupAddress,
  isSameEndpoint,
  Signalling,
  type SignallingOptions,
  type SignallingParent,
} from "./signalling.ts";

export interface FccClientParent {
  accepted(): void;
  /** Nobody will send. */
  declined(reason: string): void;
  /** A server is asked from now on. */
  asked(now: number): void;
  /** Another server is asked now. */
  redirected(): void;
  notified(): void;
  unicast(memory: Memory, offset: number, length: number): void;
  /** Something has come from a server, which is before the call that says what. */
  heard(): void;
  /** Whether an acceptance is still wanted. */
  readonly awaitsAnswer: boolean;
}

interface FccClientOptions extends SignallingOptions {
  /** For the log: the channel. */
  readonly name: string;
  /** As the URL has it. */
  readonly serverName: string;
  readonly group: GroupAddress;
  /** Undefined: to be found out. */
  readonly dialect: DialectName | undefined;
  readonly known: KnownServers;
  readonly log: Log;
}

export class FccClient implements SignallingParent {
  readonly #parent: FccClientParent;
  readonly #options: FccClientOptions;
  /** As the URL names it; undefined while its name is looked up. */
  #first: Endpoint | undefined;
  /** Those who are to be asked when nobody answers. */
  #candidates: Candidate[] = [];
  #asked: Signalling[] = [];
  /** Of those asked, those that may still accept. */
  #awaited = new Set<Signalling>();
  /** Who has accepted, or sends media already. */
  #chosen: Signalling | undefined;
  #dialect: DialectName;
  #hasAnswer = false;
  #strangers = 0;
  #now = 0;

  constructor(parent: FccClientParent, options: FccClientOptions) {
    this.#parent = parent;
    this.#options = options;
    this.#dialect = options.dialect ?? "telecom";
  }

  get dialect(): DialectName {
    return this.#chosen?.dialect.name ?? this.#dialect;
  }

  /** Who is asked or sends, `10.0.0.1:8027`. */
  get server(): string {
    const server = this.#chosen?.server ?? this.#asked.at(-1)?.server ?? this.#first;
    return server ? formatEndpoint(server) : this.#options.serverName;
  }

  get isOpen(): boolean {
    return this.#asked.length > 0;
  }

  /** @param host a name or an IPv4 literal, which is no reason to wait */
  ask(host: string, port: number, now: number): void {
    const literal = parseIpAddress(host);
    if (literal) {
      this.#ask({ address: literal, port }, now);
      return;
    }
    const failed = (reason: string) => this.#parent.awaitsAnswer && this.#parent.declined(reason);
    resolveHost(host).then(
      (addresses) => {
        const address = addresses.find(({ family }) => family === 4);
        if (!this.#parent.awaitsAnswer) return;
        if (address) this.#ask({ address, port }, performance.now());
        else failed(`${host} has no IPv4 address`);
      },
      (error: unknown) => failed(`its name is not resolved: ${errorAdvice(error)}`),
    );
  }

  /** Nobody has answered in time: the others are asked too. */
  askOthers(): void {
    while (this.#candidates.length > 0) this.#askNext();
  }

  receive(now: number): void {
    this.#now = now;
    for (const signalling of this.#asked) signalling.receive();
  }

  #ask(first: Endpoint, now: number): void {
    const { known, group, dialect } = this.#options;
    this.#now = now;
    this.#first = first;
    this.#candidates = candidates(first, group, dialect, known, now);
    this.#dialect = this.#candidates[0]!.dialect;
    this.#parent.asked(now);
    this.#askNext();
  }

  /** Tells whoever sends to stop, behind a sequence number or at once. */
  terminate(sequence: number | undefined): void {
    for (const signalling of this.#asked) {
      if (signalling === this.#chosen && !signalling.hasTerminated) signalling.terminate(sequence);
      else if (!signalling.hasTerminated) signalling.terminate(undefined);
    }
  }

  /** Closes the sockets, and warns of a server that never answers. `isOver`: it has had time enough. */
  close(isOver: boolean): void {
    this.terminate(undefined);
    const last = this.#asked.at(-1);
    const from = last && this.#from(last);
    for (const signalling of this.#asked) signalling.close();
    if (isOver && from && this.#first && !this.#hasAnswer) this.#unanswered(this.#first, from);
    this.#asked = [];
    this.#awaited.clear();
    this.#candidates = [];
  }

  answered(from: Signalling, message: ServerMessage): void {
    const { known } = this.#options;
    this.#hasAnswer = true;
    if (this.#first) known.answered(this.#first, from.dialect.name);
    this.#parent.heard();
    if (message.kind === "notice") {
      if (!this.#chosen || this.#chosen === from) this.#parent.notified();
    } else if (this.#awaited.has(from) && this.#parent.awaitsAnswer) this.#firstAnswer(from, message);
    // The request was tripled, and so may be the answers of the one who is chosen.
    else if (message.kind === "unicast" && from !== this.#chosen) this.#dismiss(from);
  }

  media(from: Signalling, memory: Memory, offset: number, length: number): void {
    this.#chosen ??= from;
    if (this.#chosen !== from) return;
    this.#hasAnswer = true;
    this.#parent.heard();
    this.#parent.unicast(memory, offset, length);
  }

  strangerAnswered(from: Signalling, stranger: IpAddress): void {
    if (this.#strangers++ > 0) return;
    const { name, log } = this.#options;
    log.warn(`${name}: ${formatIpAddress(stranger)} answers for FCC server ${formatEndpoint(from.server)}: ignored`);
  }

  #firstAnswer(from: Signalling, message: Exclude<ServerMessage, { kind: "notice" }>): void {
    if (message.kind === "redirect") {
      this.#follow(from, message);
      return;
    }
    this.#awaited.delete(from);
    if (message.kind === "join") {
      this.#refused(from, formatEndpoint(from.server), message.reason);
      return;
    }
    this.#chosen ??= from;
    if (this.#chosen !== from) {
      this.#dismiss(from);
      return;
    }
    this.#candidates = [];
    from.accept(message.route, message.punch);
    this.#parent.accepted();
  }

  /** Once, however often it says so. */
  #dismiss(from: Signalling): void {
    if (from.isDismissed) return;
    from.isDismissed = true;
    from.terminate(undefined);
  }

  #follow(from: Signalling, { route, validityS }: Extract<ServerMessage, { kind: "redirect" }>): void {
    const { known, group, log, name } = this.#options;
    const before = formatEndpoint(from.server);
    const result = from.follow(route);
    if (result === "late") return;
    if (result !== "asked") {
      this.#awaited.delete(from);
      const reason =
        result === "too many"
          ? "too many redirects"
          : `it redirects to ${formatEndpoint(from.server)}, which cannot be asked${from.refusal ? ` (${from.refusal})` : ""}`;
      this.#refused(from, before, reason);
      return;
    }
    log.info(`${name}: FCC server ${before} redirects to ${formatEndpoint(from.server)}`);
    const target = { server: from.server, dialect: from.dialect.name };
    known.redirected(this.#first!, group, target, validityS, this.#now);
    this.#parent.redirected();
  }

  /** Somebody will not send; if another may, he is asked. */
  #refused(from: Signalling, server: string, reason: string): void {
    const { known, group, log, name } = this.#options;
    log.info(`${name}: FCC server ${server}: ${reason}`);
    known.forgetRedirect(this.#first!, group);
    // It has answered, so it is no question of the dialect.
    this.#candidates = this.#candidates.filter(({ server }) => !isSameEndpoint(server, from.asked));
    if (this.#candidates.length > 0) this.askOthers();
    else if (this.#awaited.size === 0) this.#parent.declined(reason);
  }

  /** Those who cannot be asked are passed over. */
  #askNext(): void {
    const candidate = this.#candidates.shift();
    if (!candidate) return;
    const { group, log, name } = this.#options;
    try {
      const signalling = new Signalling(this, DIALECTS[candidate.dialect], candidate.server, group, this.#options);
      this.#asked.push(signalling);
      if (!signalling.request()) throw new Error(signalling.refusal ?? "the request cannot be sent");
      this.#awaited.add(signalling);
      log.debug(
        `${name}: FCC server ${formatEndpoint(candidate.server)} is asked in ${candidate.dialect} from ${this.#from(signalling)}`,
      );
    } catch (error) {
      log.warn(
        `${name}: FCC server ${formatEndpoint(candidate.server)} cannot be asked (${candidate.dialect}): ${(error as Error).message}`,
      );
      if (this.#candidates.length > 0) this.#askNext();
      else if (this.#awaited.size === 0) this.#parent.declined("it cannot be asked");
    }
  }

  /** Address, port and interface. */
  #from({ local }: Signalling): string {
    const { interfaceName } = this.#options;
    return interfaceName === undefined ? local : `${local} on interface ${interfaceName}`;
  }

  #unanswered(server: Endpoint, from: string): void {
    const { known, group, log } = this.#options;
    known.forgetRedirect(server, group);
    if (!known.unanswered(server)) return;
    log.warn(
      `FCC server ${formatEndpoint(server)} never answers (asked from ${from}); check the route to it, ` +
        "the firewall for UDP from it, and with a NAT in between fcc-listen-port-range",
    );
  }
}
