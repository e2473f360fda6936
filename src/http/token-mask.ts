/** Hides the access token in URLs that are logged (config.md section 13). */

const TOKEN_NAME = "r2h-token";
const MASK = "***";

/** The name, each character written as itself or percent-encoded, once or several times over. */
const NAME = [...TOKEN_NAME].map(spellings).join("");
const EQUALS = "(?:=|%(?:25)*3d)";

function spellings(character: string): string {
  const codes = new Set([character.toLowerCase(), character.toUpperCase()].map((c) => c.charCodeAt(0).toString(16)));
  return `(?:${character}|%(?:25)*(?:${[...codes].join("|")}))`;
}

/** A parameter of this URL. */
const OWN = new RegExp(`(^|[?&])(${NAME}${EQUALS})[^&#]*`, "gi");
/** A parameter of a URL within this one, whose `?` and `&` are encoded as often as the URL around it demands. */
const NESTED = new RegExp(`(%((?:25)*)(?:3f|26)${NAME}${EQUALS})(?:(?!%\\2(?:26|23))[^&#])*`, "gi");

/**
 * Replaces every value of the parameter `r2h-token`, in whatever letter case or percent-encoding its name is, also in a URL
 * that is the value of another parameter. All other bytes stay. Takes a URL, a request target or a query.
 */
export function maskToken<T extends string>(url: T): T {
  return url.replace(OWN, `$1$2${MASK}`).replace(NESTED, `$1${MASK}`) as T;
}
