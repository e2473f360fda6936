import { expect, test } from "bun:test";
import type { Connection } from "../../src/http/connection.ts";
import type { HttpResponse } from "../../src/http/response.ts";
import { channelRoute, invalidNameRoute, type ServeUrl } from "../../src/routes/channel.ts";
import type { Exchange } from "../../src/routes/route.ts";
import { asByteString } from "../../src/wire/text/byte-string.ts";
import { recordingLog } from "../fakes/recording-log.ts";
import { listChannels } from "../playlist/list-channels.ts";
import { SCHEMES_WITH_HTTPS } from "../playlist/schemes.ts";

const RULES = { appPathPrefix: asByteString(""), schemes: SCHEMES_WITH_HTTPS };
const LIST = [
  ...["#EXTINF:-1,Group", "rtp://239.0.0.1:5000", "#EXTINF:-1,Udp", "udp://239.0.0.2"],
  ...["#EXTINF:-1,Rtsp", "rtsp://h/x?a=1&playseek={utc}", "#EXTINF:-1,新 闻/%", "http://h/x?a=1&b=2&a=3$HD"],
  ...["#EXTINF:-1,Secure", "https://h/", "#EXTINF:-1,rtp/239.1.1.1", "http://h/not-the-group", ""],
].join("\n");

const { channels } = listChannels([LIST], RULES);

/** What a request is answered with, or which upstream it is led to. */
function ask(path: string, query = "") {
  const log = recordingLog();
  const served: [string, string][] = [];
  const answers: number[] = [];
  const serve: ServeUrl = (_, url, serviceUrl) => {
    served.push([url, serviceUrl]);
  };
  const connection = { respond: ({ status }: HttpResponse) => answers.push(status) } as unknown as Connection;
  const exchange = { path, query, connection } as Exchange;
  const isTaken = channelRoute({ playlists: { channels }, log, serve })(exchange);
  return { isTaken, served, answers, log: log.lines, exchange };
}

test.each([
  ["/Group", "", "rtp://239.0.0.1:5000"],
  ["/Group", "r2h-ifname=lo", "rtp://239.0.0.1:5000?r2h-ifname=lo"],
  ["/Udp", "", "udp://239.0.0.2"],
  ["/Rtsp", "", "rtsp://h/x?a=1&playseek={utc}"],
  ["/Rtsp/", "playseek=2024", "rtsp://h/x?a=1&playseek=2024&r2h-seek-name=playseek"],
  ["/%E6%96%B0%20%E9%97%BB/%25/HD", "", "http://h/x?a=1&b=2&a=3"],
  ["/%E6%96%B0%20%E9%97%BB%2F%25%2FHD", "a=9&c=4&a=8", "http://h/x?a=9&a=8&b=2&c=4"],
  ["/Secure", "q", "https://h/?q"],
  ["/rtp/239.1.1.1", "", "http://h/not-the-group"],
])("%s?%s is served as %s", (path, query, url) => {
  const { isTaken, served, log } = ask(path, query);
  expect(isTaken).toBe(true);
  expect(served).toEqual([[url, expect.stringMatching(new RegExp(`^${url.split(":", 1)[0]}://`))]]);
  expect(log).toEqual([
    expect.stringContaining("INFO Service matched: "),
    `DEBUG Creating ${url.split(":", 1)[0]!.toUpperCase()} service with merged URL: ${url}`,
  ]);
});

test("what no playlist names is left to the routes behind", () => {
  for (const path of ["/", "/group", "/Group/HD", "/rtp/%zz"]) {
    expect([ask(path).isTaken, ask(path).answers]).toEqual([false, []]);
  }
});

test("a URL that grows too long is no channel any more", () => {
  const { answers, served, log } = ask("/Rtsp", `x=${"y".repeat(2000)}&z=${"y".repeat(100)}`);
  expect([answers, served]).toEqual([[500], []]);
  expect(log.slice(1)).toEqual(["ERROR Merged RTSP URL too long", "ERROR Failed to merge query params for service"]);
});

test("a name that cannot be read is a bad request", () => {
  const bad = ask("/News%2").exchange;
  const answers: number[] = [];
  const connection = { respond: ({ status }: HttpResponse) => answers.push(status) } as unknown as Connection;
  expect([invalidNameRoute({ ...bad, connection }), answers]).toEqual([true, [400]]);
  expect(invalidNameRoute({ ...bad, connection, path: asByteString("/News%20") })).toBe(false);
});
