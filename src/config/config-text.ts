/** The settings written as a config file that says the same. */

import { showBindLine } from "./listen.ts";
import { OPTIONS } from "./options.ts";
import type { Settings } from "./settings.ts";

/** A whole config file, defaults included; a key that has no value is in it as a comment. */
export function configText(settings: Settings): string {
  const parameters = OPTIONS.flatMap(({ keys, effect }) => {
    const [key] = keys;
    if (key === undefined || effect.kind !== "set") return [];
    const text = effect.show(settings);
    return [text === undefined ? `# ${key} =` : `${key} = ${text}`.trimEnd()];
  });
  const sections = [
    ["[global]", ...parameters],
    ["[bind]", ...settings.listen.map(showBindLine)],
    ...(settings.services === "" ? [] : [["[services]", settings.services.trimEnd()]]),
  ];
  return sections.map((lines) => `${lines.join("\n")}\n`).join("\n");
}
