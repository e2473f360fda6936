/** Resolution of URL references (RFC 3986 section 5.2) on byte strings. `new URL()` would encode what it resolves. */

interface UrlParts {
  readonly scheme: string | undefined;
  readonly authority: string | undefined;
  readonly path: string;
  readonly query: string | undefined;
  readonly fragment: string | undefined;
}

const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]*:/;
/** RFC 3986 appendix B; it matches every text. */
const PARTS = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/s;

/** Whether a reference begins with a scheme, so that no base can change its meaning. */
export function hasScheme(reference: string): boolean {
  return SCHEME.test(reference);
}

/**
 * The absolute URL that `reference` means in a document at `base`. Dot segments of the path are resolved; a reference
 * that is absolute already comes back untouched, and no byte is encoded or decoded.
 * @param base an absolute URL with an authority
 */
export function resolveReference(base: string, reference: string): string {
  const from = parts(base);
  const to = parts(reference);
  if (to.scheme !== undefined) return reference;
  if (to.authority !== undefined) return join({ ...to, scheme: from.scheme, path: withoutDots(to.path) });
  if (to.path === "") return join({ ...from, query: to.query ?? from.query, fragment: to.fragment });
  const path = to.path.startsWith("/") ? to.path : directory(from.path) + to.path;
  return join({ ...from, path: withoutDots(path), query: to.query, fragment: to.fragment });
}

function parts(url: string): UrlParts {
  const [, scheme, authority, path = "", query, fragment] = PARTS.exec(url) ?? [];
  return { scheme, authority, path, query, fragment };
}

function join({ scheme, authority = "", path, query, fragment }: UrlParts): string {
  const url = `${scheme}://${authority}${path}`;
  return url + (query === undefined ? "" : `?${query}`) + (fragment === undefined ? "" : `#${fragment}`);
}

function directory(path: string): string {
  return path === "" ? "/" : path.slice(0, path.lastIndexOf("/") + 1);
}

/** RFC 3986 section 5.2.4, for a path that is empty or begins with `/`. */
function withoutDots(path: string): string {
  const segments = path.split("/");
  const kept: string[] = [];
  for (const [i, segment] of segments.entries()) {
    const isDots = segment === "." || segment === "..";
    // The first one is the empty text before the first slash.
    if (segment === ".." && kept.length > 1) kept.pop();
    if (!isDots) kept.push(segment);
    else if (i === segments.length - 1) kept.push("");
  }
  return kept.join("/");
}
