import { describe, expect, test } from "bun:test";
import { version } from "../../package.json";
import { defaultDraft, OPTIONS } from "../../src/config/options.ts";
import type { SettingName, SettingValues } from "../../src/config/settings.ts";
import { parseAllowedHost } from "../../src/wire/url/allowed-hosts.ts";
import { parsePublicHost } from "../../src/wire/url/public-host.ts";
import { rules } from "../fakes/reach.ts";
import { load, loadText } from "./files.ts";

/** The compiler keeps this complete, and with it the table. */
const DEFAULTS: SettingValues = {
  listen: [{ host: undefined, port: 5140 }],
  workers: 1,
  maxClients: 5,
  maxConnections: undefined,
  maxConnectionsPerAddress: undefined,
  pidFile: undefined,
  user: undefined,
  bufferPoolMaxSize: 16384,
  udpReceiveBufferSize: undefined,
  zerocopyOnSend: false,
  hostname: undefined,
  allowedHosts: [],
  xff: false,
  r2hToken: undefined,
  corsAllowOrigin: undefined,
  udpxy: true,
  appPathPrefix: undefined,
  upstreamAllow: [],
  upstreamDeny: [],
  statusPagePath: "/status",
  playerPagePath: "/player",
  upstreamInterface: undefined,
  upstreamInterfaceMulticast: undefined,
  upstreamInterfaceFcc: undefined,
  upstreamInterfaceRtsp: undefined,
  upstreamInterfaceHttp: undefined,
  multicastRejoinInterval: 0,
  multicastGapTimeout: 15,
  fastStart: true,
  streamHealth: false,
  fccListenPortRange: undefined,
  rtspStunServer: undefined,
  rtspUserAgent: `sluice/${version}`,
  httpProxyUserAgent: undefined,
  httpAnswerTimeout: 15,
  playlistUserAgent: "VLC/3.0.21 LibVLC/3.0.21",
  proxyHttps: false,
  externalM3u: [],
  externalM3uUpdateInterval: 7200,
  useRelativePathInM3u: false,
  videoSnapshot: false,
  ffmpegPath: "ffmpeg",
  ffmpegArgs: "-hwaccel none",
  verbosity: 1,
  accessLog: undefined,
  logFormat: '$client_addr [$time_iso8601] "$service_url" $service_type "$upstream_url"',
};

function effectOf(long: string) {
  const effect = OPTIONS.find((option) => option.long === long)?.effect;
  if (effect?.kind !== "set") throw new Error(`--${long} sets nothing`);
  return effect;
}

describe("the table", () => {
  test("gives every setting its default", () => {
    const { values, given } = defaultDraft();
    expect(Object.keys(values).sort()).toEqual(Object.keys(DEFAULTS).sort());
    expect(values).toEqual(DEFAULTS);
    expect(given.size).toBe(0);
  });

  test("has each name once, in the form that the parser expects", () => {
    const names = OPTIONS.flatMap(({ long, short }) => (short === undefined ? [long] : [long, short]));
    const keys = OPTIONS.flatMap(({ keys = [] }) => keys);
    expect(new Set(names).size).toBe(names.length);
    expect(new Set(keys).size).toBe(keys.length);
    for (const { long, short } of OPTIONS) {
      expect(long).toMatch(/^[a-z0-9][a-z0-9-]+$/);
      if (short !== undefined) expect(short).toMatch(/^[A-Za-z]$/);
    }
    for (const key of keys) expect(key).toMatch(/^[a-z0-9_-]+$/);
  });

  test("a key of the file can say what its flag says, and the opposite", () => {
    const draft = defaultDraft();
    const effect = effectOf("no-fast-start");
    effect.apply(draft, undefined, "flag");
    expect(draft.values.fastStart).toBe(false);
    effect.apply(draft, "yes", "file");
    expect(draft.values.fastStart).toBe(true);
  });

  test("a refused text changes nothing and does not count as given", () => {
    const draft = defaultDraft();
    expect(effectOf("udp-rcvbuf-size").apply(draft, "65535", "flag")).toEqual({
      refused: "Invalid udp-rcvbuf-size! Must be >= 65536 (64KB). Ignoring.",
      fatal: false,
    });
    expect(draft).toEqual(defaultDraft());
  });

  test("a reset brings the default back", () => {
    const draft = defaultDraft();
    for (const long of ["udp-rcvbuf-size", "maxclients"]) {
      effectOf(long).apply(draft, "70000", "flag");
      effectOf(long).apply(draft, "7", "flag");
      effectOf(long).reset(draft);
    }
    effectOf("quiet").apply(draft, undefined, "flag");
    effectOf("quiet").reset(draft);
    expect(draft.values).toEqual({ ...DEFAULTS, verbosity: 0 });
    effectOf("verbose").reset(draft);
    expect(draft.values).toEqual(DEFAULTS);
  });
});

