/** Rewriting of the URLs in M3U and HLS playlists (http-proxy.md section 7). */

/** U+FEFF in UTF-8. */
const BYTE_ORDER_MARK = "\xef\xbb\xbf";
/** Quoted or bare; a name such as `X-URI` is another attribute. */
const URI_ATTRIBUTE = /(?<=[,: \t]URI=)(?:"([^"]*)"|[^", \t\r][^, \t\r]*)/gi;

/** All rewritten links together. A playlist of very short ones would grow a thousandfold. */
const MAX_LINKS_BYTES = 16 * 1024 * 1024;

/** Longer lines stay as they are: no link that this relay accepts is nearly so long. */
const MAX_LINE_BYTES = 16 * 1024;
/** So much of the text, up to the end of the line, takes a millisecond or two at the worst. */
const PIECE_BYTES = 2048;

/** What a reference becomes; undefined when it stays. */
type LinkRewriting = (reference: string) => string | undefined;

/**
 * All bytes but those of rewritten URLs stay, line ends and a byte order mark too; only blanks before a rewritten URL line
 * are lost. Piece by piece, so that the caller may pause in between; undefined, and the end, when the links exceed
 * `MAX_LINKS_BYTES`.
 * @param playlist byte string; so are the pieces
 */
export function* rewrittenPieces(playlist: string, rewriteLink: LinkRewriting): Generator<string | undefined> {
  let room = MAX_LINKS_BYTES;
  const rewriting: LinkRewriting = (reference) => {
    const link = room < 0 ? undefined : rewriteLink(reference);
    room -= link?.length ?? 0;
    return link;
  };
  let start = playlist.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  if (start > 0) yield BYTE_ORDER_MARK;
  while (start < playlist.length) {
    const newline = playlist.indexOf("\n", start + PIECE_BYTES);
    const end = newline < 0 ? playlist.length : newline + 1;
    const lines = playlist.slice(start, end).replace(/[^\n]+/g, (line) => rewriteLine(line, rewriting));
    yield room < 0 ? undefined : lines;
    if (room < 0) return;
    start = end;
  }
}

function rewriteLine(line: string, rewriting: LinkRewriting): string {
  if (line.length > MAX_LINE_BYTES) return line;
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
