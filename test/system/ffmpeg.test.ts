import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ffmpeg } from "../../src/system/ffmpeg.ts";
import { KeyFrameSearch } from "../../src/upstream/rtp/key-frame.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { until } from "../fakes/until.ts";

const MAX_CONVERSIONS = 2;

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
  const jpeg = await new Ffmpeg(recordingLog(log)).jpegOf(search.frame, options, NEVER);
  expect(log).toEqual([]);
  expect(Buffer.from(jpeg!.subarray(0, 3))).toEqual(JPEG_START);
  expect(jpeg!.length).toBeGreaterThan(3000);
});

test("gets the operator's arguments first, the frame through a pipe, and no shell", async () => {
  const { ffmpegPath } = await standIn("echo", 'for word; do printf "<%s>" "$word"; done; cat');
  const options = { ffmpegPath, ffmpegArgs: `-x '$(touch ${directory}/evil)' ""` };
  const answer = await new Ffmpeg(recordingLog([])).jpegOf(frame, options, NEVER);
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
    expect(await new Ffmpeg(recordingLog(log), LIMIT_MS).jpegOf(frame, options, NEVER)).toBeUndefined();
    expect(log).toEqual([expect.stringContaining(reason)]);
    const pid = Number(await readFile(join(directory, "pid"), "utf8"));
    await until(() => !isRunning(pid), WAIT_MS, "its end");
  });

  test("does not exist", async () => {
    const log: string[] = [];
    const options = { ffmpegPath: join(directory, "missing"), ffmpegArgs: "" };
    expect(await new Ffmpeg(recordingLog(log)).jpegOf(frame, options, NEVER)).toBeUndefined();
    expect(log).toEqual([expect.stringMatching(/^DEBUG Snapshot: ffmpeg failed: .*missing/)]);
  });
});

test("few run at once; the others wait for their turn, and whoever leaves needs none", async () => {
  const ffmpeg = new Ffmpeg(recordingLog([]));
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

test("is killed when nobody wants the picture any more", async () => {
  const pidFile = join(directory, "unwanted-pid");
  const options = await standIn("unwanted", `echo $$ > ${pidFile}\nexec sleep 30`);
  const leaving = new AbortController();
  const job = new Ffmpeg(recordingLog([])).jpegOf(frame, options, leaving.signal);
  const pid = async () => Number(await readFile(pidFile, "utf8").catch(() => "0"));
  await until(async () => (await pid()) > 0, WAIT_MS, "its start");
  leaving.abort();
  expect(await job).toBeUndefined();
  const id = await pid();
  await until(() => !isRunning(id), WAIT_MS, "its end");
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
