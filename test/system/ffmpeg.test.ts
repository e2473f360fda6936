import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ffmpeg } from "../../src/system/ffmpeg.ts";
import { KeyFrameSearch } from "../../src/upstream/rtp/key-frame.ts";
import { isRunning } from "../fakes/is-running.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { until } from "../fakes/until.ts";

const MAX_CONVERSIONS = 2;
const MAX_WAITING = 32;

const WAIT_MS = 5000;
const JPEG_START = Buffer.from([0xff, 0xd8, 0xff]);
const NEVER = new AbortController().signal;
const frame = Buffer.from("a frame");

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "sluice-ffmpeg-test-"));
});
afterAll(() => rm(directory, { recursive: true }));

/** A program that stands in for FFmpeg. */
async function standIn(name: string, script: string) {
  const ffmpegPath = join(directory, name);
  await writeFile(ffmpegPath, `#!/bin/sh\n${script}\n`);
  await chmod(ffmpegPath, 0o755);
  return { ffmpegPath, ffmpegArgs: "-hwaccel none" };
}

test("the real one makes a JPEG of a key frame", async () => {
  const search = new KeyFrameSearch();
  const clip = await Bun.file(join(import.meta.dir, "../../src/demo/clips/two.mpegts")).bytes();
  search.push(clip, 0, clip.length);
  const log: string[] = [];
  const options = { ffmpegPath: "ffmpeg", ffmpegArgs: "-hwaccel none" };
  const jpeg = await new Ffmpeg({ log: recordingLog(log) }).jpegOf(search.frame, options, NEVER);
  expect(log).toEqual([]);
  expect(Buffer.from(jpeg!.subarray(0, 3))).toEqual(JPEG_START);
  expect(jpeg!.length).toBeGreaterThan(3000);
});

test("gets the operator's arguments first, the frame through a pipe, and no shell", async () => {
  const { ffmpegPath } = await standIn("echo", 'for word; do printf "<%s>" "$word"; done; cat');
  const options = { ffmpegPath, ffmpegArgs: `-x '$(touch ${directory}/evil)' ""` };
  const answer = await new Ffmpeg({ log: recordingLog([]) }).jpegOf(frame, options, NEVER);
  expect(Buffer.from(answer!).toString()).toBe(
    `<-x><$(touch ${directory}/evil)><><-loglevel><error><-f><mpegts><-i><pipe:0>` +
      "<-frames:v><1><-q:v><8><-f><mjpeg><pipe:1>a frame",
  );
  expect(await Bun.file(join(directory, "evil")).exists()).toBe(false);
});

describe("there is no picture, and the log says why, when ffmpeg", () => {
  const LIMIT_MS = 1000;
  test.each([
    ["fails", "echo picture; echo bad frame >&2; exit 1", "bad frame"],
    ["fails without a word", "exit 3", "exit status 3, 0 bytes"],
    ["prints nothing", "exit 0", "exit status 0, 0 bytes"],
    ["hangs", "exec sleep 30", `no picture within ${LIMIT_MS} ms`],
    ["hangs with open pipes behind it", "sleep 2 & exit 0", `no picture within ${LIMIT_MS} ms`],
    ["prints for ever", "exec yes", "ffmpeg failed: "],
  ])("%s", async (name, script, reason) => {
    const options = await standIn(name.replaceAll(" ", "-"), `echo $$ > ${directory}/pid\n${script}`);
    const log: string[] = [];
    expect(
      await new Ffmpeg({ log: recordingLog(log), timeoutMs: LIMIT_MS }).jpegOf(frame, options, NEVER),
    ).toBeUndefined();
    expect(log).toEqual([expect.stringContaining(reason)]);
    const pid = Number(await readFile(join(directory, "pid"), "utf8"));
    await until(() => !isRunning(pid), WAIT_MS, "its end");
  });

  test("does not exist", async () => {
    const log: string[] = [];
    const options = { ffmpegPath: join(directory, "missing"), ffmpegArgs: "" };
    expect(await new Ffmpeg({ log: recordingLog(log) }).jpegOf(frame, options, NEVER)).toBeUndefined();
    expect(log).toEqual([expect.stringMatching(/^DEBUG Snapshot: ffmpeg failed: .*missing/)]);
  });
});

