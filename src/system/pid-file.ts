/** The supervisor's PID file, which is locked for as long as the process lives (config.md section 12). */
import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync, writeSync } from "node:fs";
import { resolve } from "node:path";
import { errorCode, errorReason } from "./errno.ts";
import {
  type FileIdentity,
  identityBehindPath,
  identityOfDescriptor,
  identityOfPath,
  sameFile,
  unlinkIfSame,
} from "./file-identity.ts";
import { libc } from "./libc.ts";
import type { Log } from "./log.ts";
import { tryLockFile } from "./record-lock.ts";

const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;
/** A pipe must not make us wait, nor a terminal become ours. */
const OPEN_FLAGS = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
const MODE = 0o644;
/** How often the file may be removed by its last owner just while we lock it. */
const LOCK_ATTEMPTS = 5;
/** How opening fails on a symbolic link, a directory and a socket. */
const NOT_A_FILE = ["ELOOP", "EISDIR", "ENXIO"];

/** There can be no PID file at this path. */
export class PidFileError extends Error {
  readonly code: "pid-file-locked" | "pid-file-not-regular" | "pid-file-failed";

  constructor(code: PidFileError["code"], message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

interface HeldFile extends FileIdentity {
  readonly path: string;
  readonly fd: number;
}

/** A reload's change of the PID file that can still be taken back. Call one of the two, once. */
interface PidFileMove {
  /** Removes the old file. */
  commit(): void;
  /** Removes the new file; the old one has been ours all the time. */
  rollback(): void;
}

const NO_MOVE: PidFileMove = { commit() {}, rollback() {} };

/**
 * The PID file of this process, if it has one.
 *
 * While it is held, nobody in this process may open and close the same file, to read it for example: the kernel
 * would drop the lock (fcntl(2)).
 */
export class PidFile {
  readonly #log: Log;
  #held: HeldFile | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * Creates, locks and writes the file.
   * @param path relative to the working directory of this moment
   * @throws PidFileError and leaves the content of a file that is in use untouched
   */
  acquire(path: string): void {
    this.prepareMove(path).commit();
  }

  /**
   * Creates the file at its new path while the old one stays. Nothing happens when that is the file we hold already.
   * @param path undefined for no PID file
   * @throws PidFileError with the old file still held
   */
  prepareMove(path: string | undefined): PidFileMove {
    const before = this.#held;
    if (path === undefined ? !before : sameFile(identityBehindPath(path), before)) return NO_MOVE;
    const after = path === undefined ? undefined : this.#create(resolve(path));
    return {
      commit: () => {
        this.#held = after;
        if (before) release(before);
      },
      rollback: () => {
        if (after) release(after);
      },
    };
  }

  /** Removes the file if its path still leads to it. */
  remove(): void {
    this.prepareMove(undefined).commit();
  }

  #create(path: string): HeldFile {
    const file = openLocked(path, this.#log);
    try {
      ftruncateSync(file.fd, 0);
      writeSync(file.fd, `${process.pid}\n`, 0);
      fsyncSync(file.fd);
    } catch (error) {
      release(file);
      throw new PidFileError("pid-file-failed", `Cannot write PID file ${path}: ${errorReason(error)}`, error);
    }
    this.#log.info(`Wrote supervisor PID ${process.pid} to ${path}`);
    return file;
  }
}

/** Unlinks before it unlocks, so that the next owner never locks a file that is about to vanish. */
function release(file: HeldFile): void {
  unlinkIfSame(file.path, file);
  // A user who may not remove it at least leaves no number in it that is another's soon.
  if (sameFile(identityOfPath(file.path), file)) ftruncateSync(file.fd, 0);
  closeSync(file.fd);
}

function openLocked(path: string, log: Log): HeldFile {
  for (let attempt = 0; attempt < LOCK_ATTEMPTS; attempt++) {
    const fd = openFile(path);
    try {
      const file = { path, fd, ...lock(path, fd, log) };
      if (sameFile(identityOfPath(path), file)) return file;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    closeSync(fd);
  }
  throw new PidFileError("pid-file-failed", `Cannot open PID file ${path}: it is being replaced all the time`);
}

function openFile(path: string): number {
  try {
    return openSync(path, OPEN_FLAGS, MODE);
  } catch (error) {
    if (NOT_A_FILE.includes(errorCode(error) ?? "")) throw notRegular(path);
    throw new PidFileError("pid-file-failed", `Cannot open PID file ${path}: ${errorReason(error)}`, error);
  }
}

function lock(path: string, fd: number, log: Log): FileIdentity {
  if (!fstatSync(fd).isFile()) throw notRegular(path);
  if (!libc) log.warn(`PID file is not locked, because the C library cannot be opened: ${path}`);
  else if (!takeLock(path, fd)) {
    throw new PidFileError("pid-file-locked", `PID file is already locked by another process: ${path}`);
  }
  return identityOfDescriptor(fd);
}

/** False when another process has the lock. */
function takeLock(path: string, fd: number): boolean {
  try {
    return tryLockFile(fd);
  } catch (error) {
    throw new PidFileError("pid-file-failed", `Cannot lock PID file ${path}: ${errorReason(error)}`, error);
  }
}

function notRegular(path: string): PidFileError {
  return new PidFileError("pid-file-not-regular", `PID file path is not a regular file: ${path}`);
}
