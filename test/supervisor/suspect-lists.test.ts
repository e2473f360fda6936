import { expect, test } from "bun:test";
import { SuspectLists } from "../../src/supervisor/suspect-lists.ts";
import { recordingLog } from "../fakes/recording-log.ts";

const LIST = { url: "http://user:pass@h/list.m3u", hash: "1" };
const OTHER = { url: "http://h/other.m3u", hash: "2" };

function setUp() {
  const log = recordingLog();
  const time = { now: 0 };
  return { log, time, lists: new SuspectLists(log, () => time.now) };
}

test("a list that a worker dies of waits longer with each death, up to an hour", () => {
  const { log, time, lists } = setUp();
  const pauses: number[] = [];
  for (let death = 0; death < 12; death++) {
    lists.begins(0, LIST);
    lists.exited(0, true);
    const [suspect] = lists.all;
    pauses.push(suspect!.forMs / 1000);
    time.now += suspect!.forMs;
    expect(lists.all).toEqual([]);
  }
  expect(pauses).toEqual([10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600]);
  expect(log.lines[1]).toBe(
    "ERROR Worker 0 died while it read the playlist http://***@h/list.m3u (2 in a row), which is not read again for 20 seconds",
  );
});

test("whoever has read it proves it innocent, and an orderly end proves nothing", () => {
  const { lists } = setUp();
  lists.begins(0, LIST);
  lists.begins(1, OTHER);
  lists.exited(0, true);
  lists.exited(1, false);
  expect(lists.all).toEqual([{ ...LIST, forMs: 10_000 }]);
  lists.begins(0, LIST);
  lists.ends(0);
  lists.exited(0, true);
  expect(lists.all).toEqual([]);
  lists.begins(0, LIST);
  lists.exited(0, true);
  expect(lists.all).toEqual([{ ...LIST, forMs: 10_000 }]);
});

test("all that was being read is suspect, and no more than 64", () => {
  const { lists } = setUp();
  for (let i = 0; i < 70; i++) lists.begins(0, { url: "http://h/", hash: `${i}` });
  lists.exited(0, true);
  expect(lists.all.map(({ hash }) => Number(hash))).toEqual(Array.from({ length: 64 }, (_, i) => i + 6));
});
