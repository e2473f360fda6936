/** The parsers that meet bytes from outside, each as one function of the pieces in which these come. */

import { mergeConfigFile } from "../../src/config/config-file.ts";
import { FirstBytes } from "../../src/upstream/http/first-bytes.ts";
import { proxyLink } from "../../src/upstream/http/proxy-link.ts";
import * as huawei from "../../src/wire/fcc/huawei.ts";
import { isFccSignalling } from "../../src/wire/fcc/packet.ts";
import * as telecom from "../../src/wire/fcc/telecom.ts";
import { emptyParityPacket, parseParityPacket } from "../../src/wire/fec/parity-packet.ts";
import { emptyXorParity, parseXorParity } from "../../src/wire/fec/smpte-2022-1.ts";
import { rewrittenPieces } from "../../src/wire/hls/rewrite.ts";
import { accessLogLine, parseAccessLogFormat } from "../../src/wire/http/access-log.ts";
import { ChunkedDecoder } from "../../src/wire/http/chunked.ts";
import { parseChallenges } from "../../src/wire/http/digest.ts";
import { RequestHeadParser } from "../../src/wire/http/request.ts";
import { ResponseHeadParser } from "../../src/wire/http/response-head.ts";
import { parseIpAddress } from "../../src/wire/ip/address.ts";
import { membershipReportV2, membershipReportV3 } from "../../src/wire/ip/igmp.ts";
import { isStun, parseBindingResponse } from "../../src/wire/ip/stun.ts";
import { emitM3uEntry, M3uParser } from "../../src/wire/m3u/parser.ts";
import { TransportHealth } from "../../src/wire/mpegts/health.ts";
import * as ts from "../../src/wire/mpegts/packet.ts";
import { parsePat, parsePmt, SectionReader } from "../../src/wire/mpegts/sections.ts";
import { emptyRtpPacket, isRtp, parseRtp } from "../../src/wire/rtp/packet.ts";
import { RtspDemux, type RtspSink } from "../../src/wire/rtsp/demux.ts";
import { parseStartLine, RtspMessageParser } from "../../src/wire/rtsp/message.ts";
import { parseSdp } from "../../src/wire/rtsp/sdp.ts";
import { parseChosenTransport, parseTransports } from "../../src/wire/rtsp/transport.ts";
import { followRedirect, formatRtspUrl, parseRtspUrl, trackUrls } from "../../src/wire/rtsp/url.ts";
import { type ByteString, bytesToString } from "../../src/wire/text/byte-string.ts";
import { parseAuthority } from "../../src/wire/url/authority.ts";
import { splitTarget } from "../../src/wire/url/label.ts";
import { percentDecode, percentEncode } from "../../src/wire/url/percent.ts";
import { formatProxyUrl, parseProxyUrl, takeParameters } from "../../src/wire/url/proxy-url.ts";
import { queryParameter } from "../../src/wire/url/query.ts";
import { resolveReference } from "../../src/wire/url/reference.ts";
import { XmltvBody } from "../../src/wire/xmltv/body.ts";
import { zipDataOffset, zipDirectory, zipEntries } from "../../src/wire/zip/directory.ts";
import { onesComplementSum } from "../fakes/internet-checksum.ts";
import { healthFacts } from "../wire/mpegts/health-facts.ts";
import { pushPieces } from "../wire/pieces.ts";

type Pieces = readonly Uint8Array[];

/** Returns all that the parser found, to be compared; throws when it says something that cannot be. */
type Parse = (pieces: Pieces) => unknown;

function text(pieces: Pieces): ByteString {
  return bytesToString(Buffer.concat(pieces));
}

/** Parses the bytes as they lie within more bytes, which must not matter. */
function within(pieces: Pieces, parse: (bytes: Uint8Array, offset: number, length: number) => unknown): unknown {
  const bytes = Buffer.concat(pieces);
  const alone = parse(bytes, 0, bytes.length);
  const around = Buffer.concat([Buffer.alloc(7, 0xff), bytes, Buffer.alloc(200, 0x47)]);
  const amid = parse(around, 7, bytes.length);
  if (!Bun.deepEquals(alone, amid)) throw new Error(`alone ${Bun.inspect(alone)}, amid ${Bun.inspect(amid)}`);
  return alone;
}

function demand(holds: boolean, what: string): void {
  if (!holds) throw new Error(`it does not hold that ${what}`);
}

