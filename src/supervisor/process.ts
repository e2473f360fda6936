/** The process of the supervisor: it runs until a signal ends it, and starts the workers with its own program. */
import type { ReloadSettings } from "../config/load.ts";
import type { Settings } from "../config/settings.ts";
import { LogRing } from "../status/log-ring.ts";
import { raiseDescriptorLimit } from "../system/descriptors.ts";
import { printer } from "../system/line-output.ts";
import { createLog, isTerminal } from "../system/log.ts";
import { PidFileError } from "../system/pid-file.ts";
import { PrivilegeError } from "../system/privileges.ts";
import { settleAfterStart } from "../system/startup-code.ts";
import { UnixSocketError } from "../system/unix-socket.ts";
import { NothingToListenError } from "./owned-resources.ts";
import { Supervisor } from "./supervisor.ts";

const STDOUT = 1;
/** In an executable, the main file is in a file system of its own. */
const EMBEDDED = "/$bunfs/";

interface Supervision {
  readonly settings: Settings;
  readonly reload: ReloadSettings;
  /** What else to stop. */
  readonly onStop?: () => void;
  /** False: the caller says where this relay is. Default true. */
  readonly hasBanner?: boolean;
}

/**
 * Starts the workers; the answer is there when they accept connections. SIGTERM and SIGINT end the process with status 0;
 * what cannot be started ends it with status 1.
 */
export async function supervise({ settings, reload, onStop, hasBanner = true }: Supervision): Promise<Supervisor> {
  const logRing = new LogRing();
  const log = createLog({
    level: settings.verbosity,
    prefix: "Supervisor",
    onLine: (line) => logRing.append(line),
  });
  log.info(`Open files and sockets: up to ${raiseDescriptorLimit()} in each process`);
  const supervisor = new Supervisor({
    settings,
    reload,
    log,
    logRing,
    workerCommand: workerCommand(),
    print: isTerminal(STDOUT) ? printer(STDOUT) : undefined,
    hasBanner,
  });
  const stop = async () => {
    await supervisor.stop();
    onStop?.();
    process.exit(0);
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("SIGHUP", () => supervisor.reload("signal"));
  process.on("SIGUSR1", () => supervisor.renewWorkers("signal"));
  try {
    await supervisor.start();
  } catch (error) {
    if (!isStartError(error)) throw error;
    log.fatal(error.message);
    process.exit(1);
  }
  settleAfterStart();
  await supervisor.ready;
  return supervisor;
}

function isStartError(error: unknown): error is Error {
  return (
    error instanceof NothingToListenError ||
    error instanceof PidFileError ||
    error instanceof PrivilegeError ||
    error instanceof UnixSocketError
  );
}

/** How to start this program again. */
function workerCommand(): string[] {
  const main = Bun.main.startsWith(EMBEDDED) ? [] : [Bun.main];
  return [process.execPath, ...main, "worker"];
}
