import { describe, expect, test } from "bun:test";
import { errorResponse } from "../../src/http/response.ts";
import { noise, TestServer } from "./serve.ts";

/** A client we did not write: answers its exit status and what it printed. */
async function curl(server: TestServer, target: string, ...options: string[]): Promise<{ code: number; out: Buffer }> {
  const url = `http://127.0.0.1:${server.listener.port}${target}`;
  const child = Bun.spawn(["curl", "-sS", "--max-time", "8", "--noproxy", "*", ...options, url], { stdin: "ignore" });
  const [code, out] = await Promise.all([child.exited, new Response(child.stdout).bytes()]);
  return { code, out: Buffer.from(out) };
}

describe("curl", () => {
  const media = noise(3_000_000);
  const makeServer = () =>
    new TestServer((request, connection) => {
      switch (request.target) {
        case "/stream": {
          let position = 0;
          const drained = () => {
            position += connection.write(media, position, media.length - position);
            if (position === media.length) connection.endStream();
          };
          connection.startStream({ status: 200, headers: [] }, { drained });
          drained();
          break;
        }
        case "/echo":
          connection.respond({ status: 200, headers: [["Content-Type", "text/plain"]], body: request.body });
          break;
        default:
          connection.respond(errorResponse(404));
      }
    });

  test("reads a stream to its end", async () => {
    using server = makeServer();
    const { code, out } = await curl(server, "/stream");
    expect(code).toBe(0);
    expect(out.equals(media)).toBeTrue();
  });

  test("sends a large body after 100 Continue", async () => {
    using server = makeServer();
    const text = Buffer.from(media).toString("base64").slice(0, 2_000_000);
    const file = new Response(text).body;
    const child = Bun.spawn(
      ["curl", "-sS", "--max-time", "8", "--noproxy", "*", "--expect100-timeout", "6", "--data-binary", "@-"].concat(
        `http://127.0.0.1:${server.listener.port}/echo`,
      ),
      { stdin: file! },
    );
    expect(await new Response(child.stdout).text()).toBe(text);
    expect(server.requests[0]!.header("expect")).toBe("100-continue");
    expect(await child.exited).toBe(0);
  });

  test("sees an error page and its headers", async () => {
    using server = makeServer();
    const { code, out } = await curl(server, "/x", "-i");
    expect(code).toBe(0);
    expect(out.toString()).toBe(
      "HTTP/1.1 404 Not Found\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n\r\n" +
        "<!doctype html><title>404</title>Not Found",
    );
  });

  test("asks with HEAD", async () => {
    using server = makeServer();
    const { code, out } = await curl(server, "/x", "-I");
    expect(code).toBe(0);
    expect(out.toString()).toEndWith("Connection: close\r\n\r\n");
  });

  test.each([
    ["431", ["-H", `A: ${"x".repeat(100_000)}`]],
    ["501", ["-H", "Transfer-Encoding: chunked", "-d", "hello"]],
  ])("is told %s", async (status, options) => {
    using server = makeServer();
    const { code, out } = await curl(server, "/x", "-o", "/dev/null", "-w", "%{http_code}", ...options);
    expect({ code, out: out.toString() }).toEqual({ code: 0, out: status });
  });
});
