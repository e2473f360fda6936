/** A web server for playlists and guides that behaves as badly as a test wants it to. */

export type Answer = (request: Request) => Response | Promise<Response>;

export interface SeenRequest {
  readonly path: string;
  readonly headers: Headers;
}

export class PlaylistServer {
  /** In their order. */
  readonly requests: SeenRequest[] = [];
  readonly #answers = new Map<string, Answer>();
  readonly #server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 60,
    fetch: (request) => {
      const path = new URL(request.url).pathname;
      // A copy: Bun forgets them with the request.
      this.requests.push({ path, headers: new Headers([...request.headers]) });
      const answer = this.#answers.get(path);
      return answer ? answer(request) : new Response("Not Found", { status: 404 });
    },
  });

  /** Answers `path` from now on. */
  on(path: string, answer: Answer | string | Uint8Array<ArrayBuffer>): string {
    this.#answers.set(path, typeof answer === "function" ? answer : () => new Response(answer));
    return this.url(path);
  }

  url(path: string): string {
    return `http://127.0.0.1:${this.#server.port}${path}`;
  }

  /** Paths that were asked for. */
  get paths(): string[] {
    return this.requests.map(({ path }) => path);
  }

  /** Requests that are being answered now. */
  get pending(): number {
    return this.#server.pendingRequests;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }
}

/** A body without end, as fast as it is taken. */
export function endless(): Response {
  const chunk = new Uint8Array(64 * 1024).fill(0x20);
  return new Response(new ReadableStream({ pull: (controller) => controller.enqueue(chunk) }));
}

/** `text`, one byte every `everyMs`. */
export function trickle(text: string, everyMs: number): Response {
  let at = 0;
  return new Response(
    new ReadableStream({
      async pull(controller) {
        if (at > 0) await Bun.sleep(everyMs);
        if (at === text.length) controller.close();
        else controller.enqueue(Buffer.from(text[at++]!));
      },
    }),
  );
}

/** The answer never comes. */
export function silence(): Promise<Response> {
  return new Promise(() => {});
}
