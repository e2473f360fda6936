import { expect, test } from "bun:test";
import { processState } from "../../src/system/process-state.ts";
import { until } from "../fakes/until.ts";

const WAIT_MS = 20_000;

test("what a process does is told apart", async () => {
  const sleeper = Bun.spawn(["sleep", "60"]);
  const looper = Bun.spawn(["sh", "-c", "while :; do :; done"]);
  try {
    await until(() => processState(sleeper.pid)?.state === "S", WAIT_MS, "sleep to sleep");
    sleeper.kill("SIGSTOP");
    await until(() => processState(sleeper.pid)?.state === "T", WAIT_MS, "it to be stopped");
    await until(() => (processState(looper.pid)?.cpuMs ?? 0) >= 100, WAIT_MS, "the loop to burn 100 ms");
    expect(processState(looper.pid)?.state).toBe("R");
    expect(processState(sleeper.pid)?.cpuMs).toBeLessThan(100);
  } finally {
    sleeper.kill("SIGKILL");
    looper.kill("SIGKILL");
  }
  await Promise.all([sleeper.exited, looper.exited]);
  expect(processState(looper.pid)).toBeUndefined();
});
