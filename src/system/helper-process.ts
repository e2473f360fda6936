/** What all programs have in common that work for us beside the streams. */
import { constants, setPriority } from "node:os";

/** A process runs, or has ended: somebody else is to end it if we no longer can. */
export type OnHelperProcess = (pid: number, isRunning: boolean) => void;

/** Streams go first. */
export function lowerPriority(pid: number): void {
  try {
    setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // It has ended already.
  }
}

/** All of a stream, at most `most` bytes; what follows is not read. */
export async function firstBytes(stream: ReadableStream<Uint8Array>, most: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let left = most;
  for await (const chunk of stream) {
    chunks.push(chunk.subarray(0, left));
    left -= chunk.length;
    if (left <= 0) break;
  }
  return Buffer.concat(chunks);
}
