/** Who is heard on the media port of a session. Linux: loopback has many addresses. */
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { Memory } from "../../../src/system/memory.ts";
import { UdpSocket } from "../../../src/system/udp-socket.ts";
import { MediaSender } from "../../../src/upstream/rtsp/media-sender.ts";
import { formatIpAddress, parseIpAddress } from "../../../src/wire/ip/address.ts";
import { recordingLog } from "../../fakes/recording-log.ts";
import { until } from "../../fakes/until.ts";

const WAIT_MS = 20_000;
const ANY = parseIpAddress("0.0.0.0")!;
const SERVER = "127.0.0.1";
const NAMED = "127.0.0.3";
const STRANGER = "127.0.0.9";

let resources: DisposableStack;
beforeEach(() => {
  resources = new DisposableStack();
});
afterEach(() => resources.dispose());

async function sender(address: string) {
  const socket = await Bun.udpSocket({ hostname: address, socket: { error() {} } });
  resources.defer(() => socket.close());
  return {
    port: socket.port,
    /** An RTP packet with a mark, or something else. */
    send(mark: number, to: number, isMedia = true): void {
      try {
        socket.send(Uint8Array.of(isMedia ? 0x80 : 0x00, 33, 0, mark, 0, 0, 0, 0, 0, 0, 0, 1, mark), to, SERVER);
      } catch {
        // The kernel lets this one in no longer, and has told him so.
      }
    },
  };
}

function receiver(canHearOnly = true) {
  const socket = new UdpSocket({ address: parseIpAddress(SERVER)! });
  resources.defer(() => socket.close());
  const log: string[] = [];
  const heard: number[] = [];
  const sink = {
    datagram: ({ bytes }: Memory, at: number, length: number) => void heard.push(bytes[at + length - 1]!),
  };
  const senders = [SERVER, NAMED].map((text) => parseIpAddress(text)!);
  const asked: string[] = [];
  const named = {
    senders,
    canHearOnly(address: (typeof senders)[0]) {
      asked.push(formatIpAddress(address));
      return canHearOnly;
    },
  };
  const media = new MediaSender(socket, named, "rtsp://tv", recordingLog(log));
  const hears = (marks: readonly number[]) =>
    until(
      () => {
        media.receive(sink);
        return heard.length >= marks.length;
      },
      WAIT_MS,
      () => `${marks}, but ${heard} came`,
    ).then(() => expect(heard).toEqual([...marks]));
  return { port: socket.port, log, hears, asked };
}

describe.each([true, false])("whether the kernel may filter: %p", (canHearOnly) => {
  test.each([SERVER, NAMED])("%s is heard, and no stranger before, between and after", async (address) => {
    const { port, hears, log, asked } = receiver(canHearOnly);
    const [server, stranger] = [await sender(address), await sender(STRANGER)];
    stranger.send(91, port);
    server.send(1, port);
    stranger.send(92, port);
    server.send(2, port);
    await hears([1, 2]);
    for (let mark = 3; mark < 9; mark++) {
      stranger.send(90 + mark, port);
      server.send(mark, port);
      await hears(Array.from({ length: mark }, (_, i) => i + 1));
    }
    expect(log).toEqual([
      `WARN rtsp://tv: ${STRANGER} port ${stranger.port} sends to our media port and is ignored; media comes from ${SERVER} or ${NAMED}`,
    ]);
    expect(asked).toEqual([address]);
  });

  test("another port of the server's machine is somebody else", async () => {
    const { port, hears } = receiver(canHearOnly);
    const [server, other] = [await sender(SERVER), await sender(SERVER)];
    server.send(1, port);
    await hears([1]);
    other.send(91, port);
    server.send(2, port);
    other.send(92, port);
    server.send(3, port);
    await hears([1, 2, 3]);
  });
});

test("what is no media does not say where media comes from", async () => {
  const { port, hears } = receiver();
  const [server, other] = [await sender(SERVER), await sender(SERVER)];
  other.send(91, port, false);
  server.send(1, port);
  await hears([1]);
});

test("a server that refuses a datagram of ours is heard on", async () => {
  const socket = new UdpSocket({ address: ANY });
  resources.defer(() => socket.close());
  const gone = await sender(SERVER);
  expect(socket.hearOnly(parseIpAddress(SERVER)!, gone.port)).toBe(true);
  const closed = new UdpSocket({ address: parseIpAddress(SERVER)! });
  closed.close();
  socket.send(Uint8Array.of(1), parseIpAddress(SERVER)!, closed.port);
  gone.send(7, socket.port);
  await until(() => socket.receive({ datagram() {} }) > 0, WAIT_MS, "the datagram");
  expect(socket.consumeReadError()).toBeUndefined();
});
