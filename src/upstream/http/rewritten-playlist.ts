/** The text of a playlist with its links leading through this relay, as bytes (http-proxy.md section 7). */
import { Slices } from "../../system/slices.ts";
import { rewrittenPieces } from "../../wire/hls/rewrite.ts";
import { type LinkRules, proxyLink } from "./proxy-link.ts";

/** So much of a rewritten playlist leaves several times as much garbage, and the runtime would wait for much more. */
const COLLECT_BYTES = 1024 * 1024;

/**
 * A million links take a second, in which others want their television.
 * @throws Error when the links would not fit; whatever `signal` is aborted with
 */
export async function rewrittenPlaylist(text: string, rules: LinkRules, signal: AbortSignal): Promise<Uint8Array[]> {
  const slices = new Slices();
  const pieces: Uint8Array[] = [];
  let uncollected = 0;
  const link = (reference: string, isPrefix?: boolean) => proxyLink(reference, rules, isPrefix);
  for (const piece of rewrittenPieces(text, rules.upstream, link)) {
    if (piece === undefined) throw new Error("its links would not fit");
    pieces.push(Buffer.from(piece, "latin1"));
    uncollected += piece.length;
    if (uncollected >= COLLECT_BYTES) {
      uncollected = 0;
      // In another thread.
      Bun.gc(false);
    }
    if (slices.isOver) await slices.next();
    signal.throwIfAborted();
  }
  return pieces;
}
