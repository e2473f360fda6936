/** Policies of whom a relay may reach. */
import { Reach } from "../../src/system/reach.ts";
import { mustReadReachRule, type ReachRule } from "../../src/wire/ip/reach-rule.ts";

/** Everybody whom the built-in rules leave open. */
export const OPEN_REACH = reachOf({});

/** Everything is the relay itself. */
export const OWN_REACH = new Reach({ upstreamAllow: [], upstreamDeny: [] }, () => true);

/** @param rules as the options have them, separated by blanks */
export function reachOf({ allow = "", deny = "" }: { readonly allow?: string; readonly deny?: string }): Reach {
  return new Reach({ upstreamAllow: rules(allow), upstreamDeny: rules(deny) }, () => false);
}

export function rules(text: string): ReachRule[] {
  return text.split(" ").flatMap((word) => (word === "" ? [] : [mustReadReachRule(word)]));
}
