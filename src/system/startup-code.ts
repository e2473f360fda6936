/** Gives back the memory that only the start needed. */
import { readFileSync } from "node:fs";
import { libc } from "./libc.ts";

const MADV_DONTNEED = 4;
/** Address range, then permissions `r-xp`, then offset, device, inode and path, as in /proc/PID/maps. */
const CODE_MAPPING = /^([0-9a-f]+)-([0-9a-f]+) r-xp [0-9a-f]+ \S+ [1-9]\d* +(\/.*)$/;

/** By then nothing of the start is still going on. */
const STARTED_AFTER_MS = 1000;

/** Gives memory back when the start is over. The answer calls that off. */
export function settleAfterStart(afterMs = STARTED_AFTER_MS): () => void {
  const timer = setTimeout(() => {
    Bun.gc(true);
    dropStartupCode();
  }, afterMs).unref();
  return () => clearTimeout(timer);
}

/**
 * Takes the executable's code pages out of our memory; what is used again comes back from the page cache by itself. The code
 * is mapped from the file and never written to, so nothing can be lost. A start runs through some 15 MB of code that a
 * running relay never sees again, which counts on a router with 128 MB.
 */
function dropStartupCode(): void {
  if (!libc) return;
  for (const line of ownMaps().split("\n")) {
    const [, from = "", to = "", path] = CODE_MAPPING.exec(line) ?? [];
    if (path !== process.execPath) continue;
    const start = Number.parseInt(from, 16);
    libc.madvise(start as never, Number.parseInt(to, 16) - start, MADV_DONTNEED);
  }
}

/** Nothing where clients have taken every descriptor meanwhile, or without /proc: then memory stays as it is. */
function ownMaps(): string {
  try {
    return readFileSync("/proc/self/maps", "utf8");
  } catch {
    return "";
  }
}
