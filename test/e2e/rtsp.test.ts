/** RTSP through the whole program: real servers, real players, and ends that no server is left out of. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { HttpClient } from "../fakes/http-client.ts";
import { emitAnswer, RtspServer, type RtspServerOptions } from "../fakes/rtsp-server.ts";
import { TsVerifier } from "../fakes/ts-verifier.ts";
import { until } from "../fakes/until.ts";
import { forEachVariant, forVariant, type Sluice } from "./harness.ts";
import {
  FRAMES_PER_SECOND,
  GStreamerServer,
  hasGStreamer,
  hasVlc,
  SERVER_START_TIMEOUT_MS,
  VlcServer,
  watch,
} from "./rtsp-servers.ts";
import { soakMs } from "./soak.ts";

/** There, everything is installed. */
const IS_CI = process.env["CI"] === "true";
const WAIT_MS = 20_000;
/** Promised to servers. */
const FAREWELL_MS = 1000;
const LATE_MS = 300;
/** For all else that the end of the program takes. */
const EXIT_MS = 3000;
const WATCH_S = Math.min(60, Math.round(soakMs(4000) / 1000));
const WATCH_FRAMES = WATCH_S * FRAMES_PER_SECOND;
/** A player tries for a minute. */
const WATCH_TIMEOUT_MS = SERVER_START_TIMEOUT_MS + WATCH_S * 1000 + 100_000;

forEachVariant("RTSP", (start) => {
  test.each(["tcp", "udp"] as const)(
    "a client gets all of a stream over %s, and its end ends the session",
    async (transport) => {
      await using sluice = await start();
      const files = await sluice.fds();
      using server = await RtspServer.open({ transport });
      {
        using client = await HttpClient.connect(sluice);
        client.request("GET", `/rtsp/127.0.0.1:${server.port}/ch`);
        expect((await client.head(WAIT_MS)).status).toBe(200);
        const verifier = new TsVerifier(1);
        client.stream((chunk) => verifier.push(chunk));
        await until(() => verifier.packets >= 1000, WAIT_MS, "media");
        expect(verifier.counts).toMatchObject({ first: 0, lost: 0, duplicate: 0, corrupt: 0, stray: 0 });
      }
      await until(() => server.sessions.size === 0, WAIT_MS, "TEARDOWN");
      await until(async () => (await sluice.fds()) <= files, WAIT_MS, "all files to be closed");
    },
  );

  test.each(["tcp", "udp"] as const)("SIGTERM ends the sessions of clients over %s", async (transport) => {
    await using sluice = await start();
    const answered: string[] = [];
    await using cleanUp = new AsyncDisposableStack();
    const servers: RtspServer[] = [];
    // One answers late, another never: once is enough for that.
    for (const delayMs of transport === "tcp" ? [LATE_MS, undefined] : [LATE_MS]) {
      const react: RtspServerOptions["react"] = (usual, { method }, connection) => {
        if (method !== "TEARDOWN") return usual;
        const answerLate = () => {
          answered.push(connection.state);
          connection.send(emitAnswer(usual));
        };
        if (delayMs !== undefined) setTimeout(answerLate, delayMs);
        return "silence";
      };
      const server = cleanUp.use(await RtspServer.open({ transport, datagramsPerBeat: 8, react }));
      const client = cleanUp.use(await HttpClient.connect(sluice));
      client.request("GET", `/rtsp/127.0.0.1:${server.port}/ch`);
      await client.head(WAIT_MS);
      // The fake cannot bear to send to ports that are closed.
      if (transport === "udp") server.connections[0]!.pauseMedia();
      servers.push(server);
    }
    const since = performance.now();
    await sluice.stop();
    expect(performance.now() - since).toBeLessThan(FAREWELL_MS + EXIT_MS);
    expect(servers.flatMap(({ sessions }) => [...sessions])).toEqual([]);
    // The one that answers late finds somebody there.
    expect(answered).toEqual(["open"]);
  });
});

// They play for the same seconds.
forVariant("source", "RTSP servers", (start) =>
  describe.concurrent("of others", () => {
    let sluice: Sluice;
    beforeAll(async () => {
      sluice = await start({ args: ["--video-snapshot"] });
    });

    describe.skipIf(!hasGStreamer && !IS_CI)("GStreamer (python3-gi with GstRtspServer is installed)", () => {
      let server: GStreamerServer;
      beforeAll(async () => {
        server = await GStreamerServer.start();
      }, SERVER_START_TIMEOUT_MS);
      afterAll(async () => {
        await server?.[Symbol.asyncDispose]();
      });

      test(
        "answers HEAD, plays without a complaint of the decoder over TCP and over UDP, is told the end, and is good for pictures",
        async () => {
          const times = (event: string) => server.events.filter((seen) => seen === event).length;
          using client = await HttpClient.connect(sluice);
          client.request("HEAD", `/rtsp/127.0.0.1:${server.port}/tcp`);
          const { status, headers } = await client.head(WAIT_MS);
          expect([status, headers.get("r2h-upstream-payload")]).toEqual([200, "mp2t-rtp"]);
          await until(() => times("closed") === 1, WAIT_MS, "the end of the question");
          const paths = ["tcp", "udp"].map((path) => `${sluice.url}/rtsp/127.0.0.1:${server.port}/${path}`);
          for (const { frames, errors } of await Promise.all(paths.map((url) => watch(url, WATCH_FRAMES)))) {
            expect(errors).toEqual([]);
            expect(frames).toBeGreaterThanOrEqual(WATCH_FRAMES);
          }
          await until(() => times("closed") === 3, WAIT_MS, "the end of the connections");
          expect(times("teardown")).toBe(2);
          for (const url of paths) {
            const picture = await fetch(`${url}?snapshot=1`);
            expect([picture.status, picture.headers.get("content-type")]).toEqual([200, "image/jpeg"]);
            expect(picture.headers.get("r2h-upstream-protocol")).toBe("rtsp");
            expect((await picture.bytes()).slice(0, 2).toHex()).toBe("ffd8");
          }
        },
        WATCH_TIMEOUT_MS,
      );
    });

    describe.skipIf(!hasVlc && !IS_CI)("VLC (vlc, ffmpeg and setpriv are installed)", () => {
      test(
        "plays without a complaint of the decoder",
        async () => {
          await using server = await VlcServer.start(WATCH_S);
          const { frames, errors } = await watch(`${sluice.url}/rtsp/127.0.0.1:${server.port}/live`, WATCH_FRAMES);
          expect(errors).toEqual([]);
          expect(frames).toBeGreaterThanOrEqual(WATCH_FRAMES);
        },
        WATCH_TIMEOUT_MS,
      );
    });
  }),
);
