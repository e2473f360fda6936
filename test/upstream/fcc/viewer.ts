/** An upstream with its channel, group and server on loopback, and one clock for all of them that the test moves. */

import type { StreamState, UpstreamParent } from "../../../src/relay/upstream.ts";
import type { Memory } from "../../../src/system/memory.ts";
import { KnownServers } from "../../../src/upstream/fcc/known-servers.ts";
import { type FccTarget, FccUpstream } from "../../../src/upstream/fcc/upstream.ts";
import { parseIpAddress } from "../../../src/wire/ip/address.ts";
import { FccChannel, type FccChannelOptions, FccGroup, type FccGroupOptions } from "../../fakes/fcc-channel.ts";
import { FccServer, type FccServerOptions } from "../../fakes/fcc-server.ts";
import { freeUdpPort, uniqueGroup } from "../../fakes/free-port.ts";
import { OPEN_REACH } from "../../fakes/reach.ts";
import { recordingLog } from "../../fakes/recording-log.ts";

const STEP_MS = 2;
const COUNTER_OFFSET = 21;
const PER_DATAGRAM = 7;

export interface ViewerOptions {
  readonly channel?: Partial<FccChannelOptions>;
  readonly group?: Partial<FccGroupOptions>;
  readonly server?: Partial<Omit<FccServerOptions, "channel">>;
  readonly fcc?: Partial<FccTarget>;
  readonly known?: KnownServers;
}

export class FccViewer implements UpstreamParent {
  readonly log = recordingLog();
  readonly channel: FccChannel;
  readonly group: FccGroup;
  readonly server: FccServer;
  readonly servers: FccServer[] = [];
  readonly upstream: FccUpstream;
  readonly states: StreamState[] = [];
  readonly causes: (Error | undefined)[] = [];
  /** Numbers of the datagrams that were delivered, in their order. */
  readonly delivered: number[] = [];
  /** Datagrams that were delivered and are not those of the channel. */
  damaged = 0;
  firstAt: number | undefined;
  randomAccessAt: number | undefined;
  retained = 0;
  now: number;
  readonly openedAt: number;

  private constructor(
    channel: FccChannel,
    group: FccGroup,
    where: { group: string; port: number },
    options: ViewerOptions,
  ) {
    this.channel = channel;
    this.group = group;
    this.server = new FccServer({ dialect: "telecom", answerAfterMs: 5, ...options.server, channel });
    this.servers.push(this.server);
    this.now = this.openedAt = channel.options.startedAt + 10_300;
    const name = `rtp://${where.group}:${where.port}`;
    const about = { kind: "multicast", url: name, interfaceName: "lo", receiver: "batched" };
    this.upstream = new FccUpstream(
      this,
      { name, group: parseIpAddress(where.group)!, port: where.port, interfaceName: "lo", about },
      {
        server: { host: this.server.address, port: this.server.port },
        dialect: this.server.dialect,
        interfaceName: undefined,
        portRange: undefined,
        reach: OPEN_REACH,
        ...options.fcc,
      },
      { receiveBufferBytes: 4 * 1024 * 1024, rejoinIntervalS: 0, gapTimeoutS: 5 },
      options.known ?? new KnownServers(),
      this.log,
      this.now,
    );
  }

  static async open(options: ViewerOptions = {}): Promise<FccViewer> {
    const channel = new FccChannel({
      streamId: 7,
      bitsPerSecond: 8_000_000,
      keyFrameEvery: 380,
      startedAt: 1_000_000,
      ...options.channel,
    });
    const where = { group: uniqueGroup(), port: await freeUdpPort(), ...options.group };
    return new FccViewer(channel, await FccGroup.open(channel, where), where, options);
  }

  append({ bytes }: Memory, offset: number, length: number): void {
    this.firstAt ??= this.now;
    const payload = bytes.subarray(offset, offset + length);
    const counter = new DataView(bytes.buffer, bytes.byteOffset + offset).getUint32(COUNTER_OFFSET);
    const index = counter / PER_DATAGRAM;
    this.delivered.push(index);
    if (!Number.isInteger(index) || Buffer.compare(payload, this.channel.payload(index)) !== 0) this.damaged++;
  }

  markRandomAccess(): void {
    this.randomAccessAt ??= this.now;
  }

  fill(): number {
    throw new Error("this is no byte stream");
  }

  get room(): number {
    return 0;
  }

  cannotPause(): void {}

  wake(): void {}

  opened(): void {}

  retain(bytes: number): void {
    this.retained = bytes;
  }

  entered(state: StreamState): void {
    this.states.push(state);
  }

  ended(cause: Error | undefined): void {
    this.causes.push(cause);
    this.upstream.close();
  }

  /** Lets time pass for all of them. */
  pass(ms: number): void {
    const end = this.now + ms;
    while (this.now < end) {
      this.now += STEP_MS;
      this.group.step(this.now);
      for (const server of this.servers) server.step(this.now);
      this.upstream.tick(this.now);
    }
  }

  passUntil(isDone: () => boolean, limitMs = 20_000): void {
    const end = this.now + limitMs;
    while (!isDone()) {
      if (this.now >= end) throw new Error(`nothing of the kind in ${limitMs} ms:\n${this.log.lines.join("\n")}`);
      this.pass(STEP_MS);
    }
  }

  get state() {
    return this.upstream.details["fccState"];
  }

  /** Of the response head. */
  header(name: string): string | undefined {
    return this.upstream.info.metadata.find(([known]) => known === name)?.[1];
  }

  /** Datagrams between the first and the last delivered one that some source has sent and that were not delivered. */
  get missing(): number[] {
    const delivered = new Set(this.delivered);
    const [first = 0] = this.delivered;
    const last = this.delivered.at(-1) ?? 0;
    const missing: number[] = [];
    for (let index = first; index < last; index++) {
      const hasArrived = this.group.arrived.has(index) || this.servers.some(({ arrived }) => arrived.has(index));
      if (hasArrived && !delivered.has(index)) missing.push(index);
    }
    return missing;
  }

  /** Datagrams that were delivered at or behind one that came before them. */
  get disorder(): number[] {
    return this.delivered.filter((index, i) => i > 0 && index <= this.delivered[i - 1]!);
  }

  close(): void {
    this.upstream.close();
    for (const server of this.servers) server.step(this.now);
    this.group.close();
    for (const server of this.servers) server.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
