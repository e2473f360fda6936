/** Keeps others out of a session's media port: only whom SETUP or the control connection has named is heard (rtsp.md section 10.2). */
import type { Log } from "../../system/log.ts";
import type { Memory } from "../../system/memory.ts";
import { type AddressedSink, type DatagramSink, MAX_DATAGRAMS, type UdpSocket } from "../../system/udp-socket.ts";
import { formatIpAddress, type IpAddress, isSameAddress } from "../../wire/ip/address.ts";
import { TS_PACKET_BYTES } from "../../wire/mpegts/packet.ts";
import { isRtp } from "../../wire/rtp/packet.ts";
import { isRtcp } from "../../wire/rtp/rtcp.ts";

export interface NamedSenders {
  /** Who may send, as far as that is known. */
  readonly senders: readonly IpAddress[];
  /** Whether the kernel may be told so: it then hears nothing that is sent to another address of ours. */
  canHearOnly(sender: IpAddress): boolean;
}

export class MediaSender implements AddressedSink {
  readonly #socket: UdpSocket;
  readonly #named: NamedSenders;
  readonly #server: string;
  readonly #log: Log;
  #state:
    | "awaited"
    /** Its address and port are known, and each datagram is compared with them. */
    | "known"
    /** The kernel compares from now on, but there may be datagrams from before. */
    | "settling"
    /** Nothing is left to be compared. */
    | "alone" = "awaited";
  #from: IpAddress | undefined;
  #port = 0;
  #into: DatagramSink | undefined;
  #heard = 0;
  #hasWarned = false;

  constructor(socket: UdpSocket, named: NamedSenders, server: string, log: Log) {
    this.#socket = socket;
    this.#named = named;
    this.#server = server;
    this.#log = log;
  }

  /** Hands over what the server has sent, and answers how many datagrams that were. */
  receive(into: DatagramSink): number {
    if (this.#state === "alone") return this.#socket.receive(into);
    this.#into = into;
    this.#heard = 0;
    const wasKnown = this.#state !== "awaited";
    const count = this.#socket.receiveFrom(this);
    if (this.#state === "settling" && count < MAX_DATAGRAMS) this.#state = "alone";
    else if (!wasKnown && this.#from && this.#named.canHearOnly(this.#from)) {
      if (this.#socket.hearOnly(this.#from, this.#port)) this.#state = "settling";
    }
    return this.#heard;
  }

  datagram(memory: Memory, offset: number, length: number, from: IpAddress, port: number): void {
    if (this.#state === "awaited") {
      if (!this.#named.senders.some((sender) => isSameAddress(sender, from))) {
        this.#warnOnce(from, port);
        return;
      }
      // The answer to a punch, say, may come from another port than the media.
      if (!isMedia(memory.bytes, offset, length)) return;
      this.#state = "known";
      this.#from = from;
      this.#port = port;
    }
    // One sender is one object as long as nobody else comes between.
    if (port === this.#port && this.#from && (from === this.#from || isSameAddress(from, this.#from))) {
      this.#heard++;
      this.#into?.datagram(memory, offset, length);
    } else this.#warnOnce(from, port);
  }

  #warnOnce(from: IpAddress, port: number): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    const named = this.#from ? [this.#from] : this.#named.senders;
    this.#log.warn(
      `${this.#server}: ${formatIpAddress(from)} port ${port} sends to our media port and is ignored; media comes from ` +
        `${named.map(formatIpAddress).join(" or ")}${this.#from ? ` port ${this.#port}` : ""}`,
    );
  }
}

/** A transport stream may be cut anywhere. */
function isMedia(bytes: Uint8Array, offset: number, length: number): boolean {
  return length >= TS_PACKET_BYTES || (isRtp(bytes, offset, length) && !isRtcp(bytes, offset, length));
}
