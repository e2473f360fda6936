/** Datagrams and the header that open the way for RTSP media through a NAT, those of ZTE among them (rtsp.md section 7). */
import { formatIpAddress, type IpAddress } from "../ip/address.ts";
import { RTP_HEADER_BYTES } from "../rtp/packet.ts";

const ZTE_PUNCH_BYTES = 84;

const ZTE_MAGIC = "ZXV10STB";
const ZTE_MARK = 0x7fffffff;
const ADDRESS_OFFSET = 12;

/** Where the server shall send, as it sees us. */
export interface AdvertisedEndpoint {
  /** IPv4. */
  readonly address: IpAddress;
  /** 1 to 65535. */
  readonly rtpPort: number;
  readonly controlPort: number;
}

/** The datagram for the server's RTP port when ZTE mode is on. */
export function emitZtePunch({ address, rtpPort, controlPort }: AdvertisedEndpoint): Uint8Array {
  const datagram = new Uint8Array(ZTE_PUNCH_BYTES);
  const view = new DataView(datagram.buffer);
  datagram.set(Buffer.from(ZTE_MAGIC, "latin1"));
  view.setUint32(8, ZTE_MARK);
  datagram.set(address.bytes.subarray(0, 4), ADDRESS_OFFSET);
  view.setUint16(16, rtpPort);
  view.setUint16(18, controlPort);
  return datagram;
}

/** The datagram for the server's RTP port otherwise: an RTP header that is all zero but for its version. */
export function emitRtpPunch(): Uint8Array {
  const datagram = new Uint8Array(RTP_HEADER_BYTES);
  datagram[0] = 0x80;
  return datagram;
}

/** The value of `x-NAT`. */
export function formatNatHeader({ address, controlPort }: AdvertisedEndpoint): string {
  return `${formatIpAddress(address)}:${controlPort}`;
}
