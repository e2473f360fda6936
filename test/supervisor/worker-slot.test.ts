import { describe, expect, test } from "bun:test";
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { STOP_TIMEOUT_MS, WorkerSlot, type WorkerSlotParent } from "../../src/supervisor/worker-slot.ts";
import type { FromWorker, StartMessage } from "../../src/worker/messages.ts";
import { load } from "../config/files.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { until } from "../fakes/until.ts";

const WAIT_MS = 5000;
const RESTARTS_WITHIN_MS = 5000;
const TEST_MS = 15_000;
const SLEEP = ["sleep", "60"];
const CRASH = ["sh", "-c", "exit 3"];

const { settings } = load(["-C"], {});
const START: StartMessage = {
  kind: "start",
  linkKey: "key",
  settings,
  logLevel: 3,
  sockets: [],
  totals: { fd: 0 },
  clientSlots: { fd: 3, workers: 1 },
  loaded: [],
  suspects: [],
};

/** A supervisor of one slot, which remembers in which order things happened. */
class Parent implements WorkerSlotParent {
  readonly log = recordingLog();
  readonly messages: FromWorker[] = [];
  readonly slot: WorkerSlot;
  command: string[];
  descriptors: number[];

  constructor(command: string[], descriptors: number[] = []) {
    this.command = command;
    this.descriptors = descriptors;
    this.slot = new WorkerSlot(7, this);
  }

  launch(id: number) {
    this.log.info(`launch ${id}`);
    return { command: this.command, descriptors: this.descriptors, start: START };
  }

  received(_: number, message: FromWorker): void {
    this.messages.push(message);
  }

  exited(id: number, pid: number): void {
    this.log.info(`exited ${id} ${pid}`);
  }

  get pids(): number[] {
    return this.log.lines.flatMap(
      (line) => Number(/Spawned worker 7 with pid (\d+)/.exec(line)?.[1] ?? Number.NaN) || [],
    );
  }

  get alive(): number[] {
    return this.pids.filter((pid) => existsSync(`/proc/${pid}`));
  }

  /** The log with names instead of process ids, from line `since` on. */
  story(since = 0): string[] {
    const name = (digits: string) => {
      const index = this.pids.indexOf(Number(digits));
      return index < 0 ? digits : `P${index + 1}`;
    };
    return this.log.lines.slice(since).map((line) => line.replace(/\d+/g, name));
  }

  untilLine(line: string, ms = WAIT_MS): Promise<void> {
    return until(() => this.story().includes(line), ms, line);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.slot.retire();
  }
}

