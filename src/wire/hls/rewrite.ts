/** Rewriting of the URLs in M3U and HLS playlists (http-proxy.md section 7). */

import { attributesOf } from "./attribute-list.ts";
import { PlaylistVariables } from "./variables.ts";

/** U+FEFF in UTF-8. */
const BYTE_ORDER_MARK = "\xef\xbb\xbf";
/** The attributes of HLS that hold a URL (RFC 8216bis section 4.4, and appendix D for interstitials). */
const URI_ATTRIBUTES: readonly string[] = ["URI", "SERVER-URI", "X-ASSET-URI", "X-ASSET-LIST"];

/** All rewritten links together. A playlist of very short ones would grow a thousandfold. */
const MAX_LINKS_BYTES = 16 * 1024 * 1024;

/** Longer lines stay as they are: no link that this relay accepts is nearly so long. */
const MAX_LINE_BYTES = 16 * 1024;
/** So much of the text, up to the end of the line, takes a millisecond or two at the worst. */
const PIECE_BYTES = 2048;

/** What a reference becomes; undefined when it stays. `isPrefix`: other playlists make URLs of it, so that nothing may be put behind it. */
type LinkRewriting = (reference: string, isPrefix?: boolean) => string | undefined;

/**
 * All bytes but those of rewritten URLs stay, line ends and a byte order mark too; only blanks before a rewritten URL line
 * are lost. Piece by piece, so that the caller may pause in between; undefined, and the end, when the links exceed
 * `MAX_LINKS_BYTES`.
 * @param playlist byte string; so are the pieces
 * @param url of the playlist
 */
export function* rewrittenPieces(
  playlist: string,
  url: string,
  rewriteLink: LinkRewriting,
): Generator<string | undefined> {
  const variables = new PlaylistVariables(url);
  let room = MAX_LINKS_BYTES;
  const rewriting: LinkRewriting = (reference, isPrefix) => {
    const link = room < 0 ? undefined : rewriteLink(reference, isPrefix);
    room -= link?.length ?? 0;
    return link;
  };
  let start = playlist.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  if (start > 0) yield BYTE_ORDER_MARK;
  while (start < playlist.length) {
    const newline = playlist.indexOf("\n", start + PIECE_BYTES);
    const end = newline < 0 ? playlist.length : newline + 1;
    const lines = playlist.slice(start, end).replace(/[^\n]+/g, (line) => rewriteLine(line, rewriting, variables));
    yield room < 0 ? undefined : lines;
    if (room < 0) return;
    start = end;
  }
}

function rewriteLine(line: string, rewriting: LinkRewriting, variables: PlaylistVariables): string {
  if (line.length > MAX_LINE_BYTES) return line;
  let start = 0;
  let end = line.length;
  while (start < end && " \t".includes(line[start]!)) start++;
  while (end > start && " \t\r".includes(line[end - 1]!)) end--;
  // Lists are made by joining files, marks and all.
  if (line[start] === "#" || line.startsWith(`${BYTE_ORDER_MARK}#`, start)) {
    return rewriteAttributes(variables.define(line, rewriting), rewriting, variables);
  }
  const link = rewriting(variables.fill(line.slice(start, end)));
  return link === undefined ? line : link + line.slice(end);
}

function rewriteAttributes(line: string, rewriting: LinkRewriting, variables: PlaylistVariables): string {
  let rewritten = "";
  let from = 0;
  for (const { name, value, isQuoted, start, end } of attributesOf(line)) {
    const link = URI_ATTRIBUTES.includes(name) ? rewriting(variables.fill(value)) : undefined;
    if (link === undefined) continue;
    rewritten += line.slice(from, start) + (isQuoted ? `"${link}"` : link);
    from = end;
  }
  return rewritten + line.slice(from);
}
