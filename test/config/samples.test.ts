import { describe, expect, test } from "bun:test";
import { defaultDraft } from "../../src/config/options.ts";
import type { SettingName, SettingValues } from "../../src/config/settings.ts";
import { parseAllowedHost } from "../../src/wire/url/allowed-hosts.ts";
import { parsePathPrefix } from "../../src/wire/url/path-prefix.ts";
import { parsePublicHost } from "../../src/wire/url/public-host.ts";
import { rules } from "../fakes/reach.ts";
import { loadText } from "./files.ts";
import { SAMPLES } from "./samples.ts";

type Expected = Partial<SettingValues> & { services?: string };

const EVERYTHING: SettingValues = {
  workers: 4,
  maxClients: 100,
  maxConnections: 2000,
  maxConnectionsPerAddress: 50,
  pidFile: "/run/sluice.pid",
  user: "tv:video",
  bufferPoolMaxSize: 65536,
  udpReceiveBufferSize: 1048576,
  zerocopyOnSend: true,
  hostname: parsePublicHost("https://tv.example:8443/iptv"),
  allowedHosts: ["nas.example:5140", ".home.example", "*"].map((text) => parseAllowedHost(text)!),
  xff: true,
  r2hToken: "secret word",
  corsAllowOrigin: "*",
  udpxy: false,
  appPathPrefix: parsePathPrefix("/iptv"),
  statusPagePath: "/state",
  playerPagePath: "/",
  upstreamAllow: rules("10.0.0.0/8 *.tv.example"),
  upstreamDeny: rules("10.0.0.1 [2001:db8::]/32"),
  upstreamInterface: "br-lan",
  upstreamInterfaceMulticast: "eth1.85",
  upstreamInterfaceFcc: "eth2",
  upstreamInterfaceRtsp: "eth3",
  upstreamInterfaceHttp: "eth4",
  multicastRejoinInterval: 60,
  multicastGapTimeout: 30,
  fastStart: false,
  streamHealth: true,
  fccListenPortRange: { min: 40000, max: 40100 },
  rtspStunServer: { host: "stun.example", port: 3478 },
  rtspUserAgent: "Player/1.0",
  httpProxyUserAgent: "Proxy/2.0 (x; y)",
  httpAnswerTimeout: 20,
  playlistUserAgent: "Lists/1.0",
  proxyHttps: true,
  externalM3u: ["https://m3u.example/list?a=b#c", "file:///etc/my list.m3u"],
  externalM3uUpdateInterval: 0,
  useRelativePathInM3u: true,
  videoSnapshot: true,
  ffmpegPath: "/opt/bin/ffmpeg",
  ffmpegArgs: "-hwaccel vaapi -threads 1",
  verbosity: 4,
  accessLog: "/var/log/sluice.log",
  logFormat: '$remote_addr "$request"',
  listen: [
    { host: undefined, port: 5140 },
    { host: "192.168.1.1", port: 8081 },
    { host: "2001:db8::1", port: 5140 },
    { host: "2001:db8::2", port: 8080 },
    { host: "tv.example", port: 80 },
  ],
};

const EXPECTED: Readonly<Record<keyof typeof SAMPLES, Expected>> = {
  minimal: { upstreamInterface: "eth1" },
  everything: {
    ...EVERYTHING,
    services: `#EXTM3U x-tvg-url="https://epg.example/epg.xml.gz"
#EXTINF:-1 group-title="News",One
rtp://239.0.0.1:5000?fcc=192.0.2.1:8027
`,
  },
  hostile: {
    maxClients: 7,
    r2hToken: '"quoted" ; no comment',
    xff: false,
    hostname: parsePublicHost("h".repeat(10_000)),
    appPathPrefix: undefined,
    pidFile: "a=b",
    listen: [
      { host: "::1", port: 8080 },
      { host: undefined, port: 80 },
    ],
    services: "#EXTM3U\n#EXTINF:-1,Ünïcode \u{1f4fa}\nrtp://239.0.0.1:5000\n",
  },
};

describe("the settings of the sample", () => {
  test.each(Object.entries(EXPECTED))("%s", (name, expected) => {
    const { settings } = loadText(SAMPLES[name as keyof typeof SAMPLES]);
    const { services = "", ...values } = expected;
    const given = new Set(Object.keys(values) as SettingName[]);
    expect(settings).toEqual({ ...defaultDraft().values, ...values, services, given });
  });
});

test("only the hostile sample is reported", () => {
  expect(loadText(SAMPLES.minimal).diagnostics).toEqual([]);
  expect(loadText(SAMPLES.everything).diagnostics).toEqual([]);
  const diagnostics = loadText(SAMPLES.hostile).diagnostics.map(({ line, message }) => `${line}: ${message}`);
  expect(diagnostics).toEqual([
    "1: Unrecognised config line: \u0002\u0001 before = all",
    "5: Invalid xff value: on ; not a boolean any more! Must be on or off. Taken as off.",
    "6: Invalid workers value! Must be between 1 and 32. Ignoring.",
    "7: Invalid workers value! Must be between 1 and 32. Ignoring.",
    "8: Invalid udp-rcvbuf-size! Must be >= 65536 (64KB). Ignoring.",
    "9: Invalid mcast-rejoin-interval! Must be >= 0. Ignoring.",
    "10: Invalid fcc-listen-port-range value: 50000-40000",
    "11: Invalid external-m3u value: ftp://m3u.example/: must be a path, or begin with file://, http:// or https://",
    "12: Invalid rtsp-stun-server value: stun.example:http",
    "13: status-page-path cannot be empty, keeping previous value",
    "14: player-page-path is too long, keeping previous value",
    expect.stringMatching(
      /^15: Invalid hostname! Until it is a host, HOST:PORT or a URL, every request is refused: hhh/,
    ),
    "16: Unknown config parameter: __proto__",
    "17: Unrecognised config line: = value",
    "18: Unrecognised config line: no equals sign",
    "20: Unterminated section: [global",
    "22: Invalid section name: gl0bal",
    "26: Invalid TCP bind address line: unknown port -1 for *",
    "28: Invalid Unix socket bind path (whitespace is not supported): /run/with blank",
    "29: Invalid TCP bind address line: missing port for lonely",
    "32: Ignoring unparsable line in [services]: 'TYPE;239.0.0.1'",
  ]);
});
