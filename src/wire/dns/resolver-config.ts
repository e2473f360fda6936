/** How a machine looks names up: resolv.conf(5) and nsswitch.conf(5), and the names that are asked for in turn. */

export interface SearchRules {
  /** Domains that a short name is looked for in, first the first. */
  readonly search: readonly string[];
  /** A name with so many dots is asked for as it is first. */
  readonly ndots: number;
}

const MAX_SEARCH = 6;
const MAX_NDOTS = 15;
const MAX_NAME = 253;
const LABEL = /^(?!-)[a-z0-9_-]{1,63}$/;
const NUMBER = /^(\d+|0x[0-9a-f]*)$/;

/** Reads `search`, `domain` (the last of them counts) and `options ndots:` of resolv.conf. */
export function parseSearchRules(text: string): SearchRules {
  let search: readonly string[] = [];
  let ndots = 1;
  for (const line of text.split("\n")) {
    const [keyword, ...words] = line.trim().split(/[ \t]+/);
    if (keyword === "search" || keyword === "domain") search = words.slice(0, keyword === "domain" ? 1 : MAX_SEARCH);
    if (keyword !== "options") continue;
    for (const word of words) {
      const dots = /^ndots:(\d{1,9})$/.exec(word)?.[1];
      if (dots !== undefined) ndots = Math.min(MAX_NDOTS, Number(dots));
    }
  }
  return { search: search.map(withoutRoot).filter((domain) => domain !== ""), ndots };
}

/** Whether `hosts:` of nsswitch.conf names more than the table of host names and DNS, such as mDNS. */
export function hasOtherNameServices(text: string): boolean {
  const services = /^[ \t]*hosts:([^#\n]*)/m.exec(text)?.[1] ?? "";
  return services
    .replace(/\[[^\]]*\]/g, " ")
    .split(/\s+/)
    .some((service) => service !== "" && service !== "files" && service !== "dns");
}

/** A host name in lower case, its root dot kept; undefined for what is none, or only looks like an address (RFC 1123 section 2.1). */
export function hostName(text: string): string | undefined {
  if (text.length > MAX_NAME + 1) return undefined;
  const name = text.toLowerCase();
  const labels = withoutRoot(name).split(".");
  const isValid = labels.every((label) => LABEL.test(label)) && !NUMBER.test(labels.at(-1)!);
  return isValid ? name : undefined;
}

/** Whether a name is this machine, whatever a server says (RFC 6761 section 6.3). */
export function isLocalhost(name: string): boolean {
  return /^(?:.*\.)?localhost\.?$/.test(name);
}

/** Whether a name is one of those that the machines of a network give themselves (RFC 6762 section 3). */
export function isMulticastDnsName(name: string): boolean {
  return /\.local\.?$/.test(name);
}

/** What to ask for, without root dots, until one has an address. */
export function queriedNames(name: string, { search, ndots }: SearchRules): string[] {
  if (name.endsWith(".")) return [withoutRoot(name)];
  const extended = search.map((domain) => `${name}.${domain}`).filter((full) => full.length <= MAX_NAME);
  const dots = name.split(".").length - 1;
  return dots >= ndots ? [name, ...extended] : [...extended, name];
}

export function withoutRoot(name: string): string {
  return name.endsWith(".") ? name.slice(0, -1) : name;
}
