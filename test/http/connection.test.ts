import { describe, expect, spyOn, test } from "bun:test";
import fc from "fast-check";
import type { RequestHandler } from "../../src/http/connection.ts";
import {
  Connection,
  type ConnectionParent,
  type ConnectionSocket,
  type StreamWriter,
} from "../../src/http/connection.ts";
import { emitHead, errorResponse, type StreamHead } from "../../src/http/response.ts";
import type { HttpClient } from "../fakes/http-client.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { until } from "../fakes/until.ts";
import { noise, TestServer } from "./serve.ts";

const MAX_BODY_BYTES = 4 * 1024 * 1024;
const MAX_HEAD_BYTES = 8192;

const STREAM: StreamHead = { status: 200, headers: [["Content-Type", "video/mp2t"]] };
const HEAD = emitHead(STREAM, []);
/** Writes of its own accord. */
const NO_WRITER: StreamWriter = { drained() {} };

/** Answers with what was asked for. */
const echo: RequestHandler = (request, connection) => {
  const { method, target } = request;
  connection.respond({ status: 200, headers: [], body: `${method} ${target} ${Buffer.from(request.body)}` });
};
const stream: RequestHandler = (_, connection) => connection.startStream(STREAM, NO_WRITER);

async function statusOf(client: HttpClient): Promise<number> {
  return (await client.head()).status;
}

/** Streams `media` as a cursor does: writes until the client is blocked, and on when it takes bytes again. */
function pump(connection: Connection, media: Uint8Array, done: () => void): void {
  let position = 0;
  const write = () => {
    while (position < media.length) {
      const length = Math.min(100_000, media.length - position);
      const taken = connection.write(media, position, length);
      position += taken;
      if (taken < length) return;
    }
    done();
  };
  connection.startStream(STREAM, { drained: write });
  write();
}

const begun: RequestHandler = (request, connection) => {
  stream(request, connection);
  connection.write(Buffer.from("media"), 0, 5);
};

/** As an upstream would, until the client's reset has come. */
function keepWriting(connection: Connection): void {
  if (connection.isClosed) return;
  connection.write(Buffer.from("media"), 0, 5);
  setTimeout(() => keepWriting(connection), 5);
}

