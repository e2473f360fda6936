/** Sends demonstration channels as RTP multicast over the loopback interface: it needs neither root nor a network. */

import {
  loadClip,
  MULTICAST_CHANNELS,
  type MulticastChannel,
  PROTECTED_CHANNEL,
  type ProtectedChannel,
} from "./channels.ts";
import { FccServer } from "./fcc-server.ts";
import { LossyLine } from "./lossy-line.ts";
import { PaceClock } from "./pace-clock.ts";
import { ParityEncoder } from "./parity-encoder.ts";
import { RtpFeed } from "./rtp-feed.ts";

const LOOPBACK = "127.0.0.1";
/** Loopback packets go nowhere; the lowest value says that they should not. */
const MULTICAST_TTL = 1;
const TICK_MS = 10;

export interface DemoSender {
  /** Address and port of the server of fast channel change. */
  readonly fccServer: string;
  stop(): void;
}

type SendingSocket = Bun.udp.Socket<"buffer">;

/**
 * Starts all channels at their first frame and sends until `stop()`. Rejects with the system's error when there is no
 * loopback interface, and with an Error when a clip cannot be read or is not an MPEG-TS clip.
 */
export async function startDemoSender(
  channels: readonly MulticastChannel[] = MULTICAST_CHANNELS,
  withParity: ProtectedChannel = PROTECTED_CHANNEL,
): Promise<DemoSender> {
  const [socket, fcc] = await Promise.all([openLoopbackSocket(), FccServer.open(withParity)]);
  const close = () => {
    socket.close();
    fcc.stop();
  };
  try {
    const feeds = await Promise.all([
      ...channels.map((channel) => openFeed(socket, channel)),
      openProtectedFeed(socket, withParity, fcc),
    ]);
    const clock = new PaceClock(performance.now());
    const timer = setInterval(() => {
      const nowTicks = clock.advance(performance.now());
      for (const feed of feeds) feed.advance(nowTicks);
    }, TICK_MS);
    return {
      fccServer: fcc.address,
      stop() {
        clearInterval(timer);
        close();
      },
    };
  } catch (error) {
    close();
    throw error;
  }
}

async function openLoopbackSocket(): Promise<SendingSocket> {
  const socket = await Bun.udpSocket({
    hostname: LOOPBACK,
    // Without a handler an ICMP error would end the process.
    socket: { error() {} },
  });
  try {
    socket.setMulticastInterface(LOOPBACK);
    socket.setMulticastLoopback(true);
    socket.setMulticastTTL(MULTICAST_TTL);
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

async function openFeed(socket: SendingSocket, channel: MulticastChannel): Promise<RtpFeed> {
  const { group, port } = channel;
  return new RtpFeed(await loadClip(channel), (datagram) => sendOrLose(socket, datagram, port, group));
}

/** What the line loses is in the parity, and the server has it from before the line. */
async function openProtectedFeed(socket: SendingSocket, channel: ProtectedChannel, fcc: FccServer): Promise<RtpFeed> {
  const { group, port, parityPort } = channel;
  const line = new LossyLine();
  const encoder = new ParityEncoder((parity) => sendOrLose(socket, parity, parityPort, group));
  return new RtpFeed(await loadClip(channel), (datagram) => {
    fcc.broadcast(datagram, performance.now());
    if (!line.loses()) sendOrLose(socket, datagram, port, group);
    encoder.push(datagram);
  });
}

/** A datagram that the system refuses (no buffer, a firewall) is lost, as it would be on a network. */
function sendOrLose(socket: SendingSocket, datagram: Uint8Array, port: number, group: string): void {
  try {
    socket.send(datagram, port, group);
  } catch {}
}
