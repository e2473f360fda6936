/** The table of host names of a machine (hosts(5)): an address, then its names, then perhaps a comment. */
import { type IpAddress, parseIpAddress } from "../ip/address.ts";

const NEWLINE = 10;

/**
 * All addresses that the table gives a name, in its order. It is searched and not taken apart: there are tables of 100 000 lines,
 * made to block advertising.
 * @param table in lower case
 * @param name in lower case
 */
export function addressesInHosts(table: string, name: string): IpAddress[] {
  const found: IpAddress[] = [];
  for (let at = table.indexOf(name); at >= 0; at = table.indexOf(name, at + name.length)) {
    if (!isBlank(table.charCodeAt(at - 1)) || !isEnd(table.charCodeAt(at + name.length))) continue;
    const before = table.slice(table.lastIndexOf("\n", at) + 1, at);
    if (before.includes("#")) continue;
    const [literal = ""] = before.trim().split(/\s/);
    const address = parseIpAddress(literal);
    if (address) found.push(address);
  }
  return found;
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

/** What may follow a name: a blank, the line's end, a comment, or the end of the table. */
function isEnd(code: number): boolean {
  return isBlank(code) || code === NEWLINE || code === 13 || code === 35 || Number.isNaN(code);
}
