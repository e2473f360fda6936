/** Which file a path leads to, whatever it is called: device and inode. */
import { type BigIntStats, fstatSync, lstatSync, statSync, unlinkSync } from "node:fs";

export interface FileIdentity {
  readonly device: bigint;
  readonly inode: bigint;
}

function identity({ dev, ino }: BigIntStats): FileIdentity {
  return { device: dev, inode: ino };
}

/** @throws as `fstat` does */
export function identityOfDescriptor(fd: number): FileIdentity {
  return identity(fstatSync(fd, { bigint: true }));
}

/** Of the path itself, be it a symbolic link; undefined where nothing can be found. */
export function identityOfPath(path: string): FileIdentity | undefined {
  return tryStat(() => lstatSync(path, { bigint: true }));
}

/** Of what the path denotes, through symbolic links; undefined where nothing can be found. */
export function identityBehindPath(path: string): FileIdentity | undefined {
  return tryStat(() => statSync(path, { bigint: true }));
}

function tryStat(stat: () => BigIntStats): FileIdentity | undefined {
  try {
    return identity(stat());
  } catch {
    return undefined;
  }
}

export function sameFile(a: FileIdentity | undefined, b: FileIdentity | undefined): boolean {
  return a !== undefined && b !== undefined && a.device === b.device && a.inode === b.inode;
}

/** Removes what we have put there, unless the path leads to something else by now. Never throws. */
export function unlinkIfSame(path: string, ours: FileIdentity): void {
  try {
    if (sameFile(identityOfPath(path), ours)) unlinkSync(path);
  } catch {
    // Somebody else was faster, or the directory is no longer writable: nothing that the end of a process could mend.
  }
}