describe("a request", () => {
  test("may come byte by byte", async () => {
    using server = new TestServer(echo);
    using client = await server.connect();
    for (const byte of "POST /x HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc") {
      client.send(byte);
      await Bun.sleep(0);
    }
    const { head, body } = await client.response();
    expect(head.raw).toBe("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    expect(body.toString()).toBe("POST /x abc");
  });

  test("is the only one of its connection", async () => {
    using server = new TestServer(echo);
    using client = await server.connect();
    client.send("GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n\0\0\0");
    client.send(new Uint8Array(100_000));
    expect((await client.response()).body.toString()).toBe("GET /1 ");
    client.send("GET /3 HTTP/1.1\r\n\r\n");
    client.halfClose();
    await server.idle();
    expect(client.error).toBeUndefined();
    expect(server.requests).toHaveLength(1);
  });

  test("may carry the largest body", async () => {
    using server = new TestServer(echo);
    using client = await server.connect();
    const body = noise(MAX_BODY_BYTES);
    client.send(`POST / HTTP/1.1\r\nContent-Length: ${body.length}\r\n\r\n`);
    client.send(body);
    await server.handled();
    expect(Buffer.from(body).equals(server.requests[0]!.body)).toBeTrue();
  });

  test("that expects it is told to continue", async () => {
    using server = new TestServer(echo);
    using client = await server.connect();
    client.request("POST", "/", { "Content-Length": "2", Expect: "100-continue" });
    expect((await client.head()).raw).toBe("HTTP/1.1 100 Continue\r\n\r\n");
    client.send("hi");
    expect((await client.response()).body.toString()).toBe("POST / hi");
  });
});

describe("a bad request is answered and the answer arrives", () => {
  const cases: [status: number, what: string, bytes: string][] = [
    [400, "junk", "\x16\x03\x01\r\n"],
    [400, "junk with much behind it", `\x16\x03\x01\r\n${"x".repeat(100_000)}`],
    [413, "a body too large", `POST / HTTP/1.1\r\nContent-Length: 10000000\r\n\r\n${"x".repeat(1_000_000)}`],
    [414, "a target of 3 KB", `GET /${"a".repeat(3000)} HTTP/1.1\r\n\r\n`],
    [431, "a header of 100 KB", `GET / HTTP/1.1\r\nA: ${"x".repeat(100_000)}\r\n\r\n`],
    [501, "a chunked body", "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"],
  ];
  test.each(cases)("%d for %s", async (status, _, bytes) => {
    using server = new TestServer(echo);
    using client = await server.connect();
    client.send(bytes);
    const { head, body } = await client.response();
    expect(head.status).toBe(status);
    expect(body.toString()).toStartWith(`<!doctype html><title>${status}</title>`);
    client.halfClose();
    await server.idle();
    expect(client.error).toBeUndefined();
    expect(server.requests).toBeEmpty();
  });

  test("431 while the header is still arriving", async () => {
    using server = new TestServer(echo);
    using client = await server.connect();
    client.send(`GET / HTTP/1.1\r\nA: ${"x".repeat(MAX_HEAD_BYTES)}`);
    await until(() => client.state === "ended", 5000, "the answer");
    for (let i = 0; i < 100; i++) client.send("x".repeat(1000));
    expect(await statusOf(client)).toBe(431);
    client.halfClose();
    await server.idle();
    expect(client.error).toBeUndefined();
  });

  test("without a body if it was HEAD", async () => {
    using server = new TestServer(echo);
    using client = await server.connect();
    client.send("HEAD / HTTP/1.1\r\nA : 1\r\n\r\n");
    const { head, body } = await client.response();
    expect(head.status).toBe(400);
    expect(body).toBeEmpty();
  });

  test("on pages of the caller's making", async () => {
    using server = new TestServer(echo, { errorResponse: (status) => errorResponse(status, [["X-Extra", "1"]]) });
    using client = await server.connect();
    client.send("junk\n");
    expect((await client.head()).headers.get("x-extra")).toBe("1");
  });

  test("503 when the bodies under way are too much to hold", async () => {
    using server = new TestServer(echo);
    const request = `POST / HTTP/1.1\r\nContent-Length: ${MAX_BODY_BYTES}\r\n\r\n`;
    const clients = await Promise.all(Array.from({ length: 9 }, () => server.connect()));
    for (const client of clients) client.send(request);
    const answered = () => clients.filter((client) => client.state !== "open");
    await until(() => answered().length > 0, 5000, "a refusal");
    const [refused] = answered();
    expect(await statusOf(refused!)).toBe(503);

    // The memory of a client that gives up serves another one.
    clients.find((client) => client !== refused)!.destroy();
    await until(() => server.listener.connections < 9, 5000, "the client to be gone");
    using late = await server.connect();
    late.request("POST", "/", { "Content-Length": "2", Expect: "100-continue" });
    expect(await statusOf(late)).toBe(100);
    for (const client of clients) client.destroy();
  });
});

describe("a local answer", () => {
  const page = noise(5_000_000);
  const answer: RequestHandler = (_, connection) => connection.respond({ status: 200, headers: [], body: page });

  for (const half of [false, true]) {
    test(`of 5 MB reaches a slow reader${half ? " that has half-closed" : ""}`, async () => {
      using server = new TestServer(answer, { timeouts: { lingerMs: 10_000 } });
      using client = await server.connect();
      client.pause();
      client.request("GET", "/");
      if (half) client.halfClose();
      await server.handled();
      client.readAtMost(20_000_000);
      await client.head();
      expect((await client.readToEnd()).equals(page)).toBeTrue();
      client.halfClose();
      await server.idle();
    });
  }

  test("to HEAD has the same headers and no body", async () => {
    using server = new TestServer(echo);
    using get = await server.connect();
    using head = await server.connect();
    get.request("GET", "/");
    head.request("HEAD", "/");
    const { raw } = await get.head();
    expect((await head.readToEnd()).toString()).toBe(raw);
  });

  test("is given once", async () => {
    using server = new TestServer((_, connection) => {
      connection.respond({ status: 200, headers: [], body: "one" });
      connection.respond({ status: 200, headers: [], body: "two" });
      connection.startStream(STREAM, NO_WRITER);
    });
    using client = await server.connect();
    client.request("GET", "/");
    expect((await client.response()).body.toString()).toBe("one");
  });

  test("waits for a client that does not take it, without a limit of ours", () => {
    const socket = new FakeSocket([10, 0]);
    const connection = socket.asked(() => {});
    const timers = spyOn(globalThis, "setTimeout");
    try {
      answer(undefined as never, connection);
      connection.drained();
      expect([socket.sent.length, timers.mock.calls.length]).toEqual([10, 0]);
      connection.drained();
      expect(socket.sent.subarray(-page.length).equals(page)).toBe(true);
      // Now it is the client's FIN that is awaited.
      expect(timers.mock.calls).toHaveLength(1);
    } finally {
      timers.mockRestore();
      connection.abort();
    }
  });
});

describe("a stream", () => {
  const media = noise(8_000_000);

  test("delivers every byte to a client that pauses, then its end", async () => {
    using server = new TestServer((_, connection) => pump(connection, media, () => connection.endStream()));
    using client = await server.connect();
    client.pause();
    client.request("GET", "/");
    const connection = await server.handled();
    expect(connection.write(media, 0, 1000)).toBe(0);
    client.readAtMost(40_000_000);
    expect((await client.head()).raw).toBe(HEAD.toString());
    expect((await client.readToEnd()).equals(media)).toBeTrue();
    client.halfClose();
    await server.idle();
    expect(client.error).toBeUndefined();
  });

  test("without media still has its head", async () => {
    using server = new TestServer((request, connection) => {
      stream(request, connection);
      connection.endStream();
    });
    using client = await server.connect();
    client.request("GET", "/");
    expect((await client.readToEnd()).toString()).toBe(HEAD.toString());
  });

  test("that has sent nothing can still be answered otherwise", async () => {
    using server = new TestServer((request, connection) => {
      stream(request, connection);
      connection.respond(errorResponse(503));
    });
    using client = await server.connect();
    client.request("GET", "/");
    expect(await statusOf(client)).toBe(503);
  });

  test("that runs is answered no other way, and ignores what the client sends", async () => {
    using server = new TestServer(stream);
    using client = await server.connect();
    client.request("GET", "/");
    const connection = await server.handled();
    connection.write(media, 0, 10);
    await client.head();
    client.send(new Uint8Array(300_000));
    connection.respond(errorResponse(503));
    connection.write(media, 10, 10);
    expect((await client.read(20)).equals(media.subarray(0, 20))).toBeTrue();
    expect(client.state).toBe("open");
  });

  type Leaving = [what: string, leave: (client: HttpClient, connection: Connection) => void];
  test.each<Leaving>([
    ["the client closes", (client) => client.destroy()],
    ["the client closes by a FIN and more is sent", (client, connection) => [client.close(), keepWriting(connection)]],
    ["we abort", (_, connection) => connection.abort()],
    ["we end it", (client, connection) => [connection.endStream(), client.halfClose()]],
  ])("is over when %s, which is told once", async (_, leave) => {
    let closes = 0;
    using server = new TestServer((request, connection) => {
      connection.whenClosed(() => closes++);
      stream(request, connection);
      connection.write(media, 0, 100);
    });
    using client = await server.connect();
    client.request("GET", "/");
    await client.head();
    const connection = server.connections[0]!;
    expect(connection.isClosed).toBeFalse();
    leave(client, connection);
    await server.idle();
    connection.abort();
    connection.respond(errorResponse(500));
    expect(connection.isClosed).toBeTrue();
    expect(connection.write(media, 0, 100)).toBe(0);
    expect(closes).toBe(1);
  });

  test("goes on for a client that half-closes, and ends for it as for any other", async () => {
    let closes = 0;
    using server = new TestServer((request, connection) => {
      connection.whenClosed(() => closes++);
      stream(request, connection);
      connection.write(media, 0, 100);
    });
    using client = await server.connect();
    client.request("GET", "/");
    client.halfClose();
    await client.head();
    const connection = await server.handled();
    for (let at = 100; at < 1000; at += 100) {
      await Bun.sleep(1);
      expect(connection.write(media, at, 100)).toBe(100);
    }
    expect((await client.read(1000)).equals(media.subarray(0, 1000))).toBeTrue();
    connection.endStream();
    await client.readToEnd();
    await server.idle();
    expect([closes, client.error]).toEqual([1, undefined]);
  });

  test("begins late for a client that half-closes", async () => {
    using server = new TestServer(() => {}, { timeouts: { leftMs: 1 } });
    using client = await server.connect();
    client.request("GET", "/");
    client.halfClose();
    const connection = await server.handled();
    await Bun.sleep(300);
    connection.startStream(STREAM, NO_WRITER);
    connection.write(media, 0, 100);
    connection.endStream();
    await client.head();
    expect((await client.readToEnd()).equals(media.subarray(0, 100))).toBeTrue();
  });

  describe("of a client whose FIN is not behind its request", () => {
    const timeouts = { halfCloseMs: 0, leftMs: 200 };

    test("that has begun is over when nothing more is sent, however soon the FIN has come", async () => {
      using server = new TestServer(begun, { timeouts: { halfCloseMs: 1e6, leftMs: 200 } });
      using client = await server.connect();
      client.request("GET", "/");
      await client.head();
      client.halfClose();
      await server.idle();
    });

    test.each([
      ["has not begun", () => {}],
      ["has no more media", begun],
    ])("that %s is over when nothing is sent", async (_, handler) => {
      let closes = 0;
      using server = new TestServer(
        (request, connection) => {
          connection.whenClosed(() => closes++);
          handler(request, connection);
        },
        { timeouts },
      );
      using client = await server.connect();
      client.request("GET", "/");
      await server.handled();
      client.halfClose();
      await server.idle();
      expect(closes).toBe(1);
    });

    test("goes on when the client has taken something", async () => {
      using server = new TestServer(begun, { timeouts });
      using client = await server.connect();
      client.request("GET", "/");
      const connection = await server.handled();
      client.halfClose();
      const end = performance.now() + 600;
      while (performance.now() < end) {
        await Bun.sleep(10);
        expect(connection.write(media, 0, 10)).toBe(10);
      }
      expect(connection.isClosed).toBeFalse();
    });
  });
});

describe("of a throw", () => {
  test("in the handler the client is told, and nobody else notices", async () => {
    using server = new TestServer((request, connection) => {
      if (request.target === "/boom") throw new Error("boom");
      stream(request, connection);
      connection.write(Buffer.from("media"), 0, 5);
    });
    using other = await server.connect();
    other.request("GET", "/");
    await other.head();
    using client = await server.connect();
    client.request("GET", "/boom");
    expect(await statusOf(client)).toBe(500);
    expect(server.log.join()).toContain("boom");
    server.connections[0]!.write(Buffer.from("more"), 0, 4);
    expect((await other.read(9)).toString()).toBe("mediamore");
  });

  test("in the middle of a stream the client sees the end", async () => {
    using server = new TestServer((request, connection) => {
      stream(request, connection);
      connection.write(Buffer.from("media"), 0, 5);
      throw new Error("boom");
    });
    using client = await server.connect();
    client.request("GET", "/");
    await until(() => client.state === "closed", 5000, "the end");
    expect(server.listener.connections).toBe(0);
  });

  test.each(["drained", "resumeUpstream"] as const)(
    "in %s and on the close the connection alone dies",
    async (name) => {
      const media = noise(8_000_000);
      let others = 0;
      using server = new TestServer((_, connection) => {
        const writer = {
          drained() {},
          [name]: () => {
            throw new Error(`fault in ${name}`);
          },
        };
        connection.startStream(STREAM, writer);
        connection.anyUpstreamPaused = true;
        connection.whenClosed(() => {
          throw new Error("fault on the close");
        });
        connection.whenClosed(() => others++);
        connection.write(media, 0, media.length);
      });
      using client = await server.connect();
      client.request("GET", "/");
      await server.idle();
      const faults = server.log.filter((line) => line.startsWith("ERROR"));
      expect(faults).toEqual([
        expect.stringContaining(`fault in ${name}`),
        expect.stringContaining("fault on the close"),
      ]);
      expect(others).toBe(1);
    },
  );
});

describe("a client that is too slow to ask", () => {
  const timeouts = { headMs: 300, bodyMs: 300, lingerMs: 300 };

  test.each([
    ["sends nothing", "", "no request head"],
    ["sends half a head", "GET / HTTP/1.1\r\nHost:", "no request head"],
    ["sends half a body", "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhel", "no complete request body"],
  ])("and %s is closed without answer", async (_, bytes, reason) => {
    using server = new TestServer(echo, { timeouts });
    using client = await server.connect();
    client.send(bytes);
    expect(await client.readToEnd()).toBeEmpty();
    await server.idle();
    expect(server.log.at(-1)).toContain(reason);
  });

  test("the timers do not end a stream", async () => {
    using server = new TestServer(stream, { timeouts: { headMs: 200, bodyMs: 200, lingerMs: 200 } });
    using client = await server.connect();
    client.request("POST", "/", { "Content-Length": "1" });
    client.send("x");
    const connection = await server.handled();
    using silent = await server.connect();
    await silent.readToEnd();
    connection.write(Buffer.from("media"), 0, 5);
    await client.head();
    expect((await client.read(5)).toString()).toBe("media");
  });

  test("and never closes its side is not waited for", async () => {
    using server = new TestServer(echo, { timeouts });
    using client = await server.connect();
    client.request("GET", "/");
    await client.response();
    expect(server.listener.connections).toBe(1);
    await server.idle();
    expect(server.log.at(-1)).toContain("no FIN");
  });

  test.each(["", "GET / HT", "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhel"])(
    "and half-closes after %j is closed without answer",
    async (bytes) => {
      using server = new TestServer(echo);
      using client = await server.connect();
      client.send(bytes);
      client.halfClose();
      expect(await client.readToEnd()).toBeEmpty();
      await server.idle();
      expect(server.requests).toBeEmpty();
    },
  );
});

/** A kernel that takes as many bytes of each write as it is told to. */
class FakeSocket {
  remoteAddress = "::ffff:192.0.2.1";
  remotePort = 7;
  sent = Buffer.alloc(0);
  writes = 0;
  readonly #limits: number[];

  constructor(limits: readonly number[]) {
    this.#limits = [...limits];
  }

  write(bytes: Uint8Array, offset = 0, length = bytes.length - offset): number {
    this.writes++;
    const taken = Math.min(length, this.#limits.shift() ?? length);
    if (taken > 0) this.sent = Buffer.concat([this.sent, bytes.subarray(offset, offset + taken)]);
    return taken;
  }

  terminate(): void {}
  shutdown(): void {}

  /** A connection on this socket whose stream has begun. */
  streaming(): Connection {
    return this.asked(stream);
  }

  /** A connection on this socket that has got its request. */
  asked(handler: RequestHandler, log: string[] = []): Connection {
    const parent: ConnectionParent = {
      log: recordingLog(log),
      timeouts: { headMs: 1e6, bodyMs: 1e6, lingerMs: 1e6, halfCloseMs: 1e6, leftMs: 1e6 },
      handler,
      errorResponse,
      reserveBody: () => true,
      releaseBody: () => {},
      entered: () => {},
      closed: () => {},
    };
    const connection = new Connection(this as unknown as ConnectionSocket, parent);
    connection.received(Buffer.from("GET / HTTP/1.1\r\n\r\n"));
    return connection;
  }
}

describe("the head of a stream", () => {
  const media = Buffer.from("..media..");

  test("goes out in one write with the first media", () => {
    const socket = new FakeSocket([]);
    const connection = socket.streaming();
    expect(socket.writes).toBe(0);
    expect(connection.write(media, 2, 5)).toBe(5);
    expect(socket.writes).toBe(1);
    expect(socket.sent.toString()).toBe(`${HEAD}media`);
    connection.abort();
  });

  test("goes out alone with a write of nothing", () => {
    const socket = new FakeSocket([]);
    const connection = socket.streaming();
    expect(connection.write(media, 0, 0)).toBe(0);
    expect(socket.sent.equals(HEAD)).toBeTrue();
    connection.abort();
  });

  test("and its media are counted exactly, whatever the kernel takes", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -1, max: HEAD.length + 9 })), (limits) => {
        const socket = new FakeSocket(limits);
        let position = 0;
        let writable = true;
        const drained = () => {
          writable = true;
        };
        const connection = socket.asked((_, asking) => asking.startStream(STREAM, { drained }));
        // Each limit may cost one write and one drain.
        for (let i = 0; i < 2 * limits.length + 4; i++) {
          if (writable) {
            const taken = connection.write(media, position, media.length - position);
            position += taken;
            writable = position === media.length;
          } else connection.drained();
        }
        expect(position).toBe(media.length);
        expect(socket.sent.toString()).toBe(`${HEAD}${media}`);
        connection.abort();
      }),
    );
  });
});

