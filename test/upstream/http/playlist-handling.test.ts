import { describe, expect, test } from "bun:test";
import {
  isPlaylistPath,
  MAX_PLAYLIST_BYTES,
  type PlaylistHandling,
  playlistHandling,
} from "../../../src/upstream/http/playlist-handling.ts";
import { responseFraming } from "../../../src/wire/http/response-framing.ts";

interface Case {
  method?: string;
  range?: string;
  path?: string;
  status?: number;
  /** `Name: value` */
  headers?: readonly string[];
}

function handle({ method = "GET", range, path = "/a.m3u8", status = 200, headers = [] }: Case): PlaylistHandling {
  const fields = headers.map((line) => [line.split(":", 1)[0]!, line.replace(/^[^:]*: /, "")] as const);
  const framing = responseFraming(method, status, fields);
  if (!framing) throw new Error("contradictory lengths");
  return playlistHandling(method, path, range, { statusLine: `HTTP/1.1 ${status}`, status, headers: fields }, framing);
}

test.each([
  ["/a.m3u", true],
  ["/a.M3U8?x=1", true],
  ["/a.m3u8#x", true],
  ["/.m3u", true],
  ["/a.m3u9", false],
  ["/a.m3u/", false],
  ["/a.m3u8x", false],
  ["/m3u8", false],
  ["/a.ts?x=a.m3u8", false],
  ["/a.ts#a.m3u8", false],
  ["/a.m3u8$HD", false],
])("%j is a playlist's path: %p", (path, expected) => {
  expect(isPlaylistPath(path)).toBe(expected);
});

describe("text is rewritten", () => {
  const identity: PlaylistHandling = { kind: "look", coding: "identity", isNamed: true };

  test.each<Case>([
    {},
    { status: 201 },
    { status: 299 },
    { method: "POST" },
    { path: "/a.M3U?x", headers: ["Content-Type: text/html"] },
    { headers: ["Content-Length: 1"] },
    { headers: [`Content-Length: ${MAX_PLAYLIST_BYTES}`] },
    { headers: ["Transfer-Encoding: Chunked"] },
    { headers: ["Transfer-Encoding: "] },
    { headers: ["Transfer-Encoding: identity"] },
    { headers: ["Transfer-Encoding: chunked", "Content-Length: 99999999"] },
    { headers: ["Content-Encoding: identity"] },
    { headers: ["Content-Encoding: "] },
    { headers: [`Content-Length: ${MAX_PLAYLIST_BYTES + 1}`] },
    { status: 206, range: "bytes=0-", headers: ["Content-Range: bytes 0-99/100"] },
    { status: 206, range: "Bytes = 0-", headers: ["Content-Range: bytes 0-99/*"] },
    ...[
      "application/vnd.apple.mpegurl",
      "application/x-mpegURL",
      "audio/x-mpegurl; charset=utf-8",
      "AUDIO/MPEGURL",
    ].map((type) => ({ path: "/a", headers: [`content-type: ${type}`] })),
  ])("%j", (given) => {
    expect(handle(given)).toEqual(identity);
  });

  test.each<[coding: "gzip" | "deflate" | "br", value: string]>([
    ["gzip", "GZIP"],
    ["gzip", "x-gzip"],
    ["deflate", "deflate"],
    ["br", "br"],
  ])("after %s was undone: %s", (coding, value) => {
    expect(handle({ headers: [`Content-Encoding: ${value}`] })).toEqual({ kind: "look", coding, isNamed: true });
  });
});

test.each<Case>([
  { method: "HEAD" },
  { status: 301 },
  { status: 404 },
  { status: 204 },
  { status: 206 },
  { status: 206, range: "bytes=0-", headers: ["Content-Range: bytes 0-98/100"] },
  { status: 206, range: "bytes=0-", headers: ["Content-Range: bytes 1-99/100"] },
  { status: 206, range: "bytes=0-99", headers: ["Content-Range: bytes 0-99/100"] },
  { status: 206, headers: ["Content-Range: bytes 0-99/100"] },
  { path: "/a", headers: ["Content-Type: text/event-stream; charset=utf-8"] },
  { headers: ["Content-Length: 0"] },
  { headers: ["Content-Encoding: zstd"] },
  { headers: ["Content-Encoding: gzip, gzip"] },
  { headers: ["Content-Encoding: toString"] },
])("%j is relayed as it comes", (given) => {
  expect(handle(given)).toEqual({ kind: "relay" });
});

test.each<Case>([
  { path: "/a.ts" },
  { path: "/a", headers: ["Content-Type: text/plain; x=audio/mpegurl"] },
  { path: "/a", headers: ["Content-Type: application/mpegurl"] },
  { path: "/a.ts", status: 206, range: "bytes=0-", headers: ["Content-Range: bytes 0-0/1"] },
])("%j is rewritten if it begins as a playlist", (given) => {
  expect(handle(given)).toEqual({ kind: "look", coding: "identity", isNamed: false });
});

test.each(["gzip, chunked", "chunked;x", "chunked, chunked", "gzip"])("transfer coding %j is refused", (coding) => {
  expect(handle({ headers: [`Transfer-Encoding: ${coding}`] })).toEqual({ kind: "refuse" });
  expect(handle({ path: "/a.ts", headers: [`Transfer-Encoding: ${coding}`] })).toEqual({ kind: "relay" });
});
