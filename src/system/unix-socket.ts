/** One listening Unix socket: what may be at its path before, and what is removed after (config.md section 11). */
import { lstatSync, unlinkSync } from "node:fs";
import { errorReason } from "./errno.ts";
import { type FileIdentity, identityOfPath, sameFile, unlinkIfSame } from "./file-identity.ts";
import { errno, libc } from "./libc.ts";
import { openListeningSocket } from "./listening-socket.ts";
import { closeSocket, openSocket, SOCK_STREAM, SystemCallError } from "./socket.ts";

const AF_UNIX = 1;
const ENOENT = 2;
const EAGAIN = 11;
const ECONNREFUSED = 111;
/** What fits into Linux's `sun_path` in front of its terminator. */
const PATH_MAX_BYTES = 107;
/** `sun_family`. */
const FAMILY_BYTES = 2;

/** No socket can be made at this path, or not these sockets together. */
export class UnixSocketError extends Error {
  readonly code:
    | "invalid-path"
    | "path-too-long"
    | "not-a-socket"
    | "in-use"
    | "not-verified"
    | "duplicate"
    | "too-many"
    | "failed";

  constructor(code: UnixSocketError["code"], message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

export interface UnixListener {
  readonly path: string;
  readonly fd: number;
  /** The file at `path`. The descriptor itself is another inode. */
  readonly file: FileIdentity;
}

/**
 * Listens at `path`, and removes what a dead process has left there. The file's mode follows the umask.
 * @throws UnixSocketError
 */
export function openUnixListener(path: string): UnixListener {
  const problem = unixPathProblem(path);
  if (problem) throw problem;
  try {
    makeRoom(path);
    const fd = openListeningSocket(AF_UNIX, unixAddress(path));
    const file = identityOfPath(path);
    if (file) return { path, fd, file };
    closeSocket(fd);
    throw new Error("the socket vanished");
  } catch (error) {
    if (error instanceof UnixSocketError) throw error;
    throw new UnixSocketError("failed", `Cannot listen on Unix socket ${path}: ${errorReason(error)}`, error);
  }
}

/** Why no socket can ever be at this path. */
export function unixPathProblem(path: string): UnixSocketError | undefined {
  if (!/^\/[^ \t\r\n\0]*$/.test(path))
    return new UnixSocketError("invalid-path", `Invalid Unix socket bind path: ${path}`);
  if (Buffer.byteLength(path) <= PATH_MAX_BYTES) return undefined;
  return new UnixSocketError("path-too-long", `Unix socket path is too long: ${path}`);
}

/** Whether clients that connect to the path still come to us. */
export function isInPlace(listener: UnixListener): boolean {
  return sameFile(identityOfPath(listener.path), listener.file);
}

/** Stops to listen as far as this process is concerned, and removes the file if it is still ours. */
export function closeUnixListener(listener: UnixListener): void {
  unlinkIfSame(listener.path, listener.file);
  closeSocket(listener.fd);
}

function makeRoom(path: string): void {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (!there) return;
  if (!there.isSocket()) {
    throw new UnixSocketError("not-a-socket", `Unix socket path exists and is not a socket: ${path}`);
  }
  const number = probe(path);
  if (number === ENOENT) return;
  // A full backlog is somebody's, too.
  if (number === 0 || number === EAGAIN) {
    throw new UnixSocketError("in-use", `Unix socket path is already in use: ${path}`);
  }
  if (number !== ECONNREFUSED) {
    const reason = errorReason(new SystemCallError("connect", number));
    throw new UnixSocketError("not-verified", `Cannot verify Unix socket path is stale: ${path}: ${reason}`);
  }
  unlinkSync(path);
}

/** The `errno` of an attempt to connect; 0 when it succeeds. */
function probe(path: string): number {
  const fd = openSocket(AF_UNIX, SOCK_STREAM);
  try {
    const address = unixAddress(path);
    return libc && libc.connect(fd, address, address.length) < 0 ? errno(libc) : 0;
  } finally {
    closeSocket(fd);
  }
}

/** `struct sockaddr_un` */
function unixAddress(path: string): Uint8Array {
  const bytes = new Uint8Array(FAMILY_BYTES + Buffer.byteLength(path) + 1);
  new DataView(bytes.buffer).setUint16(0, AF_UNIX, true);
  new TextEncoder().encodeInto(path, bytes.subarray(FAMILY_BYTES));
  return bytes;
}
