/** The command `probe`: opens an upstream as a worker would, looks at every packet for a while, and tells what it has seen (health.md section 7). */
import { secretsOf } from "../config/secrets.ts";
import type { Settings } from "../config/settings.ts";
import { Hub } from "../relay/hub.ts";
import { createLog, type Log } from "../system/log.ts";
import { Reach } from "../system/reach.ts";
import { keepSecret } from "../system/shown.ts";
import type { OwnLinks, PlannedUpstream, PrescribedHeaders } from "../upstream/planner.ts";
import { planners, protocolsFinished } from "../upstream/plans.ts";
import { asByteString, type ByteString, utf8Encode } from "../wire/text/byte-string.ts";
import { ChannelSearchError, findChannel } from "./channel.ts";
import { observe } from "./observe.ts";
import { reportText } from "./report.ts";
import { type ProbeResult, resultOf } from "./result.ts";

/** What the command line asks for. */
export interface ProbeRequest {
  /** A URL with a scheme, or the name of a channel. */
  readonly target: string;
  readonly seconds: number;
  readonly json: boolean;
}

interface ProbeIo {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

const URL_LIKE = /^([a-z]+):\/\/(.*)$/is;
const MAX_REDIRECTS = 5;
/** A session's server is told that it is over, but not waited for longer. */
const FINISH_MS = 1000;
/** Nobody follows links of ours. */
const NO_LINKS: OwnLinks = {
  rules: {
    relative: true,
    appPathPrefix: asByteString(""),
    trustForwarded: false,
    local: { host: "127.0.0.1", port: 80 },
  },
  encodedToken: undefined,
};

/** What is to be opened. */
interface Target {
  readonly url: ByteString;
  readonly serviceUrl?: ByteString;
  readonly prescribed?: PrescribedHeaders | undefined;
}

/** Resolves with the exit status: 0 when it plays. */
export async function runProbe(
  settings: Settings,
  request: ProbeRequest,
  { stdout, stderr }: ProbeIo,
): Promise<number> {
  keepSecret(secretsOf(settings));
  const log = createLog({ level: settings.verbosity, prefix: "Probe", write: stderr, terminal: false });
  const reach = new Reach(settings, () => false);
  try {
    const target = await targetOf(settings, request.target, reach, log);
    const result = await probe(settings, target, request.seconds, reach, log);
    stdout(request.json ? `${JSON.stringify(result, undefined, 2)}\n` : reportText(result));
    return result.plays ? 0 : 1;
  } catch (error) {
    if (!(error instanceof ChannelSearchError)) throw error;
    stderr(`sluice: ${error.message}\n`);
    return 1;
  } finally {
    await protocolsFinished(FINISH_MS);
  }
}

async function targetOf(settings: Settings, text: string, reach: Reach, log: Log): Promise<Target> {
  const [, scheme, rest] = URL_LIKE.exec(text) ?? [];
  if (scheme !== undefined) return { url: utf8Encode(`${scheme.toLowerCase()}://${rest}`) };
  const { url, name, headers } = await findChannel(settings, text, reach, log);
  return { url, serviceUrl: url, prescribed: headers.length === 0 ? undefined : { channel: name, headers } };
}

async function probe(settings: Settings, first: Target, seconds: number, reach: Reach, log: Log): Promise<ProbeResult> {
  const hub = new Hub({ bufferSlots: settings.bufferPoolMaxSize, fastStart: false, log });
  const byScheme = planners(settings, { log, links: NO_LINKS, reach });
  let target = first;
  for (let redirects = 0; ; redirects++) {
    const plan = planOf(byScheme.get(target.url.slice(0, target.url.indexOf(":"))), target);
    if (plan === undefined) {
      throw new ChannelSearchError(`sluice cannot open such a URL; what it can are ${[...byScheme.keys()].join(", ")}`);
    }
    const seen = await observe(hub, plan, seconds);
    const next = redirects < MAX_REDIRECTS ? redirected(seen.location) : undefined;
    if (next === undefined) return resultOf(seen);
    log.info(`Redirected to another server`);
    target = { ...target, url: next };
  }
}

function planOf(planner: ReturnType<ReturnType<typeof planners>["get"]>, target: Target): PlannedUpstream | undefined {
  const plan = planner?.({
    url: target.url,
    serviceUrl: target.serviceUrl,
    prescribed: target.prescribed,
    path: asByteString("/"),
    method: "GET",
    headers: [],
    body: new Uint8Array(0),
    isSnapshot: false,
    nowMs: Date.now(),
  });
  return plan === undefined || "status" in plan ? undefined : plan;
}

/** Redirects lead through this relay, `/http/HOST…`, or stay as they are. */
function redirected(location: string | undefined): ByteString | undefined {
  const [, scheme, rest] =
    /^(?:\/(https?)\/)(.*)$/s.exec(location ?? "") ?? /^(https?):\/\/(.*)$/s.exec(location ?? "") ?? [];
  return scheme === undefined ? undefined : asByteString(`${scheme}://${rest}`);
}
