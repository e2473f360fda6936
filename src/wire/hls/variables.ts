/** Variables of HLS playlists, `{$name}` (RFC 8216bis sections 4.3 and 4.4.2.3), so far as their values are known here. */
import { asByteString } from "../text/byte-string.ts";
import { percentEncode } from "../url/percent.ts";
import { queryParameter } from "../url/query.ts";
import { type Attribute, attributesOf } from "./attribute-list.ts";

/** More than any playlist has; each can make a link longer, and the values of the next ones. */
const MAX_VARIABLES = 256;
/** Of a value, and of a reference whose variables have been filled in; no link of this relay is longer. */
const MAX_FILLED_BYTES = 4096;

const VARIABLE = /\{\$([\w-]+)\}/g;
const DEFINE = /^[\t ]*#EXT-X-DEFINE:/;
/** What cannot stand in a URL as it is. */
const UNSAFE = /[^!#$%&'()*+,\-./0-9:;=?@A-Z[\]_a-z~]+/g;

export class PlaylistVariables {
  readonly #values = new Map<string, string>();
  readonly #query: string;

  /** @param url of the playlist, which may define variables by its query */
  constructor(url: string) {
    const sent = url.split("#", 1)[0]!;
    const mark = sent.indexOf("?");
    this.#query = mark < 0 ? "" : sent.slice(mark + 1);
  }

  /**
   * Takes what a line defines. What players would read from the query of the playlist's URL becomes a value: by the name of a channel, there is
   * another query. A URL becomes a link, for the playlists that import it.
   * @returns the line for the player
   */
  define(line: string, rewriteLink: (reference: string, isPrefix: boolean) => string | undefined): string {
    if (!DEFINE.test(line)) return line;
    const attributes = attributesOf(line);
    const parameter = attributes.find(({ name }) => name === "QUERYPARAM");
    if (parameter) return this.#defineByQuery(line, parameter);
    const name = attributes.find((attribute) => attribute.name === "NAME");
    const given = attributes.find((attribute) => attribute.name === "VALUE");
    if (!name || !given) return line;
    this.#set(name.value, this.fill(given.value));
    const link = /^https?:\/\/[^/?#]+./i.test(given.value) ? rewriteLink(given.value, true) : undefined;
    return link === undefined ? line : `${line.slice(0, given.start)}"${link}"${line.slice(given.end)}`;
  }

  /** A reference with the values of its variables; those that are not known stay for the player. */
  fill(reference: string): string {
    if (!reference.includes("{$") || this.#values.size === 0) return reference;
    const filled = reference.replace(VARIABLE, (variable, name: string) => this.#values.get(name) ?? variable);
    return filled.length > MAX_FILLED_BYTES ? reference : filled;
  }

  #defineByQuery(line: string, { value: name, start, end }: Attribute): string {
    const value = queryParameter(asByteString(this.#query), name);
    if (value === undefined || /["\r\n]/.test(value)) return line;
    this.#set(
      name,
      value.replace(UNSAFE, (text) => percentEncode(asByteString(text))),
    );
    const from = line.slice(0, start).search(/QUERYPARAM[\t ]*=[\t ]*$/);
    return from < 0 ? line : `${line.slice(0, from)}NAME="${name}",VALUE="${value}"${line.slice(end)}`;
  }

  #set(name: string, value: string): void {
    if (this.#values.size < MAX_VARIABLES && value.length <= MAX_FILLED_BYTES) this.#values.set(name, value);
  }
}
