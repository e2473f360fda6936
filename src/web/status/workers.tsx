/** The processes that serve. */
import type { ReadPool, ReadWorker } from "../../wire/status/event.ts";
import { usePage } from "./context.ts";
import { formatBandwidth, formatBytes, formatCount, formatPercent, UNKNOWN } from "./format.ts";
import { Bar, Pair, Section } from "./section.tsx";

/** status.md section 1, percent. */
const FULL_POOL = 90;
const BUSY_POOL = 70;

export function Workers({ workers }: { workers: readonly ReadWorker[] }) {
  const { text } = usePage();
  return (
    <Section id="workers" title={text("workers")} count={workers.length}>
      {workers.length === 0 && <p class="empty">{text("noWorkers")}</p>}
      <ul class="workers num">
        {workers.map((worker, index) => (
          <WorkerCard key={worker.id ?? index} worker={worker} />
        ))}
      </ul>
    </Section>
  );
}

function WorkerCard({ worker }: { worker: ReadWorker }) {
  const { text, unit } = usePage();
  const { send } = worker;
  const isRunning = worker.pid !== 0;
  // EAGAIN and ENOBUFS: sends that the kernel refused.
  const refusals =
    send.eagain === undefined && send.enobufs === undefined ? undefined : (send.eagain ?? 0) + (send.enobufs ?? 0);
  return (
    <li class={`entry ${isRunning ? "" : "trouble"}`}>
      <h3>
        {text("workerId", { id: worker.id ?? UNKNOWN })}
        <span class={isRunning ? "sub" : "alarm"}>
          {isRunning ? text("pid", { pid: worker.pid ?? UNKNOWN }) : text("notRunning")}
        </span>
      </h3>
      <dl class="pairs">
        <Pair name={text("clients")} value={formatCount(worker.activeClients)} />
        <Pair name={text("bandwidth")} value={formatBandwidth(worker.totalBandwidth, unit)} />
        <Pair name={text("sent")} value={formatBytes(worker.totalBytes)} />
        <Pair name={text("sends")} value={formatCount(send.total)} />
        <Pair name={text("batches")} value={formatCount(send.batch)} />
        <Pair name={text("refusals")} value={formatCount(refusals)} />
      </dl>
      <Pool name={text("mediaPool")} pool={worker.pool} />
      <Pool name={text("controlPool")} pool={worker.controlPool} />
    </li>
  );
}

function Pool({ name, pool }: { name: string; pool: ReadPool }) {
  const { text } = usePage();
  const { utilization, used, total, max } = pool;
  const tone = (utilization ?? 0) >= FULL_POOL ? "bad" : (utilization ?? 0) >= BUSY_POOL ? "warn" : "calm";
  return (
    <div class="pool">
      <p>
        {name} <span class="pool-percent">{formatPercent(utilization)}</span>
      </p>
      <Bar percent={utilization} tone={tone} />
      <p class="sub">
        {text("poolUsage", { used: formatCount(used), total: formatCount(total), max: formatCount(max) })}
      </p>
    </div>
  );
}
