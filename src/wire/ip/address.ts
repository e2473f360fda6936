/** IP addresses as text and bytes (RFC 791, RFC 4291 section 2.2, zones of RFC 4007 section 11). */

export interface IpAddress {
  readonly family: 4 | 6;
  /** 4 or 16 bytes, network order. */
  readonly bytes: Uint8Array;
  /** Interface name or index behind `%` of an IPv6 literal. */
  readonly zone?: string;
}

const MAX_TEXT = 64;

/** Reads a literal without brackets; undefined for anything else, host names included. */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (text.length > MAX_TEXT) return undefined;
  if (!text.includes(":")) {
    const bytes = parseIpv4(text);
    return bytes && { family: 4, bytes };
  }
  const percent = text.indexOf("%");
  const bytes = parseIpv6(percent < 0 ? text : text.slice(0, percent));
  if (!bytes || percent === text.length - 1) return undefined;
  return percent < 0 ? { family: 6, bytes } : { family: 6, bytes, zone: text.slice(percent + 1) };
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const bytes = new Uint8Array(4);
  for (const [i, part] of parts.entries()) {
    // A leading zero would be octal to some programs and decimal to others.
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bytes[i] = Number(part);
  }
  return bytes;
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [before, after] = halves.map(parseGroups);
  if (!before || (halves.length === 2 && !after)) return undefined;
  const tail = after ?? [];
  const missing = 16 - before.length - tail.length;
  if (halves.length === 2 ? missing < 2 : missing !== 0) return undefined;
  return Uint8Array.from([...before, ...new Array<number>(missing).fill(0), ...tail]);
}

/** The bytes of the colon-separated groups before or behind `::`; the address's last one may be a dotted IPv4 address. */
function parseGroups(text: string, half: number, halves: readonly string[]): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [i, group] of groups.entries()) {
    if (group.includes(".")) {
      const isLast = i === groups.length - 1 && half === halves.length - 1;
      const v4 = isLast ? parseIpv4(group) : undefined;
      if (!v4) return undefined;
      bytes.push(...v4);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(group)) return undefined;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes.length <= 16 ? bytes : undefined;
}

/** The literal without brackets; IPv6 shortened as RFC 5952 section 4 asks. */
export function formatIpAddress(address: IpAddress): string {
  if (address.family === 4) return address.bytes.join(".");
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((address.bytes[i]! << 8) | address.bytes[i + 1]!);
  const [start, length] = longestZeroRun(groups);
  const hex = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((g) => g.toString(16))
      .join(":");
  const text = length < 2 ? hex(0, 8) : `${hex(0, start)}::${hex(start + length, 8)}`;
  return address.zone === undefined ? text : `${text}%${address.zone}`;
}

function longestZeroRun(groups: readonly number[]): [start: number, length: number] {
  let best: [number, number] = [0, 0];
  let start = 0;
  for (const [i, group] of groups.entries()) {
    if (group !== 0) start = i + 1;
    else if (i + 1 - start > best[1]) best = [start, i + 1 - start];
  }
  return best;
}

/** 224.0.0.0/4 or ff00::/8. */
export function isMulticast(address: IpAddress): boolean {
  const first = address.bytes[0]!;
  return address.family === 4 ? first >> 4 === 14 : first === 0xff;
}

/** Whatever their zones. */
export function isSameAddress(a: IpAddress, b: IpAddress): boolean {
  if (a.family !== b.family) return false;
  for (let i = 0; i < a.bytes.length; i++) if (a.bytes[i] !== b.bytes[i]) return false;
  return true;
}
