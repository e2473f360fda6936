/** Loads the list of its first argument again and again, and prints by how many bytes each load made this process grow. */

import { readFileSync } from "node:fs";
import { Playlists } from "../../src/playlist/playlists.ts";
import { asByteString } from "../../src/wire/text/byte-string.ts";
import { OPEN_REACH } from "../fakes/reach.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { until } from "../fakes/until.ts";
import { bodyText } from "./body-text.ts";
import { SCHEMES } from "./schemes.ts";

const LOADS = 2;
const SAMPLE_MS = 2;
const LOAD_MS = 20_000;
/** Playlists collect garbage a second after a load, and the allocator gives memory back a moment later. */
const SETTLE_MS = 1300;

const anonymousBytes = () => Number(/RssAnon:\s*(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))![1]) * 1024;

const [url = ""] = process.argv.slice(2);
const log = recordingLog();
const playlists = new Playlists({ reach: () => OPEN_REACH, log, onLoaded: () => {} });
const loads: { readonly atPeak: number; readonly atEnd: number }[] = [];
const first = anonymousBytes();
let peak = 0;
const sampling = setInterval(() => {
  peak = Math.max(peak, anonymousBytes());
}, SAMPLE_MS);
for (let load = 1; load <= LOADS; load++) {
  const before = anonymousBytes();
  peak = before;
  if (load > 1) playlists.refresh();
  else {
    await playlists.configure({
      inline: "",
      urls: [url],
      intervalS: 0,
      token: "",
      userAgent: "test/1",
      appPathPrefix: asByteString(""),
      schemes: SCHEMES,
    });
  }
  const isLoaded = () => log.lines.filter((line) => line.includes("Parsed")).length === load;
  await until(isLoaded, LOAD_MS, `load ${load}`);
  bodyText(playlists.published.body(asByteString("http://h/"), "none"));
  await Bun.sleep(SETTLE_MS);
  loads.push({ atPeak: peak - before, atEnd: anonymousBytes() - first });
}
clearInterval(sampling);
playlists.close();
console.log(JSON.stringify({ channels: playlists.channels.size, loads }));
