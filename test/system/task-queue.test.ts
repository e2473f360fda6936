import { expect, test } from "bun:test";
import { runDetached, TaskQueue } from "../../src/system/task-queue.ts";
import { recordingLog } from "../fakes/recording-log.ts";

test("tasks run in turn, and one that fails is reported and holds up nobody", async () => {
  const log = recordingLog();
  const queue = new TaskQueue(log);
  const steps: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = queue.run("First", async () => {
    steps.push("first begins");
    await gate.promise;
    steps.push("first ends");
    throw new Error("broken");
  });
  queue.run("Second", () => {
    steps.push("second");
    throw new Error("too");
  });
  queue.run("Third", () => {
    steps.push("third");
  });
  gate.resolve();
  await first;
  expect(steps.slice(0, 2)).toEqual(["first begins", "first ends"]);
  await queue.idle;
  expect(steps).toEqual(["first begins", "first ends", "second", "third"]);
  expect(log.lines).toEqual(["ERROR First failed: broken", "ERROR Second failed: too"]);
});

test("a task that nobody waits for reports its failure", async () => {
  const log = recordingLog();
  runDetached(log, "Loading", Promise.reject(new Error("broken")));
  runDetached(log, "Other", Promise.resolve(1));
  await Promise.resolve();
  expect(log.lines).toEqual(["ERROR Loading failed: broken"]);
});
