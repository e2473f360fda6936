/** The config file, split into what its lines are (config.md section 4). What they mean is decided elsewhere. */
import { trimAsciiBlanks } from "./blanks.ts";

type Content =
  /** A line of `[global]`; the key in its spelling, the value possibly empty. */
  | { readonly kind: "parameter"; readonly key: string; readonly value: string }
  /** A line of `[bind]`. */
  | { readonly kind: "listener"; readonly text: string }
  /** A line of `[services]`, where `#` begins no comment. */
  | { readonly kind: "service"; readonly text: string }
  /** A section that begins with `[` and does not end, or whose name `text` is none of the three. */
  | { readonly kind: "unterminated-section" | "unknown-section"; readonly text: string }
  /** A line before any section, or one of `[global]` without key or `=`. */
  | { readonly kind: "unrecognised"; readonly text: string };

/** Texts are without blanks at their ends. */
export type ConfigLine = Content & {
  /** Counted from 1. */
  readonly line: number;
};

/** `foreign` is a section of an unknown name, whose lines are nobody's. */
type Section = "none" | "global" | "bind" | "services" | "foreign";

/** Yields every line that is neither blank nor a comment nor foreign. Lines end in LF or CRLF and may be long. */
export function* configLines(text: string): Generator<ConfigLine> {
  let section: Section = "none";
  let line = 0;
  for (let start = 0; start < text.length; ) {
    const feed = text.indexOf("\n", start);
    const end = feed < 0 ? text.length : feed;
    const content = trimAsciiBlanks(text.slice(start, end));
    start = end + 1;
    line++;
    if (content === "") continue;
    if (content.startsWith("[") && !(section === "bind" && isBracketedAddress(content))) {
      const header = readHeader(content);
      // A line that only looks like a header says nothing about where its followers belong.
      if (typeof header === "string") section = header;
      else {
        yield { ...header, line };
        if (header.kind === "unknown-section") section = "foreign";
      }
    } else if (section !== "foreign" && (section === "services" || !/^[#;]/.test(content))) {
      yield { ...readContent(section, content), line };
    }
  }
}

/** Whether a section of a known name begins anywhere. */
export function hasSection(text: string): boolean {
  return /^[ \t\v\f\r]*\[[ \t]*(?:global|bind|services)[ \t]*\]/im.test(text);
}

/** Whether a line of `[bind]` that begins with a bracket begins with an IPv6 address; no section's name has a colon. */
function isBracketedAddress(text: string): boolean {
  return text.slice(0, text.indexOf("]") + 1).includes(":");
}

function readHeader(text: string): Section | Content {
  const end = text.indexOf("]");
  if (end < 0) return { kind: "unterminated-section", text };
  const name = trimAsciiBlanks(text.slice(1, end));
  const section = name.toLowerCase();
  if (section === "global" || section === "bind" || section === "services") return section;
  return { kind: "unknown-section", text: name };
}

function readContent(section: Exclude<Section, "foreign">, text: string): Content {
  if (section === "bind") return { kind: "listener", text };
  if (section === "services") return { kind: "service", text };
  const equals = section === "global" ? text.indexOf("=") : -1;
  if (equals <= 0) return { kind: "unrecognised", text };
  return {
    kind: "parameter",
    key: trimAsciiBlanks(text.slice(0, equals)),
    value: trimAsciiBlanks(text.slice(equals + 1)),
  };
}
