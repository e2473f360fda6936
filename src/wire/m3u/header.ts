/** What `#EXTM3U` lines say of a whole list; those of files that were joined count together (m3u.md section 4). */
import type { HeaderField } from "../http/header-fields.ts";
import { trimAsciiBlanks } from "../text/blanks.ts";
import { asByteString, type ByteString } from "../text/byte-string.ts";
import { type Attribute, quoted, readAttributeLine } from "./attributes.ts";
import { headersOfAttribute } from "./prescribed-headers.ts";

/** More of them are no header's. */
const MAX_ATTRIBUTES = 64;
/** Of a value that counts for all entries. No request could carry a longer one. */
const MAX_DEFAULT_BYTES = 2048;

const GUIDES: readonly string[] = ["x-tvg-url", "url-tvg", "tvg-url", "url-epg"];
const CATCHUP: readonly string[] = ["catchup", "catchup-days", "catchup-correction", "catchup-source"];
/** Older names, by which an attribute is known too. */
const ALIASES: ReadonlyMap<string, string> = new Map([["catchup-type", "catchup"]]);
/** Of all entries behind it that do not say it themselves. The published header speaks for several lists, which may differ in these. */
const DEFAULTS: readonly string[] = [...CATCHUP, "tvg-shift"];
/** Several URLs in one attribute. */
const BEFORE_URL = /[,;|\t ]+(?=[a-z][a-z0-9+.-]*:\/\/)/i;

export type AttributeValues = ReadonlyMap<string, ByteString>;

export class ListHeader {
  readonly #guideUrls = new Set<ByteString>();
  /** Those that are published as they are. */
  readonly attributes = new Map<string, ByteString>();
  /** Of the entries that follow. */
  defaults = new Map<string, ByteString>();
  requestHeaders: HeaderField[] = [];

  get guideUrls(): readonly ByteString[] {
    return [...this.#guideUrls];
  }

  /**
   * @param isOfSamePart whether no entry stands between this header and the one before
   * @returns false when a value is too long to count for all entries
   */
  take(line: ByteString, isOfSamePart: boolean): boolean {
    if (!isOfSamePart) {
      this.defaults = new Map();
      this.requestHeaders = [];
    }
    const { attributes } = readAttributeLine(line);
    const isTooLong = ({ name, value }: Attribute) => DEFAULTS.includes(name) && value.length > MAX_DEFAULT_BYTES;
    for (const attribute of attributes) if (!isTooLong(attribute)) this.#takeAttribute(attribute);
    this.defaults = new Map(DEFAULTS.flatMap((name) => [...this.defaults].filter(([each]) => each === name)));
    return !attributes.some(isTooLong);
  }

  #takeAttribute({ name: given, value }: Attribute): void {
    const name = ALIASES.get(given) ?? given;
    if (GUIDES.includes(name)) {
      for (const url of splitUrls(value)) this.#guideUrls.add(url);
      return;
    }
    if (DEFAULTS.includes(name) && value !== "") this.defaults.set(name, value);
    this.requestHeaders.push(...headersOfAttribute(name, value));
    const isPublished = !CATCHUP.includes(name) && !this.attributes.has(name) && this.attributes.size < MAX_ATTRIBUTES;
    if (isPublished) this.attributes.set(name, value);
  }
}

/** All names of an attribute, its own included. */
export function aliasesOf(name: string): readonly string[] {
  return [name, ...[...ALIASES].flatMap(([alias, own]) => (own === name ? [alias] : []))];
}

/** The header with an empty line behind it. `guideUrl` is left out when it is empty. */
export function emitM3uHeader(guideUrl: ByteString, attributes: AttributeValues = new Map()): ByteString {
  const all = guideUrl === "" ? [...attributes] : [["x-tvg-url", guideUrl] as const, ...attributes];
  return asByteString(`#EXTM3U${all.map(([name, value]) => ` ${name}=${quoted(value)}`).join("")}\n\n`);
}

function splitUrls(text: ByteString): readonly ByteString[] {
  const parts = /:\/\//.test(text) ? text.split(BEFORE_URL) : text.split(/[,;]/);
  return parts.map((part) => asByteString(trimAsciiBlanks(part).replace(/[,; \t]+$/, ""))).filter(Boolean);
}
