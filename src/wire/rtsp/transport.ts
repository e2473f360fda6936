/** The `Transport` header: what is offered and what a server chose (RFC 2326 section 12.39; rtsp.md section 5.4). */
import { trimBlanks } from "../text/blanks.ts";

interface TransportParameter {
  readonly name: string;
  /** Undefined without `=`; without quotes. */
  readonly value: string | undefined;
}

/** One of the alternatives of a header. */
export interface Transport {
  /** `RTP/AVP/TCP` and the like. */
  readonly profile: string;
  readonly parameters: readonly TransportParameter[];
}

export interface UdpOffer {
  /** Even; RTCP has the next one. */
  readonly rtpPort: number;
  /** IPv4 address where a server behind a ZTE gateway shall send; undefined without that mode. */
  readonly clientAddress: string | undefined;
}

export type ChosenTransport =
  /** 0 to 255, but `rtcpChannel` is 256 when a server puts RTP on the last one. */
  | { readonly kind: "tcp"; readonly rtpChannel: number; readonly rtcpChannel: number }
  | {
      readonly kind: "udp";
      /** Where media comes from, when that is not the server itself. */
      readonly source: string | undefined;
      /** 1 to 65535; undefined when the server names none. */
      readonly rtpPort: number | undefined;
      readonly rtcpPort: number | undefined;
    };

const DEFAULT_CHANNELS: readonly [number, number] = [0, 1];
const MAX_CHANNEL = 255;
const MAX_PORT = 65535;

const TCP_PROFILES = ["MP2T/RTP/TCP", "MP2T/TCP", "RTP/AVP/TCP"];
const UDP_PROFILES = ["MP2T/RTP/UDP", "MP2T/UDP", "RTP/AVP"];

/** What stands between separators; a quoted text may hold them. An unmatched quote is like any other character. */
const ALTERNATIVES = /(?:"[^"]*"|[^,])+/g;
const PARAMETERS = /(?:"[^"]*"|[^;])+/g;
const PAIR = /^(\d+)(?:-(\d+))?$/;

/**
 * The value of `Transport` in SETUP: all alternatives, the preferred first.
 * @param udp undefined when no ports could be opened: then only TCP is offered
 */
export function emitTransportOffers(udp: UdpOffer | undefined): string {
  const offers = TCP_PROFILES.map((profile) => `${profile};unicast;interleaved=0-1`);
  if (!udp) return offers.join(",");
  const { rtpPort, clientAddress } = udp;
  const address = clientAddress === undefined ? "" : `client_address=${clientAddress};`;
  const mode = clientAddress === undefined ? "" : ";mode=PLAY";
  const ports = `client_port=${rtpPort}-${rtpPort + 1}`;
  return [...offers, ...UDP_PROFILES.map((profile) => `${profile};unicast;${address}${ports}${mode}`)].join(",");
}

/** The value of `Transport` in the answer to SETUP. Whatever is not TCP counts as UDP. */
export function parseChosenTransport(value: string): ChosenTransport {
  const { profile, parameters } = parseTransports(value)[0] ?? { profile: "", parameters: [] };
  const interleaved = parameterOf(parameters, "interleaved");
  if (interleaved !== undefined || /TCP/i.test(profile)) {
    const [rtpChannel, rtcpChannel = rtpChannel + 1] = parsePair(interleaved, 0, MAX_CHANNEL) ?? DEFAULT_CHANNELS;
    return { kind: "tcp", rtpChannel, rtcpChannel };
  }
  const [rtpPort, rtcpPort] = parsePair(parameterOf(parameters, "server_port"), 1, MAX_PORT) ?? [];
  return { kind: "udp", source: parameterOf(parameters, "source") || undefined, rtpPort, rtcpPort };
}

/** All alternatives of a header, the empty ones left out. */
export function parseTransports(value: string): Transport[] {
  const texts = (value.match(ALTERNATIVES) ?? []).map(trimBlanks);
  return texts.filter((text) => text !== "").map(parseTransport);
}

function parseTransport(text: string): Transport {
  const [profile = "", ...parameters] = (text.match(PARAMETERS) ?? []).map(trimBlanks);
  return { profile, parameters: parameters.filter((parameter) => parameter !== "").map(parseParameter) };
}

function parseParameter(text: string): TransportParameter {
  const equals = text.indexOf("=");
  if (equals < 0) return { name: text, value: undefined };
  return { name: trimBlanks(text.slice(0, equals)), value: unquoted(trimBlanks(text.slice(equals + 1))) };
}

/** The value of the first parameter with this name. */
export function parameterOf(parameters: readonly TransportParameter[], name: string): string | undefined {
  const found = parameters.find((parameter) => parameter.name.toLowerCase() === name);
  return found && (found.value ?? "");
}

/** `a-b`, or `a` for `a` and the next number. Undefined unless all of them lie within the limits. */
export function parsePair(
  text: string | undefined,
  least: number,
  most: number,
): [number, number | undefined] | undefined {
  const [, first, second] = PAIR.exec(text ?? "") ?? [];
  if (first === undefined) return undefined;
  const isWithin = (number: number) => number >= least && number <= most;
  const a = Number(first);
  const b = second === undefined ? a + 1 : Number(second);
  if (!isWithin(a)) return undefined;
  if (isWithin(b)) return [a, b];
  return second === undefined ? [a, undefined] : undefined;
}

function unquoted(text: string): string {
  return text.length >= 2 && text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}
