/** Rewriting of the URLs in M3U and HLS playlists (http-proxy.md section 7). */

/** U+FEFF in UTF-8. */
const BYTE_ORDER_MARK = "\xef\xbb\xbf";
/** Quoted or bare; a name such as `X-URI` is another attribute. */
const URI_ATTRIBUTE = /(?<=[,: \t]URI=)(?:"([^"]*)"|[^", \t\r][^, \t\r]*)/gi;

/** All rewritten links together. A playlist of very short ones would grow a thousandfold. */
const MAX_LINKS_BYTES = 16 * 1024 * 1024;

/** What a reference becomes; undefined when it stays. */
type LinkRewriting = (reference: string) => string | undefined;

/**
 * All bytes but those of rewritten URLs stay, line ends and a byte order mark too; only blanks before a rewritten URL line
 * are lost. Undefined when the links exceed `MAX_LINKS_BYTES`.
 * @param playlist byte string; so is the result
 */
export function rewritePlaylist(playlist: string, rewriteLink: LinkRewriting): string | undefined {
  let room = MAX_LINKS_BYTES;
  const rewriting: LinkRewriting = (reference) => {
    const link = room < 0 ? undefined : rewriteLink(reference);
    room -= link?.length ?? 0;
    return link;
  };
  const start = playlist.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  const lines = playlist.slice(start).replace(/[^\n]+/g, (line) => rewriteLine(line, rewriting));
  return room < 0 ? undefined : playlist.slice(0, start) + lines;
}

function rewriteLine(line: string, rewriting: LinkRewriting): string {
  let start = 0;
  let end = line.length;
  while (start < end && " \t".includes(line[start]!)) start++;
  while (end > start && " \t\r".includes(line[end - 1]!)) end--;
  if (line[start] === "#") return rewriteAttributes(line, rewriting);
  const link = rewriting(line.slice(start, end));
  return link === undefined ? line : link + line.slice(end);
}

function rewriteAttributes(line: string, rewriting: LinkRewriting): string {
  return line.replace(URI_ATTRIBUTE, (value: string, quoted: string | undefined) => {
    const link = rewriting(quoted ?? value);
    if (link === undefined) return value;
    return quoted === undefined ? link : `"${link}"`;
  });
}
