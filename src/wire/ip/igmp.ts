/** IGMP membership reports (RFC 2236 section 2, RFC 3376 section 4.2), as multicast.md section 4 wants them. */

export const IGMP_V3_REPORTS = Uint8Array.of(224, 0, 0, 22);

const V2_MEMBERSHIP_REPORT = 0x16;
const V3_MEMBERSHIP_REPORT = 0x22;
const MODE_IS_INCLUDE = 1;
const MODE_IS_EXCLUDE = 2;

/** IGMPv2 report for an IPv4 group, 8 bytes. */
export function membershipReportV2(group: Uint8Array): Uint8Array {
  return withChecksum(Uint8Array.of(V2_MEMBERSHIP_REPORT, 0, 0, 0, ...group));
}

/** IGMPv3 report with one group record: any source (16 bytes) or one source (20 bytes). */
export function membershipReportV3(group: Uint8Array, source?: Uint8Array): Uint8Array {
  const record = source ? [MODE_IS_INCLUDE, 0, 0, 1, ...group, ...source] : [MODE_IS_EXCLUDE, 0, 0, 0, ...group];
  return withChecksum(Uint8Array.of(V3_MEMBERSHIP_REPORT, 0, 0, 0, 0, 0, 0, 1, ...record));
}

/** Writes the one's-complement checksum of RFC 1071 into bytes 2 and 3. */
function withChecksum(message: Uint8Array): Uint8Array {
  const sum = internetChecksum(message);
  message[2] = sum >> 8;
  message[3] = sum & 0xff;
  return message;
}

/** RFC 1071 checksum. */
function internetChecksum(bytes: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
