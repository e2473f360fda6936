/** Tells the network again that somebody listens, without leaving the group (multicast.md section 4). */
import { type Membership, sendIgmp } from "../../system/multicast.ts";
import { IGMP_V3_REPORTS, membershipReportV2, membershipReportV3 } from "../../wire/ip/igmp.ts";

/**
 * Sends unsolicited IGMP reports from a raw socket.
 * @returns undefined when at least one went out, else why not
 */
export function sendReports(membership: Membership): Error | undefined {
  const group = membership.group.bytes;
  const source = membership.source?.bytes;
  const reports: [Uint8Array, Uint8Array][] = [[membershipReportV3(group, source), IGMP_V3_REPORTS]];
  if (!source) reports.push([membershipReportV2(group), group]);
  let failure: Error | undefined;
  let sent = false;
  for (const [message, to] of reports) {
    try {
      sendIgmp(message, to, membership.interfaceName, membership.interfaceIndex);
      sent = true;
    } catch (error) {
      failure = error as Error;
    }
  }
  return sent ? undefined : failure;
}
