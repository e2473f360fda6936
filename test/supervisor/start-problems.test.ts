import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startProblems } from "../../src/supervisor/start-problems.ts";
import { load } from "../config/files.ts";
import { describeInNamespace, ip } from "../fakes/namespace.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "sluice-problems-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

const problems = (...words: string[]) => startProblems(load(["-C", ...words], {}).settings);
const messages = (...words: string[]) => problems(...words).map(({ message }) => message);

test("what is there is no problem", () => {
  writeFileSync(join(directory, "old.log"), "");
  expect(problems()).toEqual([]);
  expect(problems("-i", "lo", "-r", "lo", "-f", "lo", "-t", "lo", "-y", "lo")).toEqual([]);
  expect(problems("--access-log", join(directory, "new.log"), "-S", "-F", "/bin/sh")).toEqual([]);
  expect(problems("--access-log", join(directory, "old.log"), "-F", "/nowhere/ffmpeg")).toEqual([]);
});

test("an interface that does not exist is told with those that do", () => {
  const names = ["upstream-interface", "upstream-interface-multicast", "upstream-interface-fcc"];
  const told = messages("-i", "nosuch0", "-r", "nosuch1", "-f", "nosuch2", "-t", "nosuch3", "-y", "nosuch4");
  expect(told).toEqual(
    [...names, "upstream-interface-rtsp", "upstream-interface-http"].map((name, i) =>
      expect.stringMatching(
        new RegExp(`^${name}: interface nosuch${i} does not exist .now.; there .*\\blo .127.0.0.1.$`),
      ),
    ),
  );
});

test.each([
  ["/nowhere/a.log", "no such file or directory"],
  ["/dev/null/a.log", "not a directory"],
  ["/", "it is a directory"],
])("an access log at %s cannot be written", (path, reason) => {
  expect(messages("--access-log", path)).toEqual([`access-log: ${path} cannot be written: ${reason}`]);
});

test("FFmpeg is missed when pictures are wanted", () => {
  expect(messages("-S", "-F", "/nowhere/ffmpeg")).toEqual([
    expect.stringContaining("there is no program /nowhere/ffmpeg"),
  ]);
});

describeInNamespace(import.meta.path, "an interface that is down", () => {
  test("is told, unless it is up", () => {
    ip("link add sluicedown0 type veth peer name sluicedown1");
    const told = messages("-r", "sluicedown0");
    // Where /sys shows another namespace's interfaces, nothing is claimed of ours.
    const isSeen = Bun.spawnSync(["test", "-e", "/sys/class/net/sluicedown0"]).exitCode === 0;
    expect(told).toEqual(
      isSeen ? [expect.stringContaining('is down; bring it up with "ip link set sluicedown0 up"')] : [],
    );
    ip("link set sluicedown0 up");
    expect(messages("-r", "sluicedown0")).toEqual([]);
  });
});
