/** FCC starts on loopback, with servers of both dialects, good ones and bad ones. */
import { afterEach, describe, expect, test } from "bun:test";
import { KnownServers } from "../../../src/upstream/fcc/known-servers.ts";
import { FccServer, type FccServerOptions } from "../../fakes/fcc-server.ts";
import { openSockets } from "../../fakes/namespace.ts";
import { seededRandom } from "../../fakes/random.ts";
import { until } from "../../fakes/until.ts";
import { FccViewer, type ViewerOptions } from "./viewer.ts";

const DIALECTS = ["telecom", "huawei"] as const;
const COPIES = 3;

const viewers: FccViewer[] = [];
afterEach(() => {
  for (const viewer of viewers.splice(0)) viewer.close();
});

async function open(options: ViewerOptions = {}): Promise<FccViewer> {
  const viewer = await FccViewer.open(options);
  viewers.push(viewer);
  return viewer;
}

/** Another server of the same channel. */
function another(viewer: FccViewer, options: Partial<FccServerOptions> = {}): FccServer {
  const server = new FccServer({
    dialect: viewer.server.dialect,
    answerAfterMs: 5,
    ...options,
    channel: viewer.channel,
  });
  viewer.servers.push(server);
  return server;
}

/** Nothing is wrong with what was delivered, and there is some of it. */
function expectClean(viewer: FccViewer): void {
  const { missing, disorder, damaged, causes } = viewer;
  expect({ missing, disorder, damaged, causes }).toEqual({ missing: [], disorder: [], damaged: 0, causes: [] });
  expect(viewer.delivered.length).toBeGreaterThan(100);
}

/** The group is what is delivered, however the start went. */
function expectGroup(viewer: FccViewer): void {
  expect(viewer.state).toBe("mcast-active");
  const count = viewer.delivered.length;
  viewer.pass(500);
  expect(viewer.delivered.length).toBeGreaterThan(count + 100);
  expect(viewer.delivered.at(-1)).toBeGreaterThan(viewer.channel.indexAt(viewer.now) - 100);
  expectClean(viewer);
}

function warnings(viewer: FccViewer): string[] {
  return viewer.log.lines.filter((line) => /^(WARN|ERROR)/.test(line));
}