const allowedHost = (text: string) => parseAllowedHost(text)!;

/** What a flag and a file key say, where both can say what they like. */
const VALUED: [
  long: string,
  setting: SettingName,
  flag: string,
  flagValue: unknown,
  file: string,
  fileValue: unknown,
][] = [
  ["workers", "workers", "2", 2, "3", 3],
  ["maxclients", "maxClients", "65535", 65535, "1 only", 1],
  ["user", "user", "tv:video", "tv:video", "nobody", "nobody"],
  ["pid-file", "pidFile", "/run/a", "/run/a", "b.pid", "b.pid"],
  ["buffer-pool-max-size", "bufferPoolMaxSize", "1", 1, "65536", 65536],
  ["udp-rcvbuf-size", "udpReceiveBufferSize", "65536", 65536, "524288", 524288],
  [
    "hostname",
    "hostname",
    "tv.example",
    parsePublicHost("tv.example"),
    "https://tv.example/x",
    parsePublicHost("https://tv.example/x"),
  ],
  ["allowed-hosts", "allowedHosts", "a.b:80", [allowedHost("a.b:80")], ".c, d *", [".c", "d", "*"].map(allowedHost)],
  ["r2h-token", "r2hToken", "a", "a", 'b "c', 'b "c'],
  ["cors-allow-origin", "corsAllowOrigin", "*", "*", "http://a", "http://a"],
  ["app-path-prefix", "appPathPrefix", "/a/", "/a", "b/c", "/b/c"],
  ["status-page-path", "statusPagePath", "/", "/", "//s//", "/s"],
  ["player-page-path", "playerPagePath", "tv", "/tv", "/p/q", "/p/q"],
  ["upstream-interface", "upstreamInterface", "eth0", "eth0", "eth1", "eth1"],
  ["upstream-interface-multicast", "upstreamInterfaceMulticast", "eth0", "eth0", "eth1", "eth1"],
  ["upstream-interface-fcc", "upstreamInterfaceFcc", "eth0", "eth0", "eth1", "eth1"],
  ["upstream-interface-rtsp", "upstreamInterfaceRtsp", "eth0", "eth0", "eth1", "eth1"],
  ["upstream-interface-http", "upstreamInterfaceHttp", "eth0", "eth0", "0123456789abcdef", "0123456789abcde"],
  ["mcast-rejoin-interval", "multicastRejoinInterval", "30", 30, "60", 60],
  ["max-connections", "maxConnections", "1", 1, "3000", 3000],
  ["max-connections-per-address", "maxConnectionsPerAddress", "0", 0, "64", 64],
  ["mcast-gap-timeout", "multicastGapTimeout", "1", 1, "3600", 3600],
  ["fcc-listen-port-range", "fccListenPortRange", "5", { min: 5, max: 5 }, "6 - 7", { min: 6, max: 7 }],
  ["rtsp-stun-server", "rtspStunServer", "a", { host: "a", port: 3478 }, "b:5", { host: "b", port: 5 }],
  ["rtsp-user-agent", "rtspUserAgent", "a/1", "a/1", "b/2 c", "b/2 c"],
  ["http-answer-timeout", "httpAnswerTimeout", "1", 1, "600", 600],
  ["http-proxy-user-agent", "httpProxyUserAgent", "a/1", "a/1", "b/2 c", "b/2 c"],
  [
    "upstream-allow",
    "upstreamAllow",
    "10.0.0.0/8",
    rules("10.0.0.0/8"),
    "*.tv.example, :80",
    rules("*.tv.example :80"),
  ],
  ["upstream-deny", "upstreamDeny", "*", rules("*"), "fe80::/10 a.b:1-2", rules("fe80::/10 a.b:1-2")],
  ["playlist-user-agent", "playlistUserAgent", "a/1", "a/1", "b/2 c", "b/2 c"],
  ["external-m3u", "externalM3u", "file:///a", ["file:///a"], "http://b https://c", ["http://b", "https://c"]],
  ["external-m3u-update-interval", "externalM3uUpdateInterval", "0", 0, "60", 60],
  ["ffmpeg-path", "ffmpegPath", "/bin/a", "/bin/a", "b", "b"],
  ["ffmpeg-args", "ffmpegArgs", "", "", "-a 'b c'", "-a 'b c'"],
  ["verbose", "verbosity", "3", 3, "9", 4],
  ["access-log", "accessLog", "/a", "/a", "/b", "/b"],
  ["log-format", "logFormat", "$a", "$a", "$b = $c", "$b = $c"],
];

