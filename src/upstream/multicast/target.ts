/** What a multicast upstream receives and how, and the membership that this means now. */
import type { UpstreamAbout } from "../../relay/upstream.ts";
import type { ReceiverKind } from "../../system/datagram-receiver.ts";
import { interfaceIndex, zoneIndex } from "../../system/interfaces.ts";
import type { Membership } from "../../system/multicast.ts";
import type { IpAddress } from "../../wire/ip/address.ts";
import { InterfaceMissingError } from "./errors.ts";

/** What to receive. Addresses are resolved already. */
export interface MulticastTarget {
  /** For logs and messages, e.g. `rtp://239.1.1.1:5000`. */
  readonly name: string;
  readonly group: IpAddress;
  readonly port: number;
  readonly source?: IpAddress;
  /** On which parity comes from the same group (FEC). */
  readonly parityPorts?: readonly number[];
  /** Undefined leaves the choice to the routing table. */
  readonly interfaceName: string | undefined;
  readonly about: UpstreamAbout;
}

export interface MulticastOptions {
  /** Kernel receive buffer to ask for, in bytes. */
  readonly receiveBufferBytes: number;
  /** Seconds between unsolicited reports (`-R`); 0 sends none. */
  readonly rejoinIntervalS: number;
  /** Seconds that a stream which fell silent is kept while we join anew. */
  readonly gapTimeoutS: number;
  /** The kind to use instead of the best one that this machine can have. */
  readonly receiver?: ReceiverKind;
}

/**
 * The interface is looked up anew each time, as it may vanish and come back under another index.
 * @throws InterfaceMissingError for a batched receiver; an evented one finds out itself
 */
export function membershipOf(target: MulticastTarget, receiver: ReceiverKind): Membership {
  const { group, port, source, interfaceName } = target;
  const name = interfaceName ?? group.zone;
  const index = interfaceName !== undefined ? interfaceIndex(interfaceName) : group.zone ? zoneIndex(group.zone) : 0;
  if (index === undefined && receiver === "batched") throw new InterfaceMissingError(name!);
  return {
    group,
    port,
    interfaceIndex: index ?? 0,
    ...(source && { source }),
    ...(name !== undefined && { interfaceName: name }),
  };
}
