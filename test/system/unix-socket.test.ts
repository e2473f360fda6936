import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { errno, libc } from "../../src/system/libc.ts";
import { bindSocket, closeSocket, openSocket, SOCK_DGRAM, SOCK_STREAM } from "../../src/system/socket.ts";
import { closeUnixListener, isInPlace, openUnixListener, type UnixListener } from "../../src/system/unix-socket.ts";
import { errorOf } from "../fakes/error-of.ts";
import { openSockets } from "../fakes/namespace.ts";
import { within } from "../fakes/until.ts";

const AF_UNIX = 1;
const EAGAIN = 11;
/** More than any backlog. */
const BACKLOG_BOUND = 5000;
const PATH_MAX_BYTES = 107;
const ANSWER_MS = 5000;

let directory = "";
const open: UnixListener[] = [];
const workers: Bun.Subprocess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sluice-unix-"));
});
afterEach(() => {
  for (const child of workers.splice(0)) child.kill("SIGKILL");
  for (const listener of open.splice(0)) closeUnixListener(listener);
  rmSync(directory, { recursive: true, force: true });
});

function at(name: string): string {
  return join(directory, name);
}

function listenAt(path: string): UnixListener {
  const listener = openUnixListener(path);
  open.push(listener);
  return listener;
}

/** Leaves a socket file behind as a killed process does. */
function staleSocket(path: string): void {
  const fd = openSocket(AF_UNIX, SOCK_STREAM);
  bindSocket(fd, unixAddress(path));
  closeSocket(fd);
}

function unixAddress(path: string): Uint8Array {
  return Buffer.from(`\x01\0${path}\0`);
}

/** `errno` of an attempt to connect; 0 when it succeeds. */
function connectErrno(path: string): number {
  const fd = openSocket(AF_UNIX, SOCK_STREAM);
  const address = unixAddress(path);
  const number = libc!.connect(fd, address, address.length) < 0 ? errno(libc!) : 0;
  closeSocket(fd);
  return number;
}

/**
 * What the process that accepts at `path` says when it is asked. It must be asked: a client of Bun whose
 * server closes before the connection is noticed says ECONNRESET and drops what came.
 */
async function answerAt(path: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let text = "";
  const socket = await Bun.connect({
    unix: path,
    socket: {
      open: (connection) => void connection.write("?"),
      data: (_, bytes) => {
        text += bytes.toString();
      },
      end: (connection) => void connection.end(),
      close: () => resolve(text),
    },
  });
  try {
    return await within(promise, ANSWER_MS, "an answer");
  } finally {
    socket.terminate();
  }
}

/** A worker that adopts its descriptor 3 and answers any question with `name`. */
async function worker(fd: number, name: string) {
  const program = `
    Bun.listen({ fd: 3, socket: { data(socket) { socket.end(${JSON.stringify(name)}); } } });
    console.log("ready");`;
  const child = Bun.spawn([process.execPath, "-e", program], { stdio: ["ignore", "pipe", "inherit", fd] });
  workers.push(child);
  const ready = (child.stdout as ReadableStream<Uint8Array>).getReader().read();
  await within(ready, ANSWER_MS, "the worker");
  return child;
}

describe("a Unix listener", () => {
  test("is handed to one worker after another, and no connection is lost in between", async () => {
    const { fd } = listenAt(at("s"));
    const first = await worker(fd, "first");
    expect(await answerAt(at("s"))).toBe("first");
    first.kill("SIGKILL");
    await first.exited;
    const waiting = answerAt(at("s"));
    const second = await worker(fd, "second");
    expect(await waiting).toBe("second");
    second.kill("SIGKILL");
    await second.exited;
    expect(existsSync(at("s"))).toBe(true);
  });

  test("has the mode that the umask leaves", () => {
    const before = process.umask(0o027);
    try {
      listenAt(at("s"));
    } finally {
      process.umask(before);
    }
    expect(statSync(at("s")).mode & 0o777).toBe(0o750);
  });

  test("removes its file in the end, and leaves no descriptor", () => {
    const before = openSockets();
    closeUnixListener(openUnixListener(at("s")));
    expect(existsSync(at("s"))).toBe(false);
    expect(openSockets(before)).toEqual([]);
  });

  test.each(["file", "socket"])("leaves another's %s at its path alone", (kind) => {
    const listener = openUnixListener(at("s"));
    expect(isInPlace(listener)).toBe(true);
    renameSync(at("s"), at("moved"));
    if (kind === "file") writeFileSync(at("s"), "another's");
    else staleSocket(at("s"));
    expect(isInPlace(listener)).toBe(false);
    closeUnixListener(listener);
    expect(existsSync(at("s"))).toBe(true);
  });

  test("ends quietly when its file is gone", () => {
    const listener = openUnixListener(at("s"));
    unlinkSync(at("s"));
    expect(isInPlace(listener)).toBe(false);
    closeUnixListener(listener);
  });
});

