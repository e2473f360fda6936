/** `Accept-Encoding`: which content codings a client can undo (RFC 9110 section 12.5.3). */
import { trimBlanks } from "../text/blanks.ts";

/** @param value of the header; a client that does not send it takes everything */
export function acceptsGzip(value: string | undefined): boolean {
  if (value === undefined) return true;
  const weights = codingWeights(value);
  return (weights.get("gzip") ?? weights.get("x-gzip") ?? weights.get("*") ?? 0) > 0;
}

/**
 * The coding that the client likes best. Nothing is encoded for a client that says nothing, or that takes none of them.
 * @param offered of those that the client likes alike, the first is taken
 */
export function chooseCoding<T extends string>(value: string | undefined, offered: readonly T[]): T | "identity" {
  const weights = codingWeights(value ?? "");
  const weightOf = (coding: T) => weights.get(coding) ?? weights.get("*") ?? 0;
  const [best] = offered.filter((coding) => weightOf(coding) > 0).sort((a, b) => weightOf(b) - weightOf(a));
  return best ?? "identity";
}

function codingWeights(value: string): Map<string, number> {
  return new Map(value.split(",").map(codingWithWeight));
}

function codingWithWeight(element: string): [coding: string, weight: number] {
  const [coding = "", ...parameters] = element.split(";").map((part) => trimBlanks(part).toLowerCase());
  const weight = parameters.find((parameter) => parameter.startsWith("q="));
  return [coding, weight === undefined ? 1 : Number(weight.slice(2)) || 0];
}
