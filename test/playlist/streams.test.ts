import { describe, expect, test } from "bun:test";
import { type Chunks, collect, gunzip, gzip, isGzip, limited, peek, releasing } from "../../src/playlist/streams.ts";
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

describe("releasing", () => {
  test("what was unpacked takes nothing from what comes", async () => {
    const bytes = crypto.getRandomValues(new Uint8Array(60_000));
    const all = Buffer.concat(Array.from({ length: 20 }, (_, i) => bytes.subarray(i)));
    const chunks: Uint8Array[] = [];
    const hash = new Bun.CryptoHasher("md5");
    const packed = Bun.gzipSync(all);
    const source = async function* () {
      for (let at = 0; at < packed.length; at += 50_000) yield packed.subarray(at, at + 50_000);
    };
    for await (const chunk of releasing(gunzip(source()))) {
      hash.update(chunk);
      chunks.push(chunk);
    }
    expect(hash.digest("hex")).toBe(new Bun.CryptoHasher("md5").update(all).digest("hex"));
    expect(chunks.filter(({ length }) => length === 0).length).toBeGreaterThan(10);
  });

  test("leaves a buffer alone that is not full", async () => {
    const shared = Buffer.allocUnsafeSlow(10);
    const source = async function* () {
      yield shared.subarray(0, 4);
      expect(shared.length).toBe(10);
      yield shared.subarray(4);
    };
    const lengths: number[] = [];
    for await (const { length } of releasing(source())) lengths.push(length);
    expect([lengths, shared.length]).toEqual([[4, 6], 0]);
  });
});

test("gzip is known by its first two bytes", () => {
  expect([isGzip(Bun.gzipSync("")), isGzip(Buffer.from("<t")), isGzip(Buffer.from([0x1f]))]).toEqual([
    true,
    false,
    false,
  ]);
});
