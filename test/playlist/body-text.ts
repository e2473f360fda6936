/** The whole text of a published playlist, which is made piece by piece. */
import type { PublishedPlaylist } from "../../src/playlist/publish.ts";

/** Throws when it is not as long as it says. */
export function bodyText({ bytes, pieces }: ReturnType<PublishedPlaylist["body"]>): string {
  const copies = Array.from({ [Symbol.iterator]: () => pieces }, (piece) => Buffer.from(piece));
  const body = Buffer.concat(copies);
  if (body.length !== bytes) throw new Error(`${body.length} bytes, not ${bytes}`);
  return body.toString();
}
