/** What stands on both sides of the program in end-to-end tests: channels that send and viewers that verify. */

import { parseIpAddress } from "../../src/wire/ip/address.ts";
import { freeUdpPort, uniqueGroup } from "../fakes/free-port.ts";
import { HttpClient } from "../fakes/http-client.ts";
import { MulticastSender, type MulticastSenderOptions } from "../fakes/multicast-sender.ts";
import { memberCount } from "../fakes/namespace.ts";
import { TsVerifier } from "../fakes/ts-verifier.ts";
import { until } from "../fakes/until.ts";

const WAIT_MS = 20_000;
/** Where the program is to join: the senders send there. */
export const ON_LOOPBACK = ["-r", "lo"];
/** The rate of a channel whose rate does not matter. */
export const USUAL_RATE = 4_000_000;

interface Server {
  readonly port: number;
}

let streamIds = 0;

/** A multicast group of its own, with a sender that has not begun. */
export class Channel {
  readonly group: string;
  readonly port: number;
  readonly streamId: number;
  readonly sender: MulticastSender;

  private constructor({ group, port, streamId }: MulticastSenderOptions, sender: MulticastSender) {
    this.group = group;
    this.port = port;
    this.streamId = streamId;
    this.sender = sender;
  }

  static async open(options: Partial<MulticastSenderOptions> = {}): Promise<Channel> {
    const where = { group: uniqueGroup(), port: await freeUdpPort(), streamId: ++streamIds };
    const all: MulticastSenderOptions = { carrier: "rtp", ...where, ...options };
    return new Channel(all, await MulticastSender.open(all));
  }

  /** A channel that sends already. */
  static async sending(options: Partial<MulticastSenderOptions> = {}, bitsPerSecond = USUAL_RATE): Promise<Channel> {
    const channel = await Channel.open(options);
    channel.sender.start(bitsPerSecond);
    return channel;
  }

  /** `239.1.2.3:5000` */
  get address(): string {
    return `${this.group}:${this.port}`;
  }

  /** Path on the program's server. */
  get path(): string {
    return `/rtp/${this.address}`;
  }

  /** Counter of the last TS packet that was made. */
  get lastCounter(): number {
    return this.sender.source.counter - 1;
  }

  /** Memberships of the group, of all processes here. */
  get members(): number {
    return memberCount(parseIpAddress(this.group)!);
  }

  /** Waits until nobody is a member any more. */
  untilLeft(ms = WAIT_MS): Promise<void> {
    return until(() => this.members === 0, ms, `the program to leave ${this.group}`);
  }

  [Symbol.dispose](): void {
    this.sender.close();
  }
}

export interface ViewerOptions {
  /** What to request instead of the channel's path. */
  readonly target?: string;
  /** Keeps what comes in `recording`. */
  readonly record?: boolean;
  /** Sends a FIN behind the request. */
  readonly halfCloses?: boolean;
}

/** A client that has been given the stream of a channel, and verifies it. */
export class Viewer {
  readonly client: HttpClient;
  readonly verifier: TsVerifier;
  /** The stream so far; empty unless it is to be recorded. */
  readonly recording: Uint8Array[] = [];

  private constructor(client: HttpClient, streamId: number, record: boolean) {
    this.client = client;
    this.verifier = new TsVerifier(streamId);
    client.stream((chunk) => {
      if (record) this.recording.push(chunk);
      this.verifier.push(chunk);
    });
  }

  /** Requests the channel and waits for the response head. Rejects if the answer is not 200. */
  static async open(server: Server, channel: Channel, options: ViewerOptions = {}): Promise<Viewer> {
    const { target = channel.path, record = false, halfCloses = false } = options;
    const client = await HttpClient.connect(server);
    client.request("GET", target);
    if (halfCloses) client.halfClose();
    const { status, reason } = await client.head();
    if (status === 200) return new Viewer(client, channel.streamId, record);
    client.destroy();
    throw new Error(`${target} was answered ${status} ${reason}`);
  }

  /** Waits for so many more TS packets. */
  async more(packets: number): Promise<void> {
    const wanted = this.verifier.packets + packets;
    await until(() => this.verifier.packets >= wanted, WAIT_MS, `${packets} more TS packets`);
  }

  /** Waits for the last packet of a channel that has stopped sending. */
  async catchUp(channel: Channel): Promise<void> {
    await until(() => this.verifier.last === channel.lastCounter, WAIT_MS, "the last TS packet");
  }

  [Symbol.dispose](): void {
    this.client.destroy();
  }
}

/** Counts of a verifier that has seen nothing wrong. */
export const CLEAN = { lost: 0, reordered: 0, duplicate: 0, corrupt: 0, foreign: 0, resyncs: 0, stray: 0 };

/** Requests a target, and returns the complete answer. */
export async function answerTo(server: Server, target: string, method = "GET", ms = WAIT_MS) {
  using client = await HttpClient.connect(server);
  client.request(method, target);
  const head = await client.head(ms);
  return { head, body: (await client.readToEnd(ms)).toString() };
}
