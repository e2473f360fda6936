/** Debian's nginx on a free port, serving one directory or in front of another server: a program that was not written by us. */

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freeTcpPort } from "./free-port.ts";
import { accepts } from "./http-client.ts";
import { until, within } from "./until.ts";

const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 20_000;
/** Whatever happens to the test, the server is gone after so long. */
const LIFE_MAX_MS = 600_000;

// Debian keeps it out of the PATH of ordinary users.
const PROGRAM = Bun.which("nginx", { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/usr/local/sbin` });

export const isNginxInstalled = PROGRAM !== null;

export class Nginx {
  readonly port: number;
  readonly #child: Bun.Subprocess<"ignore", "ignore", "pipe">;
  readonly #prefix: string;

  private constructor(port: number, child: Bun.Subprocess<"ignore", "ignore", "pipe">, prefix: string) {
    this.port = port;
    this.#child = child;
    this.#prefix = prefix;
  }

  /**
   * Serves the files below `root`. A request for `/gzip/x` is answered with the file `gzip/x.gz` and
   * `Content-Encoding: gzip`, whatever the client accepts. Rejects with what nginx says if it does not start.
   */
  static serve(root: string): Promise<Nginx> {
    return Nginx.#start(`root "${root}"; location /gzip/ { gzip_static always; }`);
  }

  /**
   * Stands in front of another server on 127.0.0.1.
   * @param directives of what is passed on, such as `proxy_set_header`
   */
  static proxy(port: number, directives = ""): Promise<Nginx> {
    return Nginx.#start(`location / { proxy_pass http://127.0.0.1:${port}; proxy_buffering off; ${directives} }`);
  }

  static async #start(server: string): Promise<Nginx> {
    if (PROGRAM === null) throw new Error("nginx is not installed");
    const prefix = await mkdtemp(join(tmpdir(), "sluice-nginx-"));
    const port = await freeTcpPort();
    await mkdir(join(prefix, "temp"));
    await writeFile(join(prefix, "nginx.conf"), configuration(port, server));
    const child = Bun.spawn([PROGRAM, "-p", prefix, "-c", "nginx.conf", "-e", "stderr"], {
      stdio: ["ignore", "ignore", "pipe"],
      timeout: LIFE_MAX_MS,
    });
    const nginx = new Nginx(port, child, prefix);
    await until(async () => child.exitCode !== null || (await accepts(port)), START_TIMEOUT_MS, "nginx to listen");
    if (child.exitCode === null) return nginx;
    await nginx.stop();
    throw new Error(`nginx: ${await new Response(child.stderr).text()}`);
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
    await within(this.#child.exited, STOP_TIMEOUT_MS, "nginx to exit");
    await rm(this.#prefix, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** One process in the foreground, so that its id is all there is to end. */
function configuration(port: number, server: string): string {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path temp/${name};`,
  );
  return `
    daemon off;
    master_process off;
    pid nginx.pid;
    error_log stderr error;
    events { worker_connections 128; }
    http {
      ${temporary.join("\n")}
      access_log off;
      types { application/vnd.apple.mpegurl m3u8; video/mp2t ts; video/mp4 mp4 m4s; text/plain txt; }
      default_type application/octet-stream;
      server {
        listen 127.0.0.1:${port};
        ${server}
      }
    }`;
}