test("few run at once; the others wait for their turn, and whoever leaves needs none", async () => {
  const ffmpeg = new Ffmpeg({ log: recordingLog([]) });
  const started = join(directory, "started");
  const go = join(directory, "go");
  await writeFile(started, "");
  const options = await standIn("gate", `echo x >> ${started}\nwhile [ ! -e ${go} ]; do sleep 0.01; done\ncat`);
  const leaving = new AbortController();
  const jobs = Array.from({ length: MAX_CONVERSIONS + 3 }, (_, i) =>
    ffmpeg.jpegOf(frame, options, i === MAX_CONVERSIONS ? leaving.signal : NEVER),
  );
  const starts = async () => (await readFile(started, "utf8")).length / 2;
  await until(async () => (await starts()) === MAX_CONVERSIONS, WAIT_MS, "the first ones");
  leaving.abort();
  await writeFile(go, "");
  const results = await Promise.all(jobs);
  expect(results.map((result) => result && Buffer.from(result).toString())).toEqual(
    results.map((_, i) => (i === MAX_CONVERSIONS ? undefined : "a frame")),
  );
  expect(await starts()).toBe(MAX_CONVERSIONS + 2);
});

test("nobody waits for those that hang longer than for a picture of his own", async () => {
  const started = join(directory, "hung");
  await writeFile(started, "");
  const options = await standIn("hung-program", `echo x >> ${started}\nexec sleep 30`);
  const ffmpeg = new Ffmpeg({ log: recordingLog([]), timeoutMs: 500 });
  const jobs = Array.from({ length: 53 }, () => ffmpeg.jpegOf(frame, options, NEVER));
  expect(new Set(await Promise.all(jobs))).toEqual(new Set([undefined]));
  // One after the other, they would have waited for each other.
  expect((await readFile(started, "utf8")).length / 2).toBe(MAX_CONVERSIONS);
});

test("whoever leaves waits no longer, and those who come when too many wait do not", async () => {
  const options = await standIn("leaving", "exec sleep 30");
  const ffmpeg = new Ffmpeg({ log: recordingLog([]), timeoutMs: 60_000 });
  const leaving = new AbortController();
  const jobs = Array.from({ length: MAX_CONVERSIONS + MAX_WAITING }, () =>
    ffmpeg.jpegOf(frame, options, leaving.signal),
  );
  expect(await ffmpeg.jpegOf(frame, options, NEVER)).toBeUndefined();
  leaving.abort();
  expect(new Set(await Promise.all(jobs))).toEqual(new Set([undefined]));
});

test("its end ends all, and who is to know of them is told", async () => {
  const options = await standIn("ended", "exec sleep 30");
  const told: [number, boolean][] = [];
  const ffmpeg = new Ffmpeg({ log: recordingLog([]), onProcess: (pid, isRunning) => told.push([pid, isRunning]) });
  const job = ffmpeg.jpegOf(frame, options, NEVER);
  await until(() => told.length === 1, WAIT_MS, "its start");
  ffmpeg.close();
  expect(await job).toBeUndefined();
  await until(() => told.length === 2, WAIT_MS, "its end");
  const [[pid]] = told as [[number, boolean]];
  expect(told).toEqual([
    [pid, true],
    [pid, false],
  ]);
  expect(isRunning(pid)).toBe(false);
});

test("is killed when nobody wants the picture any more", async () => {
  const pidFile = join(directory, "unwanted-pid");
  const options = await standIn("unwanted", `echo $$ > ${pidFile}\nexec sleep 30`);
  const leaving = new AbortController();
  const job = new Ffmpeg({ log: recordingLog([]) }).jpegOf(frame, options, leaving.signal);
  const pid = async () => Number(await readFile(pidFile, "utf8").catch(() => "0"));
  await until(async () => (await pid()) > 0, WAIT_MS, "its start");
  leaving.abort();
  expect(await job).toBeUndefined();
  const id = await pid();
  await until(() => !isRunning(id), WAIT_MS, "its end");
});
