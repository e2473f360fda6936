/** Whom we may connect to, or send to, for a client: everybody who does asks here, for each address (config.md section 18). */

import type { IpAddress } from "../wire/ip/address.ts";
import type { ReachTarget } from "../wire/ip/reach-rule.ts";
import { type ReachRules, reachRefusal } from "../wire/ip/reach-rules.ts";

/** `loop`: what is asked for is this relay itself, and the request would come back for ever. */
export interface ReachProblem {
  readonly code: "loop" | "forbidden";
  /** In words, with the address. */
  readonly reason: string;
}

export class Reach {
  readonly #rules: ReachRules;
  readonly #isOurselves: (address: IpAddress, port: number) => boolean;

  /** @param isOurselves whether an address and port are our own listener */
  constructor(rules: ReachRules, isOurselves: (address: IpAddress, port: number) => boolean) {
    this.#rules = rules;
    this.#isOurselves = isOurselves;
  }

  /** Why there must be no connection; undefined when there may be. */
  connection(target: ReachTarget): ReachProblem | undefined {
    const { address, port } = target;
    if (this.#isOurselves(address, port)) return { code: "loop", reason: "leads back to this relay" };
    return this.datagrams(target);
  }

  /** The same of a group, the source of one, or whomever datagrams are sent to. */
  datagrams(target: ReachTarget): ReachProblem | undefined {
    const reason = reachRefusal(this.#rules, target);
    return reason === undefined ? undefined : { code: "forbidden", reason };
  }
}
