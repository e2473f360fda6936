/** The ports of service names, which are in /etc/services: `http-alt` is 8080 (services(5)). */

import type { ReadFile } from "./read-file.ts";

const SERVICES_PATH = "/etc/services";

/** The TCP port of a service or one of its aliases; `undefined` for an unknown name, or where there is no such file. */
export function readServicePort(name: string, readFile: ReadFile): number | undefined {
  const reading = readFile(SERVICES_PATH);
  if (!("text" in reading)) return undefined;
  for (const line of reading.text.split("\n")) {
    const [official, protocol, ...aliases] = line.replace(/#.*/, "").trim().split(/\s+/);
    const port = /^(\d{1,5})\/tcp$/.exec(protocol ?? "")?.[1];
    if (port !== undefined && (official === name || aliases.includes(name))) return Number(port);
  }
  return undefined;
}
