/** Lines for somebody who may have stopped reading them, and for whom nobody waits (config.md sections 13, 14). */
import { constants, fstatSync, openSync, writeSync } from "node:fs";
import { errorCode } from "./errno.ts";
import { errno, type Libc, libc } from "./libc.ts";
import { SystemCallError } from "./socket.ts";

/** What is kept for a reader that does not keep up. */
const WAITING_MAX_BYTES = 256 * 1024;
/** How often it is looked whether it reads again. */
const RETRY_MS = 100;
/** What a process that ends leaves to its reader. */
const EXIT_FLUSH_MS = 100;
/** So much a pipe takes at once when it takes anything (pipe(7)). */
const PIPE_BUF = 4096;

const { O_WRONLY, O_APPEND, O_NONBLOCK, O_NOCTTY } = constants;
const F_GETFL = 3;
const EAGAIN = 11;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const POLLOUT = 4;

/** Takes a beginning of the bytes, perhaps nothing of them; never waits. @throws when nothing will ever be taken */
type Send = (bytes: Uint8Array) => number;

export class LineOutput {
  readonly #send: Send;
  readonly #onLost: (lines: number) => string | undefined;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #lost = 0;
  #timer: Timer | undefined;

  /** @param onLost lines have been lost, and now it flows again; the answer, a line, is written in their place */
  constructor(fd: number, onLost: (lines: number) => string | undefined) {
    this.#send = sender(fd);
    this.#onLost = onLost;
  }

  /**
   * Writes a line at once, or as soon as its reader reads.
   * @param line with its newline
   * @throws what the system says of anything but a slow reader; then what waits is dropped
   */
  write(line: Uint8Array): void {
    this.#drain();
    let rest = line;
    if (this.#waiting.length === 0) rest = line.subarray(this.#sendOrDrop(line));
    if (rest.length > 0) this.#keep(rest);
  }

  /** Drops what waits, and tells. */
  close(): void {
    const lost = this.#lost + this.#waiting.length;
    this.#waiting = [];
    this.#waitingBytes = this.#lost = 0;
    this.#rest();
    if (lost > 0) this.#onLost(lost);
  }

  #keep(line: Uint8Array): void {
    if (!this.#timer) {
      this.#timer = setInterval(this.#retry, RETRY_MS).unref();
      process.on("exit", this.#finish);
    }
    if (this.#waitingBytes + line.length > WAITING_MAX_BYTES) {
      this.#lost++;
      return;
    }
    this.#tellLost();
    this.#push(line);
  }

  #push(line: Uint8Array): void {
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
  }

  #tellLost(): void {
    if (this.#lost === 0) return;
    const line = this.#onLost(this.#lost);
    this.#lost = 0;
    if (line !== undefined) this.#push(Buffer.from(line));
  }

  /** Sends as much of what waits as is taken. */
  #drain(): void {
    while (this.#waiting.length > 0) {
      const [line] = this.#waiting as [Uint8Array];
      const sent = this.#sendOrDrop(line);
      this.#waitingBytes -= sent;
      if (sent < line.length) {
        this.#waiting[0] = line.subarray(sent);
        return;
      }
      this.#waiting.shift();
      if (this.#waiting.length === 0) this.#tellLost();
    }
    this.#rest();
  }

  #sendOrDrop(bytes: Uint8Array): number {
    try {
      return this.#send(bytes);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  #rest(): void {
    if (!this.#timer) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    process.off("exit", this.#finish);
  }

  readonly #retry = (): void => {
    try {
      this.#drain();
    } catch {
      // Nobody will read it any more, and there is nobody else to tell.
    }
  };

  readonly #finish = (): void => {
    const end = performance.now() + EXIT_FLUSH_MS;
    for (this.#retry(); this.#waiting.length > 0 && performance.now() < end; this.#retry()) Bun.sleepSync(1);
  };
}

/**
 * A descriptor for what an inherited one leads to, to which no write waits. That is a flag of the open file, which the shell
 * before us has open too, and which the runtime clears for its children: so a pipe or a terminal is opened anew.
 * Where that is not allowed (a pipe of another user), the same descriptor is the answer, and `sender` asks before each write.
 */
export function openAnew(fd: number): number {
  if (!libc || kindOf(fd) !== "waits") return fd;
  try {
    return openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY);
  } catch {
    return fd;
  }
}

/** `waits`: a pipe or a terminal whose writers wait for its reader. */
function kindOf(fd: number): "socket" | "waits" | "other" {
  try {
    const stat = fstatSync(fd);
    if (stat.isSocket()) return "socket";
    const isBlocking = !libc || (libc.fcntl(fd, F_GETFL, null) & O_NONBLOCK) === 0;
    return isBlocking && (stat.isFIFO() || stat.isCharacterDevice()) ? "waits" : "other";
  } catch {
    return "other";
  }
}

function sender(fd: number): Send {
  const kind = kindOf(fd);
  const c = libc;
  if (c && kind === "socket") return (bytes) => sendNow(c, fd, bytes);
  if (c && kind === "waits") return (bytes) => (isWritable(c, fd) ? writeNow(fd, bytes.subarray(0, PIPE_BUF)) : 0);
  return (bytes) => writeNow(fd, bytes);
}

function writeNow(fd: number, bytes: Uint8Array): number {
  try {
    return writeSync(fd, bytes);
  } catch (error) {
    if (errorCode(error) === "EAGAIN") return 0;
    throw error;
  }
}

function sendNow(c: Libc, fd: number, bytes: Uint8Array): number {
  const sent = c.sendto(fd, bytes, bytes.length, MSG_DONTWAIT | MSG_NOSIGNAL, null, 0);
  if (sent >= 0) return sent;
  const number = errno(c);
  if (number === EAGAIN) return 0;
  throw new SystemCallError("send", number);
}

/** True too when a write would fail. */
function isWritable(c: Libc, fd: number): boolean {
  // struct pollfd: descriptor, then events and revents of 16 bits each
  return c.poll(Int32Array.of(fd, POLLOUT), 1, 0) !== 0;
}

/** Shows text on `fd`; also when nobody reads it, what the program does goes on. */
export function printer(fd: number): (text: string) => void {
  let output: LineOutput | undefined;
  return (text) => {
    output ??= new LineOutput(openAnew(fd), () => undefined);
    try {
      output.write(Buffer.from(text));
    } catch {
      // Nobody will.
    }
  };
}
