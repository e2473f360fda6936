import { expect, test } from "bun:test";
import { changedSettings } from "../../src/config/change.ts";
import { loadText } from "./files.ts";

/** What changes when the file changes from `before` to `after`. */
function changes(before: string, after: string, ...argv: string[]): string[] {
  return [
    ...changedSettings(loadText(before || "#", ...argv).settings, loadText(after || "#", ...argv).settings),
  ].sort();
}

test.each([
  ["nothing", "[global]\nmaxclients = 5\n", "# other words\n[global]\nxff = off", []],
  ["values", "[global]\nmaxclients = 6\nxff = on\n", "[global]\nworkers = 2\nxff = on", ["maxClients", "workers"]],
  ["a value and none", "[global]\npid-file = /x\n", "", ["pidFile"]],
  ["equal objects", "[global]\nfcc-listen-port-range = 1-2\n", "[global]\nfcc-listen-port-range = 1 - 2\n", []],
  [
    "objects",
    "[global]\nfcc-listen-port-range = 1-2\n",
    "[global]\nfcc-listen-port-range = 1-3\n",
    ["fccListenPortRange"],
  ],
  ["lists", "[global]\nexternal-m3u = http://a http://b", "[global]\nexternal-m3u = http://b", ["externalM3u"]],
  ["the playlist", "[services]\n#EXTM3U\n", "[services]\n#EXTM3U\n#EXTINF:-1,x\n", ["services"]],
  ["the default written out", "", "[bind]\n* 5140\n", []],
  ["the order of listeners", "[bind]\n* 80\n::1 81\n/x\n", "[bind]\n/x\n[::1] 81\n* 80\n* 80\n", []],
  ["listeners", "[bind]\n* 80\n", "[bind]\n0.0.0.0 80\n", ["listen"]],
  ["fewer listeners", "[bind]\n* 80\n/x\n", "[bind]\n* 80\n", ["listen"]],
])("%s", (_what, before, after, expected) => {
  expect(changes(before, after)).toEqual(expected);
  expect(changes(after, before)).toEqual(expected);
});

test("what the command line sets does not change", () => {
  expect(changes("[bind]\n* 81\n[global]\nworkers = 2", "[bind]\n* 82\n[global]\nworkers = 3", "-l80", "-w4")).toEqual(
    [],
  );
});