describe("a worker's slot", () => {
  test("hands descriptors and the first message to the process, and passes on what that says", async () => {
    const directory = mkdtempSync(join(tmpdir(), "sluice-slot-"));
    writeFileSync(join(directory, "file"), "handed down");
    const fd = openSync(join(directory, "file"), "r");
    const program = `process.on("message", (message) => {
      process.send({ kind: "log", lines: [{ ...message, text: require("node:fs").readFileSync(3, "utf8") }] });
    });`;
    await using parent = new Parent([process.execPath, "-e", program], [fd]);
    await until(() => parent.messages.length > 0, WAIT_MS, "an answer");
    expect(parent.messages as unknown).toEqual([{ kind: "log", lines: [{ ...START, text: "handed down" }] }]);
    parent.slot.send({ kind: "log-level", level: 1 });
    await until(() => parent.messages.length > 1, WAIT_MS, "a second answer");
    expect(parent.messages[1]).toMatchObject({ lines: [{ kind: "log-level", level: 1 }] });
    closeSync(fd);
    rmSync(directory, { recursive: true });
  });

  test("is filled again when its process ends, whatever the reason", async () => {
    await using parent = new Parent(CRASH);
    parent.command = SLEEP;
    await parent.untilLine("INFO Spawned worker 7 with pid P2");
    process.kill(parent.pids[1]!, "SIGKILL");
    await parent.untilLine("INFO Spawned worker 7 with pid P3");
    expect(parent.story()).toEqual([
      "INFO launch 7",
      "INFO Spawned worker 7 with pid P1",
      "WARN Worker 7 (pid P1) exited with status 3",
      "INFO exited 7 P1",
      "INFO Restarting worker 7",
      "INFO launch 7",
      "INFO Spawned worker 7 with pid P2",
      "WARN Worker 7 (pid P2) killed by signal 9",
      "INFO exited 7 P2",
      "INFO Restarting worker 7",
      "INFO launch 7",
      "INFO Spawned worker 7 with pid P3",
    ]);
  });

  test("is filled again when its process ends without a fault, a moment later", async () => {
    await using parent = new Parent(["true"]);
    parent.command = SLEEP;
    await parent.untilLine("INFO exited 7 P1");
    parent.slot.renew();
    parent.slot.refill();
    parent.slot.send({ kind: "log-level", level: 1 });
    expect(parent.story()).toEqual([
      "INFO launch 7",
      "INFO Spawned worker 7 with pid P1",
      "WARN Worker 7 (pid P1) exited with status 0",
      "INFO exited 7 P1",
    ]);
    await parent.untilLine("INFO Spawned worker 7 with pid P2");
    expect(parent.story().slice(4, 5)).toEqual(["INFO Restarting worker 7"]);
    expect(parent.pids).toHaveLength(2);
  });

  test("stays empty when it is retired in that moment", async () => {
    const parent = new Parent(["true"]);
    await parent.untilLine("INFO exited 7 P1");
    await parent.slot.retire();
    expect(parent.slot.isOver).toBe(true);
    // By the time that a slot which began to wait later is filled, this one would have been.
    await using other = new Parent(["true"]);
    other.command = SLEEP;
    await other.untilLine("INFO Spawned worker 7 with pid P2");
    expect(parent.story().at(-1)).toBe("INFO exited 7 P1");
  });

  test("can be renewed as often as one likes", async () => {
    await using parent = new Parent(SLEEP);
    for (let i = 1; i <= 6; i++) {
      const since = parent.log.lines.length;
      parent.slot.renew();
      parent.slot.renew();
      parent.slot.send({ kind: "log-level", level: 1 });
      await parent.untilLine(`INFO Spawned worker 7 with pid P${i + 1}`);
      expect(parent.story(since)).toEqual([
        `INFO Worker 7 (pid P${i}) killed by signal 15`,
        `INFO exited 7 P${i}`,
        "INFO Restarting worker 7",
        "INFO launch 7",
        `INFO Spawned worker 7 with pid P${i + 1}`,
      ]);
    }
  });

  test("stays empty once it is retired", async () => {
    await using parent = new Parent(SLEEP);
    expect(parent.slot.isOver).toBe(false);
    await Promise.all([parent.slot.retire(), parent.slot.retire()]);
    expect(parent.slot.isOver).toBe(true);
    parent.slot.renew();
    parent.slot.send({ kind: "log-level", level: 1 });
    await parent.slot.retire();
    expect(parent.story().slice(2)).toEqual(["INFO Worker 7 (pid P1) killed by signal 15", "INFO exited 7 P1"]);
    expect(parent.alive).toEqual([]);
  });

  test("is not filled again when it is retired while its process makes room", async () => {
    await using parent = new Parent(SLEEP);
    parent.slot.renew();
    await parent.slot.retire();
    expect(parent.story().at(-1)).toBe("INFO exited 7 P1");
  });

  test("can be filled again: at once, or when the old process is gone", async () => {
    await using parent = new Parent(SLEEP);
    parent.slot.refill();
    expect(parent.pids).toHaveLength(1);
    await parent.slot.retire();
    parent.slot.refill();
    expect(parent.pids).toHaveLength(2);
    const retired = parent.slot.retire();
    parent.slot.refill();
    expect(parent.pids).toHaveLength(2);
    await parent.untilLine("INFO Spawned worker 7 with pid P3");
    expect(parent.alive).toEqual(parent.pids.slice(2));
    await Promise.all([retired, parent.slot.retire()]);
    expect(parent.alive).toEqual([]);
  });

  test("waits when a program cannot even be started", async () => {
    await using parent = new Parent(["/nonexistent/program"]);
    const attempt = ["INFO launch 7", "ERROR Cannot start worker 7: no such file or directory"];
    const again = ["INFO Restarting worker 7", ...attempt];
    expect(parent.log.lines).toEqual([
      ...attempt,
      ...again,
      ...again,
      ...again,
      "ERROR Worker 7 restart rate limited (3 restarts in 5 seconds)",
    ]);
    await parent.slot.retire();
    expect(parent.slot.isOver).toBe(true);
  });
});

describe("in time", () => {
  test.concurrent(
    "a process that crashes at once is restarted three times in five seconds, and so on",
    async () => {
      await using parent = new Parent(CRASH);
      const limited = () => parent.log.lines.filter((line) => line.includes("rate limited")).length;
      await until(() => limited() === 1, WAIT_MS, "the rate limit");
      const firstRestart = performance.now();
      expect(parent.pids).toHaveLength(4);
      expect(parent.log.lines.at(-1)).toBe("ERROR Worker 7 restart rate limited (3 restarts in 5 seconds)");
      parent.slot.renew();
      parent.slot.send({ kind: "log-level", level: 1 });
      await parent.untilLine("INFO Rate limit expired, restarting worker 7", RESTARTS_WITHIN_MS + WAIT_MS);
      expect(performance.now() - firstRestart).toBeGreaterThan(RESTARTS_WITHIN_MS - 1000);
      await until(() => limited() === 2, WAIT_MS, "the rate limit once more");
      expect(parent.pids.length).toBeGreaterThan(4);
      expect(parent.pids.length).toBeLessThanOrEqual(7);
    },
    TEST_MS,
  );

  test.concurrent(
    "a process that does not end is killed",
    async () => {
      const directory = mkdtempSync(join(tmpdir(), "sluice-slot-"));
      const deaf = `trap "" TERM; touch ${directory}/deaf; while :; do sleep 0.1; done`;
      await using parent = new Parent(["sh", "-c", deaf]);
      await until(() => existsSync(join(directory, "deaf")), WAIT_MS, "the process to be deaf");
      const began = performance.now();
      await parent.slot.retire();
      expect(performance.now() - began).toBeGreaterThan(STOP_TIMEOUT_MS - 100);
      expect(parent.story().at(-2)).toBe("WARN Worker 7 (pid P1) killed by signal 9");
      expect(parent.alive).toEqual([]);
      rmSync(directory, { recursive: true });
    },
    TEST_MS,
  );
});
