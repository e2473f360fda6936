/** What a protocol's planner is asked, and what it answers: a URL becomes a plan (upstream/plans.ts has the table). */
import type { UpstreamPlan } from "../relay/upstream.ts";
import type { Log } from "../system/log.ts";
import type { Reach } from "../system/reach.ts";
import type { HeaderField } from "../wire/http/header-fields.ts";
import type { ClientState } from "../wire/status/client-state.ts";
import type { ByteString } from "../wire/text/byte-string.ts";
import type { BaseUrlRules } from "../wire/url/base-url.ts";
import type { LinkSeal } from "../wire/url/link-seal.ts";

/** What a list wants to be sent with the requests of a channel. */
export interface PrescribedHeaders {
  readonly channel: ByteString;
  readonly headers: readonly HeaderField[];
  /** Of the channel, if it holds a user and a password for its server. */
  readonly url?: ByteString | undefined;
}

/** What a client asks for. */
export interface PlanRequest {
  /** `scheme://…` with all parameters of the request; a channel's with the request's query merged in. */
  readonly url: ByteString;
  /** As the playlist has it; undefined for a URL that came whole from a client. */
  readonly serviceUrl: ByteString | undefined;
  /** By which the client has asked, raw, within the app prefix and without query. */
  readonly path: ByteString;
  /** Of the channel whose URL it is, or whose playlist or redirect led to it, if its list prescribes any (m3u.md section 4.1). */
  readonly prescribed?: PrescribedHeaders | undefined;
  /** HEAD asks what there is; `info` must then be all that comes. */
  readonly method: string;
  readonly headers: readonly HeaderField[];
  /** Of a client that speaks HTTP/1.0 and cannot read chunks. */
  readonly isHttp10?: boolean;
  readonly body: Uint8Array;
  /** A picture is wanted in the place of the stream. */
  readonly isSnapshot: boolean;
  /** The client's address, if it has one. */
  readonly client?: string;
  /** Ms since 1970. */
  readonly nowMs: number;
}

/** What a URL asks for, with what is to be known before it is opened. */
export interface PlannedUpstream extends UpstreamPlan {
  /** Of the client, until the upstream tells another. */
  readonly firstState: ClientState;
  /** False when asking takes no slot of the client limit and no line in the access log. */
  readonly countsAsClient: boolean;
  /** Whether a picture can be made of its media. */
  readonly canSnapshot: boolean;
  /** For the access log (config.md section 14). `url`: without the token and what is for this relay. */
  readonly accessLog: { readonly serviceType: string; readonly url: ByteString };
}

/** The URL cannot be served; the client is answered with this status. */
export interface UnplannableUrl {
  readonly status: number;
}

export type Planner = (request: PlanRequest) => PlannedUpstream | UnplannableUrl;

/** URLs in our answers that lead back to this relay: what they begin with, and the token they carry (m3u.md section 7). */
export interface OwnLinks {
  /** For `baseUrl`; its prefix is a byte string. */
  readonly rules: BaseUrlRules;
  /** Added to every link as `r2h-token`. */
  readonly encodedToken: string | undefined;
  /** Proves links that lead to upstreams. */
  readonly seal?: LinkSeal | undefined;
  /** Whether all links are to be proven (`-U`); by default those that prescribed headers go along with. */
  readonly sealsAll?: boolean;
}

/** What planners need of the worker. */
export interface PlannerParts {
  readonly log: Log;
  readonly links: OwnLinks;
  /** Whoever connects or sends to somebody asks it first. */
  readonly reach: Reach;
}
