/** The states of an FCC start, and what leads from one to another: one table (fcc.md sections 6 and 13). */
import { CLIENT_STATE, type ClientState } from "../../wire/status/client-state.ts";

export type FccState =
  /** A server is asked. */
  | "requested"
  /** It has not answered in time: the group is joined, and whatever comes first is taken. */
  | "requested-late"
  /** The server has accepted; its media have not come. */
  | "unicast-pending"
  /** They have not come in time: the group is joined, and whatever comes first is taken. */
  | "unicast-late"
  | "unicast-active"
  /** The group is joined, unicast is still delivered, what the group brings is held back. */
  | "mcast-requested"
  /** The group alone. The end. */
  | "mcast-active";

export type FccEvent =
  | "accepted"
  /** There will be no unicast. */
  | "declined"
  | "notified"
  | "unicast-media"
  /** The group has brought media. */
  | "group-media"
  /** The server has been silent for so long that the group is joined. */
  | "overdue"
  /** It has been silent for so long that it is awaited no more. */
  | "silent"
  /** Unicast has reached the group. */
  | "caught-up";

/** What is not in the table leaves the state as it is. */
export const TRANSITIONS: Readonly<Record<FccState, Readonly<Partial<Record<FccEvent, FccState>>>>> = {
  requested: {
    accepted: "unicast-pending",
    declined: "mcast-active",
    notified: "mcast-requested",
    overdue: "requested-late",
  },
  "requested-late": {
    accepted: "unicast-late",
    declined: "mcast-active",
    notified: "mcast-requested",
    "unicast-media": "mcast-requested",
    "group-media": "mcast-active",
    silent: "mcast-active",
  },
  "unicast-pending": {
    "unicast-media": "unicast-active",
    notified: "mcast-requested",
    overdue: "unicast-late",
  },
  "unicast-late": {
    "unicast-media": "mcast-requested",
    notified: "mcast-requested",
    "group-media": "mcast-active",
    silent: "mcast-active",
  },
  "unicast-active": {
    notified: "mcast-requested",
    overdue: "mcast-requested",
    silent: "mcast-active",
  },
  "mcast-requested": {
    "caught-up": "mcast-active",
    silent: "mcast-active",
  },
  "mcast-active": {},
};

/** As published; the group's own state follows when its media come. */
export const PUBLISHED: Readonly<Record<FccState, ClientState>> = {
  requested: CLIENT_STATE.fccRequested,
  "requested-late": CLIENT_STATE.fccJoiningMulticast,
  "unicast-pending": CLIENT_STATE.fccWaitingForUnicast,
  "unicast-late": CLIENT_STATE.fccJoiningMulticast,
  "unicast-active": CLIENT_STATE.fccUnicastActive,
  "mcast-requested": CLIENT_STATE.fccJoiningMulticast,
  "mcast-active": CLIENT_STATE.multicastActive,
};

/** When the server was last heard, and what it is compared with; all in ms of one clock. */
export interface FccClock {
  readonly askedAt: number;
  /** ∞ before that. */
  readonly acceptedAt: number;
  /** When the first packet of the group was held back; ∞ before that. */
  readonly joinedAt: number;
  /** The last datagram, or the request. */
  readonly heardAt: number;
  readonly hasUnicast: boolean;
}

/** Silence after which the group is joined. */
const PATIENCE_MS = 80;
/** A server that was not asked lately may take so long to answer … */
const ANSWER_LIMIT_MS = 600;
/** … and so long for its first packet. */
const MEDIA_LIMIT_MS = 500;
const UNICAST_SILENCE_MS = 1000;
/** From the acceptance on; a server that sends no notice would go on for ever. */
const NOTICE_LIMIT_MS = 15_000;
/** Unicast that has not reached the group by then never will: its sequence numbers are others. */
const CATCH_UP_LIMIT_MS = 5000;

/** The event that time brings, if it does. */
export function dueEvent(state: FccState, clock: FccClock, now: number): FccEvent | undefined {
  const silentMs = now - clock.heardAt;
  switch (state) {
    case "requested":
      // A server that sends media without an answer is not silent.
      return silentMs >= PATIENCE_MS || now - clock.askedAt >= NOTICE_LIMIT_MS ? "overdue" : undefined;
    case "unicast-pending":
      return silentMs >= PATIENCE_MS ? "overdue" : undefined;
    case "requested-late":
      return now - clock.askedAt >= ANSWER_LIMIT_MS ? "silent" : undefined;
    case "unicast-late":
      return now - clock.acceptedAt >= MEDIA_LIMIT_MS ? "silent" : undefined;
    case "unicast-active":
      if (silentMs >= UNICAST_SILENCE_MS) return "silent";
      return now - clock.acceptedAt >= NOTICE_LIMIT_MS ? "overdue" : undefined;
    case "mcast-requested":
      if (now - clock.joinedAt >= CATCH_UP_LIMIT_MS) return "silent";
      return silentMs >= (clock.hasUnicast ? UNICAST_SILENCE_MS : PATIENCE_MS) ? "silent" : undefined;
    case "mcast-active":
      return undefined;
  }
}
