import { afterAll, expect, test } from "bun:test";
import { HTTP_CHANNEL, loadClip } from "../../src/demo/channels.ts";
import { HttpSource } from "../../src/demo/http-source.ts";
import { TS_PACKET_BYTES, TS_SYNC_BYTE } from "../../src/wire/mpegts/packet.ts";
import { until } from "../fakes/until.ts";

const MAX_STREAMS = 16;

const WAIT_MS = 3000;
const source = new HttpSource(await loadClip(HTTP_CHANNEL), (nowMs) => `<tv made="${nowMs}"/>`);
const SECOND = `${source.mediaUrl}?playseek=20260101000000-20260101000001`;

afterAll(() => source.stop());

test("plays a time in the past, the same for everybody, in its pace and to its end", async () => {
  const startedMs = performance.now();
  const [one, other] = await Promise.all([fetch(SECOND), fetch(SECOND)]);
  expect(one.headers.get("content-type")).toBe("video/mp2t");
  const [bytes, same] = await Promise.all([one.bytes(), other.bytes()]);
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(990);
  expect(bytes.length).toBeGreaterThan(20_000);
  expect(bytes.length % TS_PACKET_BYTES).toBe(0);
  for (let at = 0; at < bytes.length; at += TS_PACKET_BYTES) expect(bytes[at]).toBe(TS_SYNC_BYTE);
  expect(same).toEqual(bytes);
});

test("plays for ever to so many clients, and forgets those that go", async () => {
  const controller = new AbortController();
  const open = () => fetch(source.mediaUrl, { signal: controller.signal });
  // Those of the test before may still be leaving.
  const watching: Response[] = [];
  await until(
    async () => {
      const response = await open();
      if (response.status === 200) watching.push(response);
      return watching.length === MAX_STREAMS;
    },
    WAIT_MS,
    "all streams to be taken",
  );
  expect((await fetch(source.mediaUrl)).status).toBe(503);
  for (const response of watching) expect((await response.body!.getReader().read()).value?.[0]).toBe(TS_SYNC_BYTE);
  controller.abort();
  await until(async () => (await fetch(SECOND)).status === 200, WAIT_MS, "a free place");
});

test("answers HEAD without media, makes the guide for now, and knows nothing else", async () => {
  const head = await fetch(source.mediaUrl, { method: "HEAD" });
  expect([head.status, head.headers.get("content-type")]).toEqual([200, "video/mp2t"]);
  const guide = await fetch(source.guideUrl);
  expect(guide.headers.get("content-type")).toBe("application/xml");
  const [, made] = /made="(\d+)"/.exec(await guide.text()) ?? [];
  expect(Math.abs(Number(made) - Date.now())).toBeLessThan(WAIT_MS);
  expect((await fetch(new URL("/other", source.guideUrl))).status).toBe(404);
  expect((await fetch(source.mediaUrl, { method: "POST" })).status).toBe(405);
});
