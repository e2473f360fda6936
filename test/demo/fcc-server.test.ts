import { afterEach, beforeEach, expect, test } from "bun:test";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { loadClip, PROTECTED_CHANNEL } from "../../src/demo/channels.ts";
import { FccServer } from "../../src/demo/fcc-server.ts";
import { RtpFeed } from "../../src/demo/rtp-feed.ts";
import {
  emitTelecomRequest,
  emitTelecomTermination,
  isTelecomNotice,
  parseTelecomResponse,
  type TelecomResponse,
} from "../../src/wire/fcc/telecom.ts";
import { parseIpAddress } from "../../src/wire/ip/address.ts";
import { until } from "../fakes/until.ts";

const MAX_SESSIONS = 16;

const WAIT_MS = 10_000;
const COPIES = 3;
const STEP_S = 0.01;
const clip = await loadClip(PROTECTED_CHANNEL);
const group = parseIpAddress(PROTECTED_CHANNEL.group)!;

let server: FccServer;
let feed: RtpFeed;
let sent: Buffer[];
let clients: Client[];
/** Media so far, in s, and when they are sent. */
let played: number;
let nowMs: number;

beforeEach(async () => {
  server = await FccServer.open(PROTECTED_CHANNEL);
  sent = [];
  clients = [];
  played = 0;
  feed = new RtpFeed(clip, (datagram) => {
    sent.push(Buffer.from(datagram));
    server.broadcast(datagram, nowMs);
  });
});
afterEach(() => {
  server.stop();
  for (const { socket } of clients) socket.close();
});

/** Sends so many seconds, of which the last is sent now. */
function play(seconds: number): void {
  const end = played + seconds;
  const endMs = performance.now();
  while (played < end) {
    played = Math.min(end, played + STEP_S);
    nowMs = endMs - (end - played) * 1000;
    feed.advance(played * 90_000);
  }
}

/** Who asks afterwards is answered afterwards: the server has read everything, and what it has sent is there. */
async function untilRead(): Promise<void> {
  await (await Client.open()).request();
}

class Client {
  readonly socket: Socket;
  readonly media: Buffer[] = [];
  readonly responses: TelecomResponse[] = [];
  notices = 0;
  readonly #port = Number(server.address.split(":")[1]);

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("message", (datagram) => {
      const response = parseTelecomResponse(datagram);
      if (response) this.responses.push(response);
      else if (isTelecomNotice(datagram)) this.notices++;
      else this.media.push(Buffer.from(datagram));
    });
  }

  static async open(): Promise<Client> {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    clients.push(new Client(socket));
    return clients.at(-1)!;
  }

  send(message: Uint8Array): void {
    for (let copy = 0; copy < COPIES; copy++) this.socket.send(message, this.#port, "127.0.0.1");
  }

  /** @returns the answers */
  async request(groupPort = PROTECTED_CHANNEL.port): Promise<TelecomResponse[]> {
    this.send(emitTelecomRequest({ group, groupPort, clientPort: this.socket.address().port }));
    await until(() => this.responses.length === COPIES, WAIT_MS, "the answers");
    return this.responses;
  }
}

test("sends from the last key frame on, once, then notifies, then follows, and stops where it is told to", async () => {
  play(2.4);
  const client = await Client.open();
  const [response] = await client.request();
  expect([response!.result, response!.action]).toEqual([0, 2]);
  await until(() => client.notices === 1, WAIT_MS, "the notice");
  const count = client.media.length;
  const first = sent.length - count;
  expect(client.media).toEqual(sent.slice(-count));
  // The last key frame is 0.4 s ago.
  expect(count).toBeWithin(5, 20);
  play(0.5);
  await until(() => client.media.length > count + 5, WAIT_MS, "what follows");

  const stop = (sent.at(-1)!.readUInt16BE(2) + 2) & 0xffff;
  client.send(emitTelecomTermination({ group, sequence: stop }));
  await untilRead();
  play(1);
  await until(() => client.media.at(-1)!.readUInt16BE(2) === stop, WAIT_MS, "the last datagram");
  await untilRead();
  expect([client.notices, client.media.at(-1)!.readUInt16BE(2)]).toEqual([1, stop]);
  expect(client.media).toEqual(sent.slice(first, first + client.media.length));
});

test("a burst is faster than the channel, and slower than the network", async () => {
  play(2.9);
  const client = await Client.open();
  const before = performance.now();
  await client.request();
  await until(() => client.notices === 1, WAIT_MS, "the notice");
  // Of 0.9 s a part comes at once, and the rest half as fast again as it was sent.
  expect(performance.now() - before).toBeGreaterThan(400);
});

test("stops at once when it is told to", async () => {
  play(2.1);
  const client = await Client.open();
  await client.request();
  await until(() => client.notices === 1, WAIT_MS, "the notice");
  client.send(emitTelecomTermination({ group, sequence: undefined }));
  await untilRead();
  const count = client.media.length;
  play(1);
  await untilRead();
  expect(client.media.length).toBe(count);
});

test("says join when there is no key frame yet, and refuses other groups", async () => {
  const early = await Client.open();
  expect((await early.request()).map(({ result, action }) => [result, action])).toEqual(Array(COPIES).fill([0, 1]));
  play(1);
  const other = await Client.open();
  expect((await other.request(1)).map(({ result }) => result)).toEqual(Array(COPIES).fill(1));
  await untilRead();
  expect([early.media, other.media]).toEqual([[], []]);
});

test("says join to one too many, and heeds no nonsense", async () => {
  play(1);
  for (let i = 0; i < MAX_SESSIONS; i++) await (await Client.open()).request();
  const client = await Client.open();
  client.send(Buffer.from("nonsense"));
  client.send(emitTelecomTermination({ group, sequence: 5 }));
  expect((await client.request()).map(({ action }) => action)).toEqual(Array(COPIES).fill(1));
});
