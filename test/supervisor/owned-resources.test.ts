import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ListenAddress, Settings } from "../../src/config/settings.ts";
import { NothingToListenError, OwnedResources } from "../../src/supervisor/owned-resources.ts";
import { load } from "../config/files.ts";
import { freeTcpPort } from "../fakes/free-port.ts";
import { openSockets } from "../fakes/namespace.ts";
import { recordingLog } from "../fakes/recording-log.ts";

const NOT_OURS: ListenAddress = { host: "192.0.2.77", port: 8080 };

let before = openSockets();
let directory = "";
let log = recordingLog();
let ownedResources = new OwnedResources(log);
let local: ListenAddress = { host: "127.0.0.1", port: 0 };

beforeEach(async () => {
  before = openSockets();
  directory = mkdtempSync(join(tmpdir(), "sluice-ownedResources-"));
  log = recordingLog();
  ownedResources = new OwnedResources(log);
  local = { host: "127.0.0.1", port: await freeTcpPort() };
});
afterEach(() => {
  ownedResources.release();
  expect(openSockets(before)).toEqual([]);
  rmSync(directory, { recursive: true });
});

function at(name: string): string {
  return join(directory, name);
}

function settings(listen: readonly ListenAddress[], changes: Partial<Settings> = {}): Settings {
  return { ...load(["-C"], {}).settings, listen, workers: 2, ...changes };
}

/** What there is to see: sockets, their files and the PID file. */
function held() {
  const files = ["one", "two", "pid", "pid2"].filter((name) => existsSync(at(name)));
  return { sockets: openSockets(before).length, unix: ownedResources.unixSockets.map(({ path }) => path), files };
}

test("sockets and PID file are there from the start to the end", async () => {
  await ownedResources.acquire(settings([local, { path: at("one") }], { pidFile: at("pid") }));
  expect(ownedResources.tcpSocketsOf(1)).toMatchObject([{ address: "127.0.0.1" }]);
  expect(held()).toEqual({ sockets: 3, unix: [at("one")], files: ["one", "pid"] });
  ownedResources.release();
  expect(held()).toEqual({ sockets: 0, unix: [], files: [] });
});

test.each<[what: string, change: () => Settings, error: string]>([
  ["nothing can be listened on", () => settings([NOT_OURS], { pidFile: at("pid") }), "No socket to listen!"],
  ["a Unix socket cannot be made", () => settings([local, { path: at("nowhere/s") }]), "Cannot listen on Unix socket"],
  [
    "there can be no PID file",
    () => settings([local, { path: at("one") }], { pidFile: at("nowhere/pid") }),
    "PID file",
  ],
])("when %s at the start, nothing is left behind", async (_, change, error) => {
  await expect(ownedResources.acquire(change())).rejects.toThrow(error);
  expect(held()).toEqual({ sockets: 0, unix: [], files: [] });
});

test("a reload moves all of them at once", async () => {
  await ownedResources.acquire(settings([local, { path: at("one") }], { pidFile: at("pid") }));
  const port = await freeTcpPort();
  const next = settings([{ host: "127.0.0.1", port }, { path: at("two") }], { pidFile: at("pid2") });
  const commit = await ownedResources.prepare(next, true);
  // Until then both are there.
  expect(held()).toEqual({ sockets: 6, unix: [at("one")], files: ["one", "two", "pid", "pid2"] });
  commit!();
  expect(held()).toEqual({ sockets: 3, unix: [at("two")], files: ["two", "pid2"] });
  expect(ownedResources.tcpSocketsOf(0)).toMatchObject([{ port }]);
});

test.each<[what: string, change: () => Settings, error: string]>([
  ["nothing can be listened on", () => settings([NOT_OURS], { pidFile: at("pid2") }), "No socket to listen!"],
  ["a Unix socket cannot be made", () => settings([local, { path: at("file") }]), "exists and is not a socket"],
  ["there can be no PID file", () => settings([{ path: at("two") }], { pidFile: at("nowhere/pid") }), "PID file"],
])("a reload changes nothing when %s", async (_, change, error) => {
  writeFileSync(at("file"), "text");
  await ownedResources.acquire(settings([local, { path: at("one") }], { pidFile: at("pid") }));
  const held0 = held();
  expect(await ownedResources.prepare(change(), true)).toBeUndefined();
  expect(held()).toEqual(held0);
  expect(log.lines.filter((line) => line.startsWith("ERROR")).join("\n")).toContain(error);
});

test("the reason has a name of its own", async () => {
  await expect(ownedResources.acquire(settings([NOT_OURS]))).rejects.toBeInstanceOf(NothingToListenError);
});
