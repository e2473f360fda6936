/** Programs with a resolv.conf of their own: the machine's is not touched. */
import { test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

// A user namespace gives the right to mount to those who are not root.
const UNSHARE = process.getuid?.() === 0 ? ["unshare", "-m"] : ["unshare", "-Urm"];
const MOUNT = 'mount --bind "$0" /etc/resolv.conf && exec "$@"';

export class OwnResolvConf {
  readonly #directory = mkdtempSync(join(tmpdir(), "resolv-conf-"));
  readonly #path = join(this.#directory, "resolv.conf");

  constructor(text: string) {
    this.write(text);
  }

  /** The command that runs another one with this file. */
  get runner(): readonly string[] {
    return [...UNSHARE, "sh", "-c", MOUNT, this.#path];
  }

  /** In place: the mount shows the file that there was. */
  write(text: string): void {
    writeFileSync(this.#path, text);
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true });
  }
}

/** A test that needs one; skipped where there are no mount namespaces, but never if CI=true. */
export function testWithResolvConf(title: string, body: () => Promise<void>, limitMs: number): void {
  using probe = new OwnResolvConf("");
  const canMount = process.env["CI"] === "true" || Bun.spawnSync([...probe.runner, "true"]).success;
  if (canMount) test(title, body, limitMs);
  else test.skip(`${title}: no mount namespaces for us`, () => {});
}
