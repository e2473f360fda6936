/** Loads the guides of its arguments one after the other, and prints by how many bytes the last one made this process grow. */
import { Guide } from "../../src/playlist/guide.ts";
import { releasing } from "../../src/playlist/streams.ts";
import { OPEN_REACH } from "../fakes/reach.ts";
import { recordingLog } from "../fakes/recording-log.ts";

const SAMPLE_MS = 5;

const guide = new Guide({ reach: () => OPEN_REACH, userAgent: () => "test/1", log: recordingLog() });
let before = 0;
let peak = 0;
const sampling = setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
}, SAMPLE_MS);
let bytes = 0;
for (const url of process.argv.slice(2)) {
  guide.setUrls([url]);
  peak = before = process.memoryUsage.rss();
  await guide.refresh();
  bytes = 0;
  for await (const chunk of releasing(guide.open("identity")!.chunks)) bytes += chunk.length;
}
clearInterval(sampling);
guide.close();
console.log(JSON.stringify({ bytes, grownBytes: peak - before }));