function chunked(pieces: Pieces): unknown {
  const decoder = new ChunkedDecoder();
  const data: Uint8Array[] = [];
  let taken = 0;
  const chunkData = (piece: Uint8Array, start: number, length: number) =>
    void data.push(piece.slice(start, start + length));
  for (const piece of pieces) taken += decoder.push(piece, { chunkData });
  return { taken, status: decoder.status, data: Buffer.concat(data).toString("latin1") };
}

function rtspDemux(pieces: Pieces): unknown {
  const events: unknown[] = [];
  const sink: RtspSink = {
    frame: (channel, bytes, offset, length) =>
      void events.push([channel, bytes.slice(offset, offset + length).toHex()]),
    response: (response) => void events.push(response),
    request: (request) => void events.push(request),
  };
  const demux = new RtspDemux(sink);
  for (const piece of pieces) demux.push(piece);
  return { events, failure: demux.failure, skipped: demux.skippedBytes };
}

/** The first line alone is not taken in pieces. */
function rtspMessage(pieces: Pieces): unknown {
  const all = Buffer.concat(pieces);
  const newline = all.indexOf("\n");
  const line = parseStartLine(all.toString("latin1", 0, Math.max(newline, 0)).replace(/\r$/, ""));
  if (line === undefined) return undefined;
  let before = newline + 1;
  const rest = pieces.flatMap((piece) => {
    const skipped = Math.min(before, piece.length);
    before -= skipped;
    return skipped === piece.length ? [] : [piece.subarray(skipped)];
  });
  return pushPieces(new RtspMessageParser(line), rest);
}

function m3u(pieces: Pieces): unknown {
  const parser = new M3uParser();
  for (const piece of pieces) parser.push(bytesToString(Buffer.from(piece)));
  const playlist = parser.finish();
  const again = new M3uParser();
  for (const entry of playlist.entries) again.push(emitM3uEntry(entry));
  demand(again.finish().entries.length === playlist.entries.length, "entries survive being written");
  return playlist;
}

function xmltv(pieces: Pieces): unknown {
  const body = new XmltvBody();
  const out = pieces.map((piece) => Buffer.from(body.push(piece)).toString("latin1"));
  // How much a broken document has given by then depends on its pieces.
  return body.state === "failed" ? body.state : { state: body.state, out: out.join("") };
}

function zip(pieces: Pieces): unknown {
  const file = Buffer.concat(pieces);
  const directory = zipDirectory(file);
  if (!directory) return undefined;
  const entries = zipEntries(file.subarray(directory.at, directory.at + directory.bytes));
  return entries.map((entry) => [entry, zipDataOffset(file.subarray(entry.at))]);
}

function rtp(pieces: Pieces): unknown {
  return within(pieces, (bytes, offset, length) => {
    if (!isRtp(bytes, offset, length)) return "no RTP";
    const packet = emptyRtpPacket();
    if (!parseRtp(bytes, offset, length, packet)) return "malformed";
    const { payloadType, sequence, payloadStart, payloadEnd } = packet;
    demand(payloadStart >= offset + 12 && payloadStart < payloadEnd, "the payload lies behind the header");
    demand(payloadEnd <= offset + length, "the payload lies within the datagram");
    return [payloadType, sequence, payloadStart - offset, payloadEnd - offset];
  });
}

function tables(section: Uint8Array): unknown {
  const { programme, streams } = parsePmt(section) ?? {};
  const map = streams?.map(({ pid, type, descriptors }) => [pid, type, descriptors.toHex()]);
  return [parsePat(section), programme, map];
}

function mpegts(pieces: Pieces): unknown {
  const bytes = Buffer.concat(pieces);
  const inPieces = new TransportHealth();
  for (const piece of pieces) inPieces.look(piece, 0, piece.length, 0);
  const atOnce = new TransportHealth();
  atOnce.look(bytes, 0, bytes.length, 0);
  demand(Bun.deepEquals(healthFacts(inPieces), healthFacts(atOnce)), "pieces do not matter");
  demand(atOnce.packets <= bytes.length / 188, "no packet is counted twice");
  demand(atOnce.continuityErrors <= atOnce.packets, "a packet is one error at the most");
  return within(pieces, (all, offset, length) => {
    const found: unknown[] = [ts.isTransportStream(all, offset, length)];
    const sections = new SectionReader((section, packets) => {
      demand(section.length <= 4096 && packets > 0, "a section is no longer than one may be");
      found.push([section.toHex(), packets, tables(section)]);
    });
    for (let at = offset; at + 188 <= offset + length; at += 188) {
      const payload = ts.payloadOffset(all, at);
      demand(payload > at && payload <= at + 188, "the payload lies within the packet");
      const pictures = [0x02, 0x1b, 0x24].map((type) => ts.startsDecodablePicture(all, at, type));
      found.push([ts.packetId(all, at), payload - at, sections.push(all, at), pictures]);
      // What is nearly a table hardly ever has the right CRC: it is read as if it had.
      found.push(tables(all.subarray(payload + 1, at + 188)));
    }
    return found;
  });
}

