import { expect, test } from "bun:test";
import { join } from "node:path";
import { PlaylistServer } from "../fakes/playlist-server.ts";

const GUIDE_BYTES = 200 * 1024 * 1024;
const MAX_GROWTH_BYTES = 20 * 1024 * 1024;
const LIMIT_MS = 60_000;

/** Programmes that differ, as those of a guide do. */
function chunk(number: number): Buffer {
  const programmes = Array.from(
    { length: 500 },
    (_, i) =>
      `<programme start="2024010112${number}" channel="c${i}"><title>Title ${i * 7919 + number}</title></programme>\n`,
  );
  return Buffer.from(programmes.join(""));
}

function guideOf(bytes: number): Response {
  let sent = 0;
  let number = 0;
  return new Response(
    new ReadableStream({
      pull(controller) {
        const piece = chunk(number++);
        sent += piece.length;
        controller.enqueue(number === 1 ? Buffer.concat([Buffer.from("<tv>"), piece]) : piece);
        if (sent < bytes) return;
        controller.enqueue(Buffer.from("</tv>"));
        controller.close();
      },
    }),
  );
}

test(
  "a guide of 200 MB passes through without staying in memory",
  async () => {
    await using server = new PlaylistServer();
    // What every first download of a process costs is no matter of its size.
    const small = server.on("/small", () => guideOf(5 * 1024 * 1024));
    const large = server.on("/large", () => guideOf(GUIDE_BYTES));
    const child = Bun.spawn([process.execPath, join(import.meta.dir, "guide-memory.ts"), small, large], {
      stdout: "pipe",
    });
    const { bytes, grownBytes } = JSON.parse(await child.stdout.text());
    expect(bytes).toBeGreaterThanOrEqual(GUIDE_BYTES);
    expect(grownBytes).toBeLessThan(MAX_GROWTH_BYTES);
  },
  LIMIT_MS,
);
