/** The command `serve`: one worker in this process until a signal ends it. */
import type { Reload } from "../config/load.ts";
import type { Settings } from "../config/settings.ts";
import type { IndexChannel } from "../routes/index-page.ts";
import { createLog } from "../system/log.ts";
import { NothingToListenError, startWorker, type Worker } from "../worker/worker.ts";

/** Serves until SIGTERM or SIGINT, which end the process with status 0. Nothing to listen on ends it with status 1. */
export async function serve(settings: Settings, _reload: () => Reload): Promise<void> {
  runWorker(settings, []);
}

/** @param onStop what else to stop */
export function runWorker(settings: Settings, channels: readonly IndexChannel[], onStop?: () => void): Worker {
  const log = createLog({ level: settings.verbosity, prefix: "Worker 0" });
  let worker: Worker;
  try {
    worker = startWorker(settings, log, channels);
  } catch (error) {
    if (!(error instanceof NothingToListenError)) throw error;
    log.fatal(error.message);
    process.exit(1);
  }
  const stop = () => {
    worker.stop();
    onStop?.();
    process.exit(0);
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  return worker;
}
