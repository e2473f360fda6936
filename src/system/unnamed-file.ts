/** Files without a name: they are gone with the last process that has them open, and until then other processes may open them too. */
import { closeSync, openSync } from "node:fs";
import { type FileHandle, open, unlink } from "node:fs/promises";
import { join } from "node:path";
import { errorCode } from "./errno.ts";
import { type FileIdentity, identityOfDescriptor, sameFile } from "./file-identity.ts";
import { createMemoryDescriptor } from "./shared-memory.ts";
import { closeSocket } from "./socket.ts";

/** Which open file of which process. The file may be closed, and another one have its number, when somebody comes to open it. */
export interface FileReference extends FileIdentity {
  readonly pid: number;
  readonly fd: number;
}

/**
 * A new file to write and read.
 * @throws as `open` does
 */
export async function createUnnamedFile(directory: string): Promise<FileHandle> {
  const path = join(directory, `sluice-${crypto.randomUUID()}`);
  const handle = await open(path, "wx+", 0o600);
  await unlink(path);
  return handle;
}

/**
 * A new file to write and read, in memory.
 * @throws where the system has none
 */
export async function createMemoryFile(): Promise<FileHandle> {
  const fd = createMemoryDescriptor();
  try {
    return await open(`/proc/self/fd/${fd}`, "r+");
  } finally {
    closeSocket(fd);
  }
}

/** For a process of the same user. It is good for as long as our file stays open. */
export function referenceTo({ fd }: FileHandle): FileReference {
  return { pid: process.pid, fd, ...identityOfDescriptor(fd) };
}

/**
 * Opens the file for reading, from its beginning (proc(5): `/proc/PID/fd`).
 * @returns undefined when it is closed by now
 * @throws as `open` does, where processes may not look at each other
 */
export async function openReference(reference: FileReference): Promise<FileHandle | undefined> {
  try {
    // From the main thread, which may have capabilities that other threads lack (`privileges.ts`), and so look at more processes.
    const ours = openSync(`/proc/${reference.pid}/fd/${reference.fd}`, "r");
    const handle = await open(`/proc/self/fd/${ours}`, "r").finally(() => closeSync(ours));
    if (sameFile(identityOfDescriptor(handle.fd), reference)) return handle;
    await handle.close();
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
  }
  return undefined;
}
