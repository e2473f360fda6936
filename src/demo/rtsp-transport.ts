/** How a session of the demo's RTSP source sends its media: within the connection, or to a UDP port (RFC 2326 section 12.39). */

import { parameterOf, parsePair, parseTransports, type Transport } from "../wire/rtsp/transport.ts";

export interface ChosenWay {
  readonly kind: "tcp" | "udp";
  /** Channel of RTP, or the client's port for it. RTCP, which is not sent, has the next one. */
  readonly number: number;
  /** The value of `Transport` that says so. */
  readonly answer: string;
}

const TCP_PROFILES = ["RTP/AVP/TCP", "MP2T/RTP/TCP"];
const UDP_PROFILES = ["RTP/AVP", "RTP/AVP/UDP", "MP2T/RTP/UDP"];
const DEFAULT_CHANNELS = "0-1";
const MAX_CHANNEL = 255;
/** The ports below are for services of the system, which want no media. */
const LEAST_PORT = 1024;
const MAX_PORT = 65535;

/**
 * The first alternative of a `Transport` header that can be served; undefined when there is none.
 * @param serverPort of RTP, RTCP has the next one; undefined when only TCP can be served
 */
export function chooseWay(value: string, serverPort: number | undefined): ChosenWay | undefined {
  for (const offer of parseTransports(value)) {
    if (parameterOf(offer.parameters, "multicast") !== undefined) continue;
    const way = overTcp(offer) ?? (serverPort === undefined ? undefined : overUdp(offer, serverPort));
    if (way) return way;
  }
  return undefined;
}

function overTcp({ profile, parameters }: Transport): ChosenWay | undefined {
  if (!TCP_PROFILES.includes(profile.toUpperCase())) return undefined;
  const channels = parameterOf(parameters, "interleaved") ?? DEFAULT_CHANNELS;
  const [rtp, rtcp] = parsePair(channels, 0, MAX_CHANNEL) ?? [];
  if (rtp === undefined || rtcp === undefined) return undefined;
  return { kind: "tcp", number: rtp, answer: `${profile};unicast;interleaved=${rtp}-${rtcp}` };
}

function overUdp({ profile, parameters }: Transport, serverPort: number): ChosenWay | undefined {
  if (!UDP_PROFILES.includes(profile.toUpperCase())) return undefined;
  const [rtp, rtcp] = parsePair(parameterOf(parameters, "client_port"), LEAST_PORT, MAX_PORT) ?? [];
  if (rtp === undefined || rtcp === undefined) return undefined;
  const ports = `client_port=${rtp}-${rtcp};server_port=${serverPort}-${serverPort + 1}`;
  return { kind: "udp", number: rtp, answer: `${profile};unicast;${ports}` };
}
