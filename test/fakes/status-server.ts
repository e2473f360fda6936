/** The status page with a server behind it that says what a test wants: the real page, a scripted event stream and API. */
import { createHash } from "node:crypto";
import { join } from "node:path";

const PAGE = join(import.meta.dir, "../../src/web/status");
const THEME_SCRIPT = `document.documentElement.dataset.theme=localStorage.getItem("rtp2httpd-status-theme")||"dark"`;

const CONFIG_SCRIPT = `window.__RTP2HTTPD_CONFIG__={"appPathPrefix":"","logLevel":1};`;
/** As strict as the server's. */
const POLICY = [
  "default-src 'none'",
  `script-src 'self' ${[CONFIG_SCRIPT, THEME_SCRIPT].map((script) => `'sha256-${sha256(script)}'`).join(" ")}`,
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
].join("; ");

export interface SeenCall {
  readonly method: string;
  /** Below `/status/api/`. */
  readonly name: string;
  readonly body: string;
}

/** Members of the event as they go over the wire; a test may leave out and add what it likes. */
export type Event = Readonly<Record<string, unknown>>;

export class StatusServer {
  readonly calls: SeenCall[] = [];
  /** Of the next call. */
  answer: Event = { success: true, message: "done" };
  /** Status of the answer to those who want an event stream, if not the stream. */
  refusal: number | undefined;
  /** Event streams opened so far. */
  opened = 0;
  /** What a new stream begins with. */
  #event: Event;
  readonly #streams = new Set<ReadableStreamDefaultController<string>>();
  readonly #server: Bun.Server<undefined>;

  private constructor(files: ReadonlyMap<string, () => Response>, event: Event) {
    this.#event = event;
    this.#server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      idleTimeout: 60,
      fetch: (request) => this.#answer(request, files),
    });
  }

  /** Builds the page, which takes a moment, and serves it. */
  static async start(event: Event): Promise<StatusServer> {
    return new StatusServer(await buildPage(), event);
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.port}/status`;
  }

  get openStreams(): number {
    return this.#streams.size;
  }

  /** To all open streams, and first to those to come. */
  send(event: Event): void {
    this.#event = event;
    for (const stream of this.#streams) stream.enqueue(asText(event));
  }

  /** As when the server ends: in the middle of the page's life. */
  dropStreams(): void {
    for (const stream of this.#streams) stream.close();
    this.#streams.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.stop(true);
  }

  #answer(request: Request, files: ReadonlyMap<string, () => Response>): Response | Promise<Response> {
    const path = new URL(request.url).pathname;
    if (path === "/status/sse" && this.refusal !== undefined) return new Response(null, { status: this.refusal });
    if (path === "/status/sse") return this.#openStream();
    if (path.startsWith("/status/api/")) return this.#call(request, path.slice("/status/api/".length));
    return files.get(path)?.() ?? new Response(null, { status: 404 });
  }

  #openStream(): Response {
    this.opened++;
    let controller: ReadableStreamDefaultController<string>;
    const body = new ReadableStream<string>({
      start: (made) => {
        controller = made;
        this.#streams.add(made);
        made.enqueue(asText(this.#event));
      },
      cancel: () => {
        this.#streams.delete(controller);
      },
    });
    return new Response(body.pipeThrough(new TextEncoderStream()), {
      headers: { "content-type": "text/event-stream", "cache-control": "no-cache" },
    });
  }

  async #call(request: Request, name: string): Promise<Response> {
    this.calls.push({ method: request.method, name, body: await request.text() });
    return Response.json(this.answer);
  }
}

function asText(event: Event): string {
  return `data: ${JSON.stringify(event)}\n\n`;
}

/** Path → what is there. */
async function buildPage(): Promise<Map<string, () => Response>> {
  const built = await Bun.build({ entrypoints: [join(PAGE, "main.tsx")], target: "browser", minify: true });
  const files = new Map<string, () => Response>();
  const add = (path: string, body: string | ArrayBuffer, headers: Record<string, string>) =>
    files.set(path, () => new Response(body, { headers }));
  for (const output of built.outputs) {
    const name = output.path.replace(/^.*\//, "");
    add(`/assets/${name}`, await output.arrayBuffer(), { "content-type": output.type });
  }
  for (const path of ["/assets/icon-192.png", "/favicon.ico"]) {
    add(path, `<svg xmlns="http://www.w3.org/2000/svg"/>`, { "content-type": "image/svg+xml" });
  }
  add("/status.webmanifest", `{"name":"sluice"}`, { "content-type": "application/json" });
  const template = await Bun.file(join(PAGE, "index.html")).text();
  add("/status", htmlOf(template), { "content-type": "text/html; charset=utf-8", "content-security-policy": POLICY });
  return files;
}

/** The page as the server makes it of the template. */
function htmlOf(template: string): string {
  return template
    .replace("<head>", `<head><base href="/"><script>${CONFIG_SCRIPT}</script>`)
    .replace(
      "</head>",
      `<script>${THEME_SCRIPT}</script><link rel="stylesheet" href="./assets/main.css">` +
        `<script type="module" src="./assets/main.js"></script></head>`,
    );
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("base64");
}
