/** What a reload changes (config.md section 8). */

import { showListenAddress } from "./listen.ts";
import type { ListenAddress, Settings } from "./settings.ts";

/** Everything in `Settings` that has a value; `listen` stands for the whole list. */
type ChangeableName = Exclude<keyof Settings, "given">;

/** The settings whose values differ. `listen` is among them when the sets of addresses differ: order means nothing. */
export function changedSettings(before: Settings, after: Settings): ReadonlySet<ChangeableName> {
  const names = Object.keys({ ...before, ...after }) as (keyof Settings)[];
  const differs = (name: keyof Settings): name is ChangeableName =>
    name !== "given" && !Bun.deepEquals(comparable(before, name), comparable(after, name));
  return new Set(names.filter(differs));
}

function comparable(settings: Settings, name: ChangeableName): unknown {
  return name === "listen" ? listenKeys(settings.listen) : settings[name];
}

function listenKeys(addresses: readonly ListenAddress[]): ReadonlySet<string> {
  return new Set(addresses.map(showListenAddress));
}
