/** The checksum of RFC 1071, as a receiver checks it. */

/**
 * Sum of the big-endian words with the carries put back: 0xffff for a message that holds its own right checksum. In BigInt, so that
 * nothing is shared with the code under test.
 */
export function onesComplementSum(bytes: Uint8Array): number {
  let sum = 0n;
  for (let i = 0; i < bytes.length; i += 2) sum += BigInt((bytes[i] ?? 0) * 256 + (bytes[i + 1] ?? 0));
  while (sum > 0xffffn) sum = (sum % 0x10000n) + sum / 0x10000n;
  return Number(sum);
}