describe.each(DIALECTS)("a %s server", (dialect) => {
  test("starts the channel with its last key frame", async () => {
    const viewer = await open({ server: { dialect }, group: { joinDelayMs: 100 } });
    viewer.passUntil(() => viewer.firstAt !== undefined);
    expect(viewer.randomAccessAt! - viewer.openedAt).toBeLessThanOrEqual(20);
    expect(viewer.header("R2H-FCC-Type")).toBe(dialect);
    expect(viewer.header("R2H-FCC-Status")).toBe("active");
    viewer.passUntil(() => viewer.state === "mcast-active");
    expectGroup(viewer);
    expect(viewer.header("R2H-FCC-Status")).toBe("active");
    expect(viewer.states).toEqual([2, 3, 4, 5, 6]);
    expect(warnings(viewer)).toEqual([]);
    expect(viewer.log.lines.join("\n")).toContain("unicast started after");
  });

  test("is asked three times and told once where to stop, in three copies", async () => {
    const viewer = await open({ server: { dialect } });
    viewer.passUntil(() => viewer.state === "mcast-active");
    viewer.pass(2000);
    viewer.upstream.close();
    viewer.pass(10);
    expect(viewer.server.received.map(({ kind }) => kind)).toEqual([
      ...Array(COPIES).fill("request"),
      ...Array(COPIES).fill("termination"),
    ]);
    const first = Math.min(...viewer.group.arrived);
    expect(viewer.server.termination?.sequence).toBe(viewer.channel.sequenceOf(first + 2));
  });

  test("is told to stop at once when the client leaves during the burst", async () => {
    const before = openSockets();
    const viewer = await FccViewer.open({ server: { dialect } });
    viewer.passUntil(() => viewer.state === "unicast-active");
    viewer.upstream.close();
    viewer.server.step(viewer.now);
    expect(viewer.server.count("termination")).toBe(COPIES);
    expect(viewer.server.termination!.sequence).toBeUndefined();
    viewer.close();
    await until(() => openSockets(before).length === 0, 3000, "all sockets to be closed");
  });

  const misbehaviours: [string, Partial<FccServerOptions>, RegExp][] = [
    ["is silent", { answerAfterMs: undefined }, /has not answered within the limit of 80 ms/],
    ["refuses", { answer: "error" }, /no FCC \(error/],
    ["answers nonsense", { answer: "nonsense" }, /an answer that makes no sense/],
    ["needs no unicast", { answer: "join" }, /no unicast needed/],
    ["answers from another address", { answersFrom: "127.0.0.2" }, /127\.0\.0\.2 answers for FCC server/],
    ["answers in 14 bytes", { answerBytes: 14 }, /has not answered within the limit of 80 ms/],
    ["accepts and sends nothing", { stopsAfter: 0 }, /has sent nothing within the limit of 80 ms/],
    ["stops in the middle of the burst", { stopsAfter: 60 }, /has ended before it reached the group/],
    ["sends no notice", { sendsNotice: false }, /sends no notice/],
    ["numbers its packets otherwise", { sequenceOffset: 20_000 }, /has other sequence numbers than the group/],
    [
      "numbers its packets otherwise, backwards",
      { sequenceOffset: -20_000 },
      /has other sequence numbers than the group/,
    ],
  ];

  test.each(misbehaviours)("that %s costs nothing but the burst", async (_what, server, line) => {
    const viewer = await open({ server: { dialect, ...server } });
    viewer.passUntil(() => viewer.state === "mcast-active");
    viewer.pass(1500);
    expect(viewer.log.lines.join("\n")).toMatch(line);
    expect(viewer.causes).toEqual([]);
    expect(viewer.damaged).toBe(0);
    expect(viewer.delivered.at(-1)).toBeGreaterThan(viewer.channel.indexAt(viewer.now) - 100);
    expect(viewer.server.count("termination")).toBeGreaterThanOrEqual(COPIES);
    const terminations = viewer.server.count("termination");
    viewer.upstream.close();
    viewer.pass(10);
    expect(viewer.server.count("termination")).toBe(terminations);
  });

  test("that redirects is followed, without a termination for it", async () => {
    const viewer = await open({
      server: { dialect, answer: "redirect", redirectTo: () => ({ address: "127.0.0.3", port: second.port }) },
    });
    const second = another(viewer, { address: "127.0.0.3" });
    viewer.passUntil(() => viewer.state === "mcast-active");
    expectGroup(viewer);
    expect(viewer.header("R2H-FCC-Status")).toBe("active");
    expect(viewer.states).toEqual([2, 1, 2, 3, 4, 5, 6]);
    expect(warnings(viewer)).toEqual([]);
    expect(viewer.server.count("termination")).toBe(0);
    expect(second.count("termination")).toBe(COPIES);
    expect(viewer.upstream.details).toMatchObject({ fccServer: second.fcc, fccDialect: dialect, fccGapPackets: 0 });
  });

  test("that redirects in a circle is given up after five", async () => {
    const viewer = await open({
      server: { dialect, answer: "redirect", redirectTo: () => ({ address: "127.0.0.3", port: second.port }) },
    });
    const second = another(viewer, {
      address: "127.0.0.3",
      answer: "redirect",
      redirectTo: () => ({ address: "127.0.0.1", port: viewer.server.port }),
    });
    viewer.passUntil(() => viewer.state === "mcast-active");
    expectGroup(viewer);
    expect(viewer.header("R2H-FCC-Status")).toBe("fallback");
    expect(viewer.log.lines.join("\n")).toContain("too many redirects");
    expect(viewer.server.count("request") + second.count("request")).toBe(6 * COPIES);
  });

  test("that redirects to where nothing can be sent is named with that address", async () => {
    const viewer = await open({
      server: { dialect, answer: "redirect", redirectTo: () => ({ address: "255.255.255.255", port: 8027 }) },
    });
    viewer.passUntil(() => viewer.state === "mcast-active");
    expectGroup(viewer);
    expect(viewer.header("R2H-FCC-Status")).toBe("fallback");
    const from = `FCC server 127.0.0.1:${viewer.server.port}`;
    expect(viewer.log.lines.join("\n")).toContain(
      `${from}: it redirects to 255.255.255.255:8027, which cannot be asked`,
    );
  });

  test("that sends rubbish between its packets does no harm", async () => {
    const random = seededRandom(1);
    const viewer = await open({ server: { dialect }, group: { joinDelayMs: 50 } });
    for (let i = 0; i < 400; i++) {
      viewer.pass(2);
      if (viewer.server.received.length === 0) continue;
      const rubbish = Uint8Array.from({ length: 1 + Math.floor(random() * 60) }, () => random() * 256);
      // Half of it looks like a message of either dialect, the other half not like RTP, which would be media.
      if (i % 2 === 1) rubbish[0] = rubbish[0]! & 0x3f;
      else rubbish.set([0x80 + Math.floor(random() * 10), 205, 0, 1].slice(0, rubbish.length));
      // What says that the server wants no more is no rubbish.
      if (![3, 4, 6, 8].includes(rubbish[0]! - 0x80)) viewer.server.sendRaw(rubbish);
    }
    viewer.passUntil(() => viewer.state === "mcast-active");
    expectGroup(viewer);
    expect(viewer.upstream.details["fccGapPackets"]).toBe(0);
  });
});

describe("a silent server", () => {
  test("is waited for 80 ms, not longer", async () => {
    const viewer = await open({ server: { answerAfterMs: undefined } });
    viewer.pass(78);
    expect(viewer.group.isJoined).toBe(false);
    viewer.pass(10);
    expect(viewer.group.isJoined).toBe(true);
    viewer.pass(200);
    expect(viewer.states).toEqual([2, 5, 6]);
    expect(viewer.delivered.length).toBeGreaterThan(50);
  });
});

describe("a late server", () => {
  test("is taken as long as the group has brought nothing", async () => {
    const viewer = await open({ server: { answerAfterMs: 200 }, group: { joinDelayMs: 400 } });
    viewer.passUntil(() => viewer.state === "mcast-active");
    expectGroup(viewer);
    expect(viewer.header("R2H-FCC-Status")).toBe("active");
    expect(viewer.upstream.details["fccGapPackets"]).toBe(0);
    expect(viewer.server.termination?.sequence).toBeDefined();
  });

  test("whose media come late is taken too", async () => {
    const viewer = await open({ server: { burstAfterMs: 200 }, group: { joinDelayMs: 400 } });
    viewer.passUntil(() => viewer.state === "mcast-active");
    expectGroup(viewer);
    expect(viewer.header("R2H-FCC-Status")).toBe("active");
  });

  test("is told to stop when the group was quicker", async () => {
    const viewer = await open({ server: { answerAfterMs: 200 } });
    viewer.passUntil(() => viewer.firstAt !== undefined);
    expect(viewer.firstAt! - viewer.openedAt).toBeLessThan(120);
    expect(viewer.server.count("termination")).toBe(COPIES);
    viewer.passUntil(() => viewer.server.count("termination") > COPIES);
    expectGroup(viewer);
    expect(viewer.server.count("termination")).toBe(2 * COPIES);
    expect(viewer.header("R2H-FCC-Status")).toBe("fallback");
    expect(viewer.server.termination!.sequence).toBeUndefined();
    expect(viewer.server.arrived.size).toBeLessThan(20);
  });
});

describe("the dialect", () => {
  test("is found out, and remembered", async () => {
    const known = new KnownServers();
    const viewer = await open({
      server: { dialect: "huawei" },
      group: { joinDelayMs: 300 },
      fcc: { dialect: undefined },
      known,
    });
    viewer.passUntil(() => viewer.state === "mcast-active");
    expectGroup(viewer);
    expect(viewer.header("R2H-FCC-Type")).toBe("huawei");
    expect(viewer.header("R2H-FCC-Status")).toBe("active");
    expect(viewer.server.count("unknown")).toBeGreaterThan(0);
    const { address, port } = viewer.server;
    expect(known.dialectOf({ address: { family: 4, bytes: Uint8Array.from(address.split("."), Number) }, port })).toBe(
      "huawei",
    );
  });

  test("that the URL names is the only one", async () => {
    const viewer = await open({ server: { dialect: "huawei" }, fcc: { dialect: "telecom" } });
    viewer.pass(1000);
    expect(viewer.server.count("request")).toBe(0);
    expect(viewer.header("R2H-FCC-Status")).toBe("fallback");
  });
});

describe("a redirect that is remembered", () => {
  test("is asked first the next time, and the first server after 80 ms", async () => {
    const known = new KnownServers();
    const group = { group: "239.255.77.1", port: 40_177 };
    const first = await FccViewer.open({
      known,
      group,
      server: { answer: "redirect", redirectTo: () => ({ address: "127.0.0.3", port: second.port }) },
    });
    const second = another(first, { address: "127.0.0.3" });
    first.passUntil(() => first.state === "mcast-active");
    const asked = { host: first.server.address, port: first.server.port };
    first.upstream.close();

    const again = await open({ known, group, fcc: { server: asked, dialect: undefined } });
    again.servers.push(...first.servers);
    const [one, two] = [first.server.count("request"), second.count("request")];
    again.pass(40);
    expect([first.server.count("request"), second.count("request")]).toEqual([one, two + COPIES]);
    again.passUntil(() => again.state === "unicast-active");
    again.upstream.close();

    second.close();
    const third = await open({ known, group, fcc: { server: asked, dialect: "telecom" } });
    third.servers.push(first.server);
    third.pass(78);
    expect(first.server.count("request")).toBe(one);
    third.pass(20);
    expect(first.server.count("request")).toBe(one + COPIES);
    first.group.close();
  });
});

describe("a server that never answers", () => {
  test("is named once, after three channels", async () => {
    const known = new KnownServers();
    const warnings: string[] = [];
    const silent = new FccServer({ dialect: "telecom", channel: (await open()).channel });
    for (let channel = 0; channel < 5; channel++) {
      const viewer = await open({ known, fcc: { server: { host: "127.0.0.1", port: silent.port } } });
      viewer.pass(1500);
      warnings.push(...viewer.log.lines.filter((line) => line.includes("never answers")));
      if (channel < 2) expect(warnings).toEqual([]);
    }
    silent.close();
    expect(warnings).toEqual([
      expect.stringMatching(
        /^WARN FCC server 127\.0\.0\.1:\d+ never answers \(asked from 127\.0\.0\.1:\d+\); check the route/,
      ),
    ]);
  });
});

describe("ports", () => {
  test("are those of fcc-listen-port-range", async () => {
    for (const dialect of DIALECTS) {
      const viewer = await open({ server: { dialect }, fcc: { portRange: { min: 41_000, max: 41_003 } } });
      viewer.pass(20);
      const { port } = viewer.server.received[0]!;
      expect(port).toBeGreaterThanOrEqual(dialect === "huawei" ? 41_001 : 41_000);
      expect(port).toBeLessThanOrEqual(41_003);
    }
  });

  test("that are all in use cost nothing but the burst", async () => {
    const range = { portRange: { min: 41_010, max: 41_010 } };
    const one = await open({ fcc: range });
    const two = await open({ fcc: range });
    two.pass(1000);
    expectGroup(two);
    expect(two.header("R2H-FCC-Status")).toBe("fallback");
    expect(two.log.lines.join("\n")).toContain("no free port in 41010-41010");
    expect(one.state).toBe("requested");
  });
});

describe("through a NAT", () => {
  test("huawei's media port is punched with the session identifier", async () => {
    const viewer = await open({ server: { dialect: "huawei", needsPunch: true } });
    viewer.passUntil(() => viewer.state === "mcast-active");
    expect(viewer.server.count("punch")).toBe(COPIES);
    const request = viewer.server.received.find(({ kind }) => kind === "request")!;
    const punch = viewer.server.received.find(({ kind }) => kind === "punch")!;
    expect(punch.port).toBe(request.port - 1);
    expectGroup(viewer);
    expect(viewer.header("R2H-FCC-Status")).toBe("active");
  });

  test("telecom's media port may be another one", async () => {
    const viewer = await open({ server: { hasMediaPort: true } });
    viewer.passUntil(() => viewer.state === "mcast-active");
    expectGroup(viewer);
    expect(viewer.header("R2H-FCC-Status")).toBe("active");
    expect(viewer.server.empty).toEqual({ signalling: 0, media: COPIES });
  });
});

describe("a name", () => {
  test("is looked up", async () => {
    const viewer = await open({ fcc: {} });
    const named = await open({ fcc: { server: { host: "localhost", port: viewer.server.port } } });
    named.servers.push(viewer.server);
    const isAsked = () => {
      viewer.server.step(named.now);
      return viewer.server.count("request") > COPIES;
    };
    await until(isAsked, 3000, "the request");
  });

  test("without an address costs nothing but the burst", async () => {
    const viewer = await open({ fcc: { server: { host: "no.such.host.invalid", port: 8027 } } });
    viewer.pass(1000);
    expectGroup(viewer);
    expect(viewer.header("R2H-FCC-Status")).toBe("fallback");
  });
});

test("a group that is dead ends the upstream, as without FCC", async () => {
  const viewer = await open({ server: { answerAfterMs: undefined } });
  viewer.group.isDead = true;
  viewer.pass(4000);
  expect(viewer.causes).toEqual([expect.objectContaining({ code: "no-data" })]);
});

test("the ring is asked to hold the burst", async () => {
  const viewer = await open({ channel: { bitsPerSecond: 30_000_000, keyFrameEvery: 2850 }, server: { factor: 2 } });
  viewer.pass(2500);
  const bytes = viewer.upstream.details["fccBurstBytes"] as number;
  expect(bytes).toBeGreaterThan(2_000_000);
  expect(viewer.retained).toBeGreaterThan(2_000_000);
});
