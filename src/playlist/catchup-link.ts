/** An `#EXTINF` line whose archive is asked for through this server (m3u.md section 6). */
import { type Attribute, quoted, readAttributeLine } from "../wire/m3u/attributes.ts";
import type { CatchupAttributes } from "../wire/m3u/catchup.ts";
import { asByteString, type ByteString } from "../wire/text/byte-string.ts";

/** The link replaces the source, and the mode says that it is a whole URL. */
export function withCatchupLink(extinf: ByteString, link: ByteString, catchup: CatchupAttributes): ByteString {
  // A programme on demand is asked for by what the guide says of it, not by its time alone.
  const mode = asByteString(catchup.mode === "vod" ? "vod" : "default");
  const source = asByteString(link.replaceAll('"', "%22"));
  const changed: [name: string, value: ByteString][] = [
    ["catchup", mode],
    ["catchup-type", mode],
    ["catchup-source", source],
  ];
  const { attributes, end } = readAttributeLine(extinf);
  const found = new Map<string, Attribute>();
  for (const attribute of attributes) if (!found.has(attribute.name)) found.set(attribute.name, attribute);
  const days: [string, ByteString][] =
    catchup.olderDays === "" ? [] : [["catchup-days", asByteString(catchup.olderDays)]];
  const added = [...changed, ...days].filter(([name]) => !found.has(name) && name !== "catchup-type");
  let line = `${extinf.slice(0, end)}${added.map(([name, value]) => ` ${name}=${quoted(value)}`).join("")}${extinf.slice(end)}`;
  const replaced = changed.flatMap(([name, value]) => {
    const attribute = found.get(name);
    return attribute ? [{ ...attribute, value }] : [];
  });
  // From the right, so that the places of the others stay right.
  for (const { start, end: behind, value } of replaced.toSorted((a, b) => b.start - a.start)) {
    line = `${line.slice(0, start)}${quoted(value)}${line.slice(behind)}`;
  }
  return asByteString(line);
}

/** The player appends the source itself, and to our link: what joins the two must fit that. */
export function withFittingSource(extinf: ByteString, link: ByteString): ByteString {
  const source = readAttributeLine(extinf).attributes.find(({ name }) => name === "catchup-source");
  if (!source || !/^[?&]/.test(source.value)) return extinf;
  const joint = link.includes("?") ? "&" : "?";
  const at = extinf.indexOf(source.value, source.start);
  return asByteString(extinf.slice(0, at) + joint + extinf.slice(at + 1));
}
