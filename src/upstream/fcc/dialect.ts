/** The two dialects of FCC servers behind one face: what is sent, and what an answer means (fcc.md sections 4 and 5). */
import {
  emitHuaweiPunch,
  emitHuaweiRequest,
  emitHuaweiTermination,
  HUAWEI_TYPE,
  type HuaweiRoute,
  isHuaweiNotice,
  parseHuaweiResponse,
} from "../../wire/fcc/huawei.ts";
import type { Termination } from "../../wire/fcc/packet.ts";
import {
  emitTelecomRequest,
  emitTelecomTermination,
  isTelecomNotice,
  parseTelecomResponse,
  TELECOM_ACTION,
} from "../../wire/fcc/telecom.ts";
import type { IpAddress } from "../../wire/ip/address.ts";

export type DialectName = "telecom" | "huawei";

/** What huawei's redirects are good for; telecom's say it themselves. */
const HUAWEI_VALIDITY_S = 3600;
const EMPTY = new Uint8Array(0);

interface ChannelRequest {
  /** IPv4. */
  readonly group: IpAddress;
  readonly groupPort: number;
  /** Our own end, as the server is to know it. */
  readonly client: IpAddress;
  readonly signallingPort: number;
}

/** Where an answer says that the server is; what it leaves as it was is undefined. */
export interface ServerRoute {
  readonly address: IpAddress | undefined;
  readonly signallingPort: number | undefined;
  readonly mediaPort: number | undefined;
}

export type ServerMessage =
  /** Unicast follows. `punch` opens the way for it, to the server's media port; undefined: none is asked for. */
  | { readonly kind: "unicast"; readonly route: ServerRoute; readonly punch: Uint8Array | undefined }
  | { readonly kind: "redirect"; readonly route: ServerRoute; readonly validityS: number }
  /** There will be no unicast: the group is to be joined. */
  | { readonly kind: "join"; readonly reason: string }
  /** The burst has caught up with the group. */
  | { readonly kind: "notice" };

export interface Dialect {
  readonly name: DialectName;
  /** Whether signalling has a socket of its own, on the port behind that of the media. */
  readonly hasSignallingSocket: boolean;
  request(channel: ChannelRequest): Uint8Array;
  termination(termination: Termination): Uint8Array;
  /** Undefined: nothing that this dialect knows. */
  read(packet: Uint8Array): ServerMessage | undefined;
}

const TELECOM: Dialect = {
  name: "telecom",
  hasSignallingSocket: false,
  request: ({ group, groupPort, signallingPort }) =>
    emitTelecomRequest({ group, groupPort, clientPort: signallingPort }),
  termination: emitTelecomTermination,
  read(packet) {
    if (isTelecomNotice(packet)) return { kind: "notice" };
    const response = parseTelecomResponse(packet);
    if (!response) return undefined;
    const { result, action, server, signallingPort, mediaPort, validityS } = response;
    const route = {
      address: addressUnlessZero(server),
      signallingPort: signallingPort || undefined,
      mediaPort: mediaPort || undefined,
    };
    if (result !== 0) return { kind: "join", reason: `error ${result}` };
    if (action === TELECOM_ACTION.unicast) return { kind: "unicast", route, punch: EMPTY };
    if (action === TELECOM_ACTION.redirect) return { kind: "redirect", route, validityS };
    return { kind: "join", reason: noUnicast(action === TELECOM_ACTION.join || action === TELECOM_ACTION.joinAlso) };
  },
};

const HUAWEI: Dialect = {
  name: "huawei",
  hasSignallingSocket: true,
  request: ({ group, client, signallingPort }) => emitHuaweiRequest({ group, client, clientPort: signallingPort }),
  termination: emitHuaweiTermination,
  read(packet) {
    if (isHuaweiNotice(packet)) return { kind: "notice" };
    const response = parseHuaweiResponse(packet);
    if (!response) return undefined;
    const { result, type, route } = response;
    if (result !== 1) return { kind: "join", reason: `error ${result}` };
    if (type === HUAWEI_TYPE.unicast) return huaweiUnicast(route);
    if (type !== HUAWEI_TYPE.redirect || !route) return { kind: "join", reason: noUnicast(type === HUAWEI_TYPE.join) };
    const { server, port } = route;
    const target = { address: addressUnlessZero(server), signallingPort: port || undefined, mediaPort: undefined };
    return { kind: "redirect", route: target, validityS: HUAWEI_VALIDITY_S };
  },
};

export const DIALECTS: Readonly<Record<DialectName, Dialect>> = { telecom: TELECOM, huawei: HUAWEI };

/** The address and port that a response names count only when they are to be punched. */
function huaweiUnicast(route: HuaweiRoute | undefined): ServerMessage {
  if (!route?.needsPunch || route.session === 0) {
    const unchanged = { address: undefined, signallingPort: undefined, mediaPort: undefined };
    return { kind: "unicast", route: unchanged, punch: undefined };
  }
  const { server, port, session } = route;
  const named = { address: addressUnlessZero(server), signallingPort: undefined, mediaPort: port || undefined };
  return { kind: "unicast", route: named, punch: emitHuaweiPunch(session) };
}

function noUnicast(isSaid: boolean): string {
  return isSaid ? "no unicast needed" : "an answer that makes no sense";
}

function addressUnlessZero(address: IpAddress): IpAddress | undefined {
  return address.bytes.some((byte) => byte !== 0) ? address : undefined;
}
