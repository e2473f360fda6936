import { describe, expect, test } from "bun:test";
import { type Chunks, collect, gunzip, gzip, isGzip, limited, peek } from "../../src/playlist/streams.ts";
import { until } from "../fakes/until.ts";

const LIMIT_MS = 2000;

/** Chunks that tell whether somebody still wants them. */
class Source {
  isClosed = false;

  async *chunks(...texts: string[]): Chunks {
    try {
      for (const text of texts) yield Buffer.from(text);
    } finally {
      this.isClosed = true;
    }
  }

  async *endless(): Chunks {
    try {
      while (true) yield Buffer.alloc(100_000, 1);
    } finally {
      this.isClosed = true;
    }
  }
}

describe("peek", () => {
  test.each<[count: number, head: string]>([
    [0, ""],
    [1, "a"],
    [3, "abc"],
    [9, "abcd"],
  ])("at %d bytes takes nothing away", async (count, head) => {
    const source = new Source();
    const peeked = await peek(source.chunks("a", "bc", "", "d"), count);
    expect([peeked.head.toString(), (await collect(peeked.chunks)).toString()]).toEqual([head, "abcd"]);
    expect(source.isClosed).toBe(true);
  });

  test("closes its source when it is not read to the end", async () => {
    const source = new Source();
    const { chunks } = await peek(source.endless(), 2);
    for await (const _ of chunks) break;
    expect(source.isClosed).toBe(true);
  });
});

describe("a codec", () => {
  test("closes its source when it is not read to the end", async () => {
    const source = new Source();
    for await (const _ of gzip(source.endless())) break;
    await until(() => source.isClosed, LIMIT_MS, "the source to be closed");
  });

  test("passes errors of its source on", async () => {
    const failing = limited(new Source().chunks("abc", "def"), 5);
    expect(await collect(gzip(failing)).catch(({ code }) => code)).toBe("too-large");
  });

  test("says that data is broken", async () => {
    const chunks = new Source().chunks("no gzip");
    expect(await collect(gunzip(chunks)).catch(({ code }) => code)).toBe("bad-content");
  });
});

test("gzip is known by its first two bytes", () => {
  expect([isGzip(Bun.gzipSync("")), isGzip(Buffer.from("<t")), isGzip(Buffer.from([0x1f]))]).toEqual([
    true,
    false,
    false,
  ]);
});