test("an IPv4-mapped address is printed as IPv4", () => {
  const connection = new FakeSocket([]).streaming();
  expect(connection.peer).toBe("192.0.2.1:7");
  connection.abort();
});

describe("a close", () => {
  const media = Buffer.from("media");

  test("aborts once, whoever asked when, and `whenClosed` runs at once behind it", () => {
    const connection = new FakeSocket([]).streaming();
    const seen: string[] = [];
    const { closed } = connection;
    expect([closed.aborted, connection.closed === closed]).toEqual([false, true]);
    closed.addEventListener("abort", () => seen.push("aborted"));
    connection.whenClosed(() => seen.push(`first ${connection.isClosed}`));
    connection.whenClosed(() => seen.push("second"));
    connection.abort();
    connection.abort();
    connection.socketClosed();
    expect(seen).toEqual(["aborted", "first true", "second"]);
    connection.whenClosed(() => seen.push("late"));
    expect(seen).toEqual(["aborted", "first true", "second", "late"]);
    expect(connection.closed.aborted).toBe(true);
  });

  test("that nobody has awaited is known afterwards too", () => {
    const connection = new FakeSocket([]).streaming();
    connection.socketClosed();
    expect([connection.isClosed, connection.closed.aborted]).toEqual([true, true]);
    expect(connection.write(media, 0, 5)).toBe(0);
  });

  test("is survived by an action that throws, also one that comes too late", () => {
    const log: string[] = [];
    const connection = new FakeSocket([]).asked(stream, log);
    const fail = () => {
      throw new Error("fault on the close");
    };
    let others = 0;
    connection.whenClosed(fail);
    connection.whenClosed(() => others++);
    connection.abort();
    connection.whenClosed(fail);
    connection.whenClosed(() => others++);
    expect([others, log.length]).toEqual([2, 2]);
    expect(log.every((line) => line.includes("fault on the close"))).toBe(true);
  });

  test("is the last that its writer hears", () => {
    let drains = 0;
    const writer = { drained: () => drains++ };
    const socket = new FakeSocket([3]);
    const connection = socket.asked((_, asking) => asking.startStream(STREAM, writer));
    connection.write(media, 0, 5);
    connection.drained();
    expect(drains).toBe(1);
    connection.abort();
    connection.drained();
    connection.writable();
    expect(drains).toBe(1);
  });
});