function stun(pieces: Pieces): unknown {
  const bytes = Buffer.concat(pieces);
  const mapped = parseBindingResponse(bytes, [bytes.subarray(8, 20)]);
  demand(mapped === undefined || (mapped.port > 0 && mapped.port < 65536), "a port is one");
  demand(mapped === undefined || isStun(bytes, 0, bytes.length), "a response is STUN");
  demand(parseBindingResponse(bytes, []) === undefined, "nobody is answered who did not ask");
  return mapped;
}

/** A message is of one kind of one dialect. */
function fcc(pieces: Pieces): unknown {
  const packet = Buffer.concat(pieces);
  const found = [
    telecom.parseTelecomRequest(packet),
    telecom.parseTelecomResponse(packet),
    telecom.isTelecomNotice(packet) || undefined,
    huawei.parseHuaweiResponse(packet),
    huawei.isHuaweiNotice(packet) || undefined,
    huawei.parseHuaweiTermination(packet),
  ].filter((message) => message !== undefined);
  demand(found.length <= 1, "a message is of one kind");
  demand(found.length === 0 || isFccSignalling(packet, 0, packet.length), "a message is signalling");
  // What both dialects call by the same number is told apart by who asks.
  return [
    found,
    telecom.parseTelecomTermination(packet),
    huawei.parseHuaweiRequest(packet),
    huawei.parseHuaweiPunch(packet),
  ];
}

/** A datagram may be parity of both kinds: payload types do not tell them apart. */
function fec(pieces: Pieces): unknown {
  return within(pieces, (bytes, offset, length) => {
    const isWithin = (start: number, count: number) => start >= offset + 12 && start + count <= offset + length;
    const found: unknown[] = [];
    const group = emptyParityPacket();
    if (parseParityPacket(bytes, offset, length, group)) {
      demand(isWithin(group.parityStart, group.parityLength), "the parity lies within the datagram");
      demand(group.index < group.parityCount, "a parity packet is one of its group");
      found.push({ ...group, parityStart: group.parityStart - offset });
    }
    const xor = emptyXorParity();
    if (parseXorParity(bytes, offset, length, xor)) {
      const { timestampStart, payloadStart, payloadLength } = xor;
      demand(isWithin(timestampStart, 4), "the timestamps lie within the datagram");
      demand(isWithin(payloadStart, payloadLength), "the payload lies within the datagram");
      found.push({ ...xor, timestampStart: timestampStart - offset, payloadStart: payloadStart - offset });
    }
    return found;
  });
}

/** Group and source are the first and the next four bytes. */
function igmp(pieces: Pieces): unknown {
  const bytes = Buffer.concat([...pieces, Buffer.alloc(8)]);
  const [group, source] = [bytes.subarray(0, 4), bytes.subarray(4, 8)];
  const reports = [membershipReportV2(group), membershipReportV3(group), membershipReportV3(group, source)];
  for (const report of reports) demand(onesComplementSum(report) === 0xffff, "the checksum is right");
  return reports;
}

function configFile(pieces: Pieces): unknown {
  const found = { draft: { values: {}, given: new Set() }, locked: new Set(), services: "", diagnostics: [] };
  const merge = { ...found, servicePort: () => undefined };
  // Only what files give is looked at here; a draft of all defaults would say nothing more.
  mergeConfigFile(merge as unknown as Parameters<typeof mergeConfigFile>[0], "file", Buffer.concat(pieces).toString());
  return [found.draft, merge.services, found.diagnostics];
}

