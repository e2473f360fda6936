/** A request's query, merged into the configured URL of a service (http.md section 13). */
import { asByteString, type ByteString } from "../wire/text/byte-string.ts";
import { readSeekControls, SEEK_CONTROLS } from "./control-parameters.ts";
import { findSeekParameter, isUnfilled, type SeekParameter } from "./seek-parameter.ts";
import { MAX_UPSTREAM_URL_BYTES } from "./upstream-url.ts";
import { isNamed, joinUrl, type Parameter, parseParameter, parseParameters, splitUrl } from "./url-parameters.ts";

const INTERFACE_CONTROLS: readonly string[] = ["r2h-ifname", "r2h-ifname-fcc"];
/** The configured ones never mix with the request's: each comes from the one or the other. */
const CONTROLS: readonly string[] = [...SEEK_CONTROLS, ...INTERFACE_CONTROLS];

/**
 * The URL to read in place of the service's own: the request beats the playlist, parameter by parameter.
 * @param serviceUrl without `$label`
 * @param requestQuery without `?`; empty leaves the service as it is
 * @returns undefined when the URL would be over 2047 bytes: 500
 */
export function mergeServiceQuery(serviceUrl: ByteString, requestQuery: ByteString): ByteString | undefined {
  if (requestQuery === "") return serviceUrl;
  const { path, parameters: configured } = splitUrl(serviceUrl);
  const requested = parseParameters(requestQuery);
  const { name } = readSeekControls(configured, []);
  const seek = findSeekParameter(configured, name);

  const isControl = (parameter: Parameter) => CONTROLS.some((control) => isNamed(parameter, control));
  const isSeek = (parameter: Parameter) => seek !== undefined && isNamed(parameter, seek.name);
  const data = configured.filter((parameter) => !isControl(parameter) && !isSeek(parameter));
  const parameters = mergeParameters(data, requested);
  for (const control of CONTROLS) {
    const kept = configured.find((parameter) => isNamed(parameter, control));
    if (kept && !has(requested, control)) parameters.push(kept);
  }
  if (seek && !has(requested, "r2h-seek-name")) parameters.push(...keptSeek(seek, name, requested));
  const url = joinUrl({ path, parameters });
  return url.length > MAX_UPSTREAM_URL_BYTES ? undefined : url;
}

/** The configured seek, where the request does not say what its own seek parameter is. */
function keptSeek(seek: SeekParameter, givenName: string, requested: readonly Parameter[]): Parameter[] {
  const kept: Parameter[] = [];
  // A name that was found, not given, would otherwise lose against the `playseek` of a request.
  if (givenName === "") kept.push(parseParameter(asByteString(`r2h-seek-name=${seek.name}`)));
  if (seek.value && !isUnfilled(seek.value) && !has(requested, seek.name)) {
    kept.push(parseParameter(asByteString(`${seek.name}=${seek.value}`)));
  }
  return kept;
}

/** A request's values stand where the first configured one of that name stood. Here names are compared byte by byte. */
function mergeParameters(configured: readonly Parameter[], requested: readonly Parameter[]): Parameter[] {
  const replacing = Map.groupBy(requested, ({ name }) => name);
  const placed = new Set<string>();
  const merged = configured.flatMap((parameter) => {
    const values = replacing.get(parameter.name);
    if (!values) return [parameter];
    if (placed.has(parameter.name)) return [];
    placed.add(parameter.name);
    return values;
  });
  return [...merged, ...requested.filter(({ name }) => !placed.has(name))];
}

function has(parameters: readonly Parameter[], name: string): boolean {
  return parameters.some((parameter) => isNamed(parameter, name));
}
