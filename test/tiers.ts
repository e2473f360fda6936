/** Which test files belong to the quick tier, `bun run check:quick`: those that are pure, or do all they do in one process. */

import { readFileSync } from "node:fs";
import { join } from "node:path";

/** Beginnings of paths: they start the program or a browser, build it, or wait for its timers. */
const WHOLE_ONLY: readonly string[] = [
  "test/e2e/",
  "test/build/",
  // The timers of a session in real time.
  "test/routes/rtsp",
  "test/routes/snapshot.test.ts",
  "test/upstream/http/session.test.ts",
  "test/upstream/rtsp/connector.test.ts",
  "test/http/connection.test.ts",
  "test/relay/slow-clients.test.ts",
  // What they test starts processes.
  "test/supervisor/worker-slot.test.ts",
  "test/system/ffmpeg.test.ts",
];

/** Starts a process, or imports a helper that does. */
const STARTS_PROCESS =
  /\bBun\.spawn|\bspawnSync\b|from "[^"]*\/(namespace|nginx|browser|player-pages|player-server|harness|status-server)\.ts"/;

/** @param file path of a test file, from the root of the project */
export function isQuick(root: string, file: string): boolean {
  if (WHOLE_ONLY.some((beginning) => file.startsWith(beginning))) return false;
  return !STARTS_PROCESS.test(readFileSync(join(root, file), "utf8"));
}