/** Flags, which can only say one thing. */
const FLAGS: [long: string, setting: SettingName, flagValue: boolean][] = [
  ["zerocopy-on-send", "zerocopyOnSend", true],
  ["xff", "xff", true],
  ["noudpxy", "udpxy", false],
  ["no-fast-start", "fastStart", false],
  ["stream-health", "streamHealth", true],
  ["proxy-https", "proxyHttps", true],
  ["use-relative-path-in-m3u", "useRelativePathInM3u", true],
  ["video-snapshot", "videoSnapshot", true],
];

function keysOf(long: string): readonly string[] {
  return OPTIONS.find((option) => option.long === long)?.keys ?? [];
}

describe("options with a value", () => {
  test.each(VALUED)("--%s", (long, setting, flag, flagValue, file, fileValue) => {
    const before: SettingValues = { ...DEFAULTS };
    expect(before[setting]).not.toEqual(fileValue as never);
    expect(before[setting]).not.toEqual(flagValue as never);
    const fromFlag = load(["-C", `--${long}=${flag}`], {}).settings;
    expect(fromFlag).toMatchObject({ ...DEFAULTS, [setting]: flagValue });
    expect(keysOf(long)).not.toBeEmpty();
    for (const key of keysOf(long)) {
      const text = `[global]\n${key} = ${file}\n`;
      const fromFile = loadText(text);
      expect(fromFile.diagnostics).toEqual([]);
      expect(fromFile.settings).toMatchObject({ ...DEFAULTS, [setting]: fileValue });
      expect([...fromFile.settings.given]).toEqual([setting]);
      expect(loadText(text, `--${long}`, flag).settings).toEqual(fromFlag);
      // The order of the words means nothing.
      expect(load(["-c", "x", `--${long}`, flag], { x: text }).settings).toEqual(fromFlag);
    }
  });
});

describe("flags", () => {
  test.each(FLAGS)("--%s", (long, setting, flagValue) => {
    const fromFlag = load(["-C", `--${long}`], {}).settings;
    expect(fromFlag).toMatchObject({ ...DEFAULTS, [setting]: flagValue });
    const [key] = keysOf(long);
    for (const text of ["yes", "no"]) {
      expect(loadText(`[global]\n${key} = ${text}`).settings).toMatchObject({ ...DEFAULTS, [setting]: text === "yes" });
      expect(loadText(`[global]\n${key} = ${text}`, `--${long}`).settings).toEqual(fromFlag);
    }
  });
});

test("every option is in one of these tests", () => {
  const tested = [...VALUED, ...FLAGS].map(([long]) => long);
  const elsewhere = ["listen", "quiet", "config", "noconfig", "help", "version"];
  expect([...tested, ...elsewhere].sort()).toEqual(OPTIONS.map(({ long }) => long).sort());
});
