import { afterEach, beforeEach, expect, test } from "bun:test";
import { tmpdir } from "node:os";
import { type ListCopy, type Loaded, readListCopy, writeListCopy } from "../../src/playlist/loaded.ts";
import { LoadedCopies } from "../../src/supervisor/loaded-copies.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { until } from "../fakes/until.ts";

const WAIT_MS = 2000;

let kept: Loaded[];
let copies: LoadedCopies;
let written: ListCopy[];
beforeEach(() => {
  kept = [];
  written = [];
  copies = new LoadedCopies(recordingLog(), (loaded) => kept.push(loaded));
});
afterEach(() => copies.close());

/** Hands over a list, and closes the file of the worker that has loaded it. */
async function hand(url: string, text: string): Promise<void> {
  const copy = await writeListCopy({ url, base: url }, Buffer.from(text), tmpdir(), () => {});
  written.push(copy);
  const count = kept.length;
  copies.keep(copy.loaded);
  await until(() => kept.length > count, WAIT_MS, "the copy");
  await copy.file.close();
}

const texts = () =>
  Promise.all(copies.all.map(async (loaded) => (loaded.kind === "list" ? `${await readListCopy(loaded)}` : "guide")));

test("copies outlive the worker that has loaded them, and newer ones replace them", async () => {
  await hand("http://h/1", "one");
  await hand("http://h/2", "two");
  expect([await texts(), copies.all]).toEqual([["one", "two"], kept]);
  await hand("http://h/1", "new");
  expect((await texts()).toSorted()).toEqual(["new", "two"]);
  copies.dropAllBut(["http://h/2"]);
  expect(await texts()).toEqual(["two"]);
  // What is told once may be read late: then it is gone, and something newer has been told.
  expect(await readListCopy(written[0]!.loaded)).toBeUndefined();
});

test("a copy that is gone already is passed over, and no guide is news too", async () => {
  const gone = await writeListCopy({ url: "http://h/1", base: "http://h/1" }, Buffer.from("one"), tmpdir(), () => {});
  await gone.file.close();
  copies.keep(gone.loaded);
  copies.keep({ kind: "guide", urls: [], guide: undefined });
  await until(() => kept.length > 0, WAIT_MS, "the news");
  expect(kept).toEqual([{ kind: "guide", urls: [], guide: undefined }]);
  expect(copies.all).toEqual([]);
});

test("news that cannot be passed on are reported, and the next ones are kept", async () => {
  const log = recordingLog();
  const heard: Loaded[] = [];
  const fragile = new LoadedCopies(log, (loaded) => {
    if (heard.push(loaded) === 1) throw new Error("broken");
  });
  fragile.keep({ kind: "guide", urls: ["1"], guide: undefined });
  fragile.keep({ kind: "guide", urls: ["2"], guide: undefined });
  await until(() => heard.length === 2, WAIT_MS, "the second news");
  expect(log.lines).toEqual(["ERROR Keeping what worker 0 has loaded failed: broken"]);
});
