/** `Accept-Encoding`: which content codings a client can undo (RFC 9110 section 12.5.3). */
import { trimBlanks } from "./header-fields.ts";

/** @param value of the header; a client that does not send it takes everything */
export function acceptsGzip(value: string | undefined): boolean {
  if (value === undefined) return true;
  const weights = new Map(value.split(",").map(codingWithWeight));
  return (weights.get("gzip") ?? weights.get("x-gzip") ?? weights.get("*") ?? 0) > 0;
}

function codingWithWeight(element: string): [coding: string, weight: number] {
  const [coding = "", ...parameters] = element.split(";").map((part) => trimBlanks(part).toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith("q="));
  return [coding, weight === undefined ? 1 : Number(weight.slice(2)) || 0];
}