function accessLog(pieces: Pieces): unknown {
  const all = Buffer.concat(pieces);
  const value = bytesToString(all);
  const entry = {
    ...{ time: 0, zoneOffset: -90, clientAddress: value, workerPid: 1, method: value, serviceUrl: value, host: value },
    ...{ userAgent: value, forwardedFor: value, serviceType: "rtp" as const, upstreamUrl: value },
  };
  const lines = [all.toString(), "$request $remote_addr $remote_port"].map((format) =>
    accessLogLine(parseAccessLogFormat(format), entry),
  );
  demand(
    lines.every((line) => line.length <= 8192 && line.endsWith("\n")),
    "a line is not too long, and ends",
  );
  const printable = [...lines[1]!.slice(0, -1)].every((char) => char >= " " && char !== "\x7f");
  demand(printable, "no client can write control characters to the log");
  return lines;
}

function url(pieces: Pieces): unknown {
  const raw = text(pieces);
  const decoded = percentDecode(raw);
  demand(decoded === undefined || percentDecode(percentEncode(decoded)) === decoded, "what is encoded is decoded");
  const proxied = parseProxyUrl(raw);
  if (proxied.kind === "url") {
    const again = parseProxyUrl(formatProxyUrl(proxied.url).slice("http://".length));
    const { userinfo: _, ...written } = proxied.url;
    demand(again.kind === "url" && Bun.deepEquals(again.url, written), "a proxied URL survives being written");
  }
  const rtsp = parseRtspUrl(raw);
  if (rtsp.kind === "url") {
    const again = parseRtspUrl(formatRtspUrl(rtsp.url).slice("rtsp://".length));
    const { credentials: _, ...rest } = rtsp.url;
    demand(
      again.kind === "url" && Bun.deepEquals({ ...again.url, credentials: _ }, { ...rest, credentials: _ }),
      "an RTSP URL survives being written",
    );
    followRedirect(raw, rtsp.url);
  }
  return {
    ...{
      decoded,
      proxied,
      rtsp,
      authority: parseAuthority(raw),
      address: parseIpAddress(raw),
      target: splitTarget(raw),
    },
    ...{
      reference: resolveReference("http://h/a/b?c", raw),
      control: trackUrls({ requestUrl: "rtsp://h/a/b", contentBase: raw, session: raw }, raw),
    },
    ...{ parameter: queryParameter(raw, "a"), taken: takeParameters(raw, ["a"]) },
  };
}

function firstBytes(pieces: Pieces): unknown {
  const codings = ["identity", "gzip", "deflate", "br"] as const;
  return codings.flatMap((coding) =>
    (["until-close", "chunked"] as const).map((kind) => {
      const first = new FirstBytes({ kind }, coding);
      for (const piece of pieces) first.take(piece);
      demand(first.kind === undefined || first.kind === first.kindSoFar, "what is known stays so");
      return [first.kind, first.kindSoFar, first.rawBytes];
    }),
  );
}

function playlistRewriting(pieces: Pieces): unknown {
  const rules = { base: "http://relay/", upstream: "http://u/d/x.m3u8", proxyHttps: true, encodedToken: "t" };
  const rewrittenOrNot = [
    ...rewrittenPieces(text(pieces), rules.upstream, (reference, isPrefix) => proxyLink(reference, rules, isPrefix)),
  ];
  const rewritten = rewrittenOrNot.includes(undefined) ? undefined : rewrittenOrNot.join("");
  demand(
    rewritten === undefined || rewritten.split("\n").length === text(pieces).split("\n").length,
    "lines stay lines",
  );
  return rewritten;
}

/** By the name of the directory with their inputs. */
export const PARSERS: Readonly<Record<string, Parse>> = {
  "access-log": accessLog,
  challenge: (pieces) => parseChallenges([text(pieces)]),
  chunked,
  "config-file": configFile,
  fcc,
  fec,
  hls: playlistRewriting,
  "first-bytes": firstBytes,
  "http-request": (pieces) => pushPieces(new RequestHeadParser(), pieces),
  "http-response": (pieces) => pushPieces(new ResponseHeadParser("GET"), pieces),
  igmp,
  m3u,
  mpegts,
  rtp,
  "rtsp-demux": rtspDemux,
  "rtsp-message": rtspMessage,
  "rtsp-transport": (pieces) => [parseTransports(text(pieces)), parseChosenTransport(text(pieces))],
  sdp: (pieces) => parseSdp(Buffer.concat(pieces)),
  stun,
  url,
  xmltv,
  zip,
};
