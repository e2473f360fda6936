import { expect, test } from "bun:test";
import { join } from "node:path";
import { PlaylistServer } from "../fakes/playlist-server.ts";

const ENTRIES = 20_000;
const MAX_GROWTH_BYTES = 80 * 1024 * 1024;
/** However often it is loaded. */
const MAX_KEPT_BYTES = 50 * 1024 * 1024;
const LIMIT_MS = 60_000;

function list(version: number): string {
  const lines = ["#EXTM3U"];
  for (let i = 0; i < ENTRIES; i++) {
    const catchup = ' catchup="append" catchup-source="?playseek={utc:YmdHMS}-{utcend:YmdHMS}"';
    lines.push(
      `#EXTINF:-1 tvg-id="ch${i}" tvg-logo="http://logos.example.net/img/${i}.png" group-title="G${i % 50}"` +
        `${i % 3 === 0 ? catchup : ""},Channel ${i} v${version}`,
      i % 2 === 0 ? `http://media.example.net:8080/live/${i}/index.m3u8?user=abc` : `rtsp://10.0.0.1:554/live/${i}?a=b`,
    );
  }
  return lines.join("\n");
}

test(
  "a list of 20 000 entries takes little memory while it is read, and less afterwards",
  async () => {
    await using server = new PlaylistServer();
    const url = server.on("/list", () => new Response(list(server.requests.length)));
    const child = Bun.spawn([process.execPath, join(import.meta.dir, "list-memory.ts"), url], { stdout: "pipe" });
    const { channels, loads } = JSON.parse(await child.stdout.text());
    expect(channels).toBe(ENTRIES + Math.ceil(ENTRIES / 3));
    for (const { atPeak, atEnd } of loads) {
      expect(atPeak).toBeLessThan(MAX_GROWTH_BYTES);
      expect(atEnd).toBeLessThan(MAX_KEPT_BYTES);
    }
    expect(loads).toHaveLength(2);
  },
  LIMIT_MS,
);