describe("what is at the path before:", () => {
  test("a stale socket is replaced", async () => {
    staleSocket(at("s"));
    await worker(listenAt(at("s")).fd, "new here");
    expect(await answerAt(at("s"))).toBe("new here");
  });

  test("a socket that answers is in use and stays", async () => {
    const { fd } = listenAt(at("s"));
    expect(errorOf(() => openUnixListener(at("s")))).toMatchObject({
      code: "in-use",
      message: `Unix socket path is already in use: ${at("s")}`,
    });
    // The probe waits in the backlog as a client that leaves.
    await worker(fd, "still here");
    expect(await answerAt(at("s"))).toBe("still here");
  });

  test("a socket with a full backlog is in use", () => {
    listenAt(at("s"));
    // A client that leaves keeps its place until it is accepted.
    let attempts = 0;
    while (connectErrno(at("s")) !== EAGAIN) expect(++attempts).toBeLessThan(BACKLOG_BOUND);
    expect(errorOf(() => openUnixListener(at("s")))).toMatchObject({ code: "in-use" });
  });

  test("a socket that cannot be asked is refused with the reason", () => {
    const datagrams = openSocket(AF_UNIX, SOCK_DGRAM);
    bindSocket(datagrams, unixAddress(at("s")));
    expect(errorOf(() => openUnixListener(at("s")))).toMatchObject({
      code: "not-verified",
      message: `Cannot verify Unix socket path is stale: ${at("s")}: protocol wrong type for socket`,
    });
    closeSocket(datagrams);
    expect(existsSync(at("s"))).toBe(true);
  });

  const others: [string, () => void][] = [
    ["a file", () => writeFileSync(at("s"), "text")],
    ["a directory", () => mkdirSync(at("s"))],
    ["a link to nothing", () => symlinkSync(at("nothing"), at("s"))],
    [
      "a link to a stale socket",
      () => {
        staleSocket(at("target"));
        symlinkSync(at("target"), at("s"));
      },
    ],
  ];
  test.each(others)("%s is refused and stays", (_, make) => {
    make();
    const before = lstatSync(at("s"));
    expect(errorOf(() => openUnixListener(at("s")))).toMatchObject({
      code: "not-a-socket",
      message: `Unix socket path exists and is not a socket: ${at("s")}`,
    });
    expect(lstatSync(at("s")).ino).toBe(before.ino);
  });
});

describe("a path", () => {
  test("may be as long as the platform allows, in bytes", () => {
    // The name ends in a character of two bytes.
    const room = PATH_MAX_BYTES - Buffer.byteLength(at("é"));
    const longest = at(`${"x".repeat(room)}é`);
    expect(isInPlace(listenAt(longest))).toBe(true);
    expect(errorOf(() => openUnixListener(`${longest}x`))).toMatchObject({
      code: "path-too-long",
      message: `Unix socket path is too long: ${longest}x`,
    });
  });

  test.each(["s", "", "/a b", "/a\tb", "/a\r", "/a\nb", "/a\0b"])("%j is none", (path) => {
    expect(errorOf(() => openUnixListener(path))).toMatchObject({
      code: "invalid-path",
      message: `Invalid Unix socket bind path: ${path}`,
    });
  });

  test("where nothing can be made is refused with the reason", () => {
    expect(errorOf(() => openUnixListener(at("nowhere/s")))).toMatchObject({
      code: "failed",
      message: `Cannot listen on Unix socket ${at("nowhere/s")}: no such file or directory`,
    });
    writeFileSync(at("file"), "text");
    expect(errorOf(() => openUnixListener(at("file/s")))).toMatchObject({ code: "failed" });
    expect(readFileSync(at("file"), "utf8")).toBe("text");
  });
});
