/** Lists that a worker has died of while it read them: the same bytes are read again only after a while (m3u.md section 3). */
import { PlaylistError } from "./errors.ts";

export interface ListVersion {
  /** Where the list came from. */
  readonly url: string;
  /** Of its bytes. */
  readonly hash: string;
}

export interface SuspectList extends ListVersion {
  /** So long from now it is not to be read, in ms. */
  readonly forMs: number;
}

/** Is told what is about to be read, so that it is known should this process die of it, and when all of that has been read. */
export interface ReadingObserver {
  begins(list: ListVersion): void;
  ends(): void;
}

export function listVersion(url: string, bytes: Uint8Array): ListVersion {
  return { url, hash: Bun.hash(bytes).toString(16) };
}

export class Suspects {
  readonly #until = new Map<string, number>();

  constructor(suspects: readonly SuspectList[]) {
    const now = performance.now();
    for (const { url, hash, forMs } of suspects) this.#until.set(key({ url, hash }), now + forMs);
  }

  /** @throws PlaylistError when it must not be read yet */
  check(list: ListVersion): void {
    const leftMs = this.leftMs(list);
    if (leftMs === 0) return;
    const seconds = Math.ceil(leftMs / 1000);
    throw new PlaylistError(
      "suspect",
      `A worker has died while it read it, it is not read again for ${seconds} seconds`,
    );
  }

  /** How long it must not be read yet. */
  leftMs(list: ListVersion): number {
    return Math.max((this.#until.get(key(list)) ?? 0) - performance.now(), 0);
  }
}

function key({ url, hash }: ListVersion): string {
  return `${hash} ${url}`;
}