describe("standing headers", () => {
  const STANDING = [
    ["Set-Cookie", "a=1"],
    ["Access-Control-Allow-Origin", "*"],
  ] as const;
  const LINES = "Connection: close\r\nSet-Cookie: a=1\r\nAccess-Control-Allow-Origin: *\r\n";

  test("stand in the head of every stream, whoever starts it", () => {
    const socket = new FakeSocket([]);
    const connection = socket.asked((request, asking) => {
      asking.setStandingHeaders(STANDING);
      stream(request, asking);
    });
    connection.write(Buffer.from("media"), 0, 5);
    expect(socket.sent.toString()).toBe(`HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\n${LINES}\r\nmedia`);
    connection.abort();
  });

  test("stand in an answer that another server has begun, but for those that it has given", () => {
    const socket = new FakeSocket([]);
    const head: StreamHead = {
      status: 206,
      statusLine: "HTTP/1.0 206 Some of it",
      headers: [["access-control-allow-origin", "b"]],
    };
    const connection = socket.asked((_, asking) => {
      asking.setStandingHeaders(STANDING);
      asking.startStream(head, NO_WRITER);
    });
    connection.write(Buffer.from(""), 0, 0);
    expect(socket.sent.toString()).toBe(
      "HTTP/1.0 206 Some of it\r\nConnection: close\r\nSet-Cookie: a=1\r\naccess-control-allow-origin: b\r\n\r\n",
    );
    connection.abort();
  });

  test("stand in every answer, also that of a handler that throws", () => {
    for (const fails of [false, true]) {
      const socket = new FakeSocket([]);
      const connection = socket.asked((_, asking) => {
        asking.setStandingHeaders(STANDING);
        if (fails) throw new Error("fault");
        asking.respond({ status: 200, headers: [] });
      });
      const head = socket.sent.toString();
      expect(head).toStartWith(fails ? "HTTP/1.1 500 " : "HTTP/1.1 200 ");
      expect(head).toContain(LINES);
      connection.abort();
    }
  });
});

test("a drain before there is any stream, or with a writer that pauses nothing, does nothing", () => {
  const socket = new FakeSocket([]);
  const connection = socket.asked(() => {});
  connection.anyUpstreamPaused = true;
  connection.drained();
  connection.startStream(STREAM, NO_WRITER);
  connection.drained();
  expect([connection.isClosed, socket.sent.toString()]).toEqual([false, HEAD.toString()]);
  connection.abort();
});

test("what is sent counts with the meter of a client that is let in", () => {
  const socket = new FakeSocket([HEAD.length + 2, 3, -1]);
  const connection = socket.streaming();
  const counts: [number, number][] = [];
  connection.countSends({ sent: (offered, taken) => counts.push([offered, taken]) });
  const media = Buffer.from("media");
  expect([connection.write(media, 0, 5), connection.write(media, 2, 3), connection.write(media, 0, 5)]).toEqual([
    2, 3, 0,
  ]);
  expect(counts).toEqual([
    [HEAD.length + 5, HEAD.length + 2],
    [3, 3],
    [5, 0],
  ]);
  expect(connection.sentBytes).toBe(HEAD.length + 5);
  connection.abort();
});
