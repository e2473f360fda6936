/** The states of a client on the status page (status.md section 4). */

export const CLIENT_STATE = {
  connecting: 0,
  fccInitial: 1,
  fccRequested: 2,
  fccWaitingForUnicast: 3,
  fccUnicastActive: 4,
  fccJoiningMulticast: 5,
  multicastActive: 6,
  rtspInitial: 7,
  rtspConnecting: 8,
  rtspConnected: 9,
  rtspSendingOptions: 10,
  rtspAwaitingOptions: 11,
  rtspSendingDescribe: 12,
  rtspAwaitingDescribe: 13,
  rtspDescribed: 14,
  rtspSendingSetup: 15,
  rtspAwaitingSetup: 16,
  rtspSetUp: 17,
  rtspSendingPlay: 18,
  rtspAwaitingPlay: 19,
  rtspPlaying: 20,
  rtspReconnecting: 21,
  rtspSendingTeardown: 22,
  rtspAwaitingTeardown: 23,
  rtspTornDown: 24,
  rtspPaused: 25,
  httpConnecting: 26,
  httpSendingRequest: 27,
  httpAwaitingHead: 28,
  httpStreaming: 29,
  error: 30,
  disconnected: 31,
} as const;

export type ClientState = (typeof CLIENT_STATE)[keyof typeof CLIENT_STATE];

type BadgeKind = "active" | "transitional" | "error" | "gone" | "unknown";

const ACTIVE: readonly number[] = [
  CLIENT_STATE.fccUnicastActive,
  CLIENT_STATE.multicastActive,
  CLIENT_STATE.rtspConnected,
  CLIENT_STATE.rtspSetUp,
  CLIENT_STATE.rtspPlaying,
  CLIENT_STATE.httpStreaming,
];

/** How the page shows a state, which may be one that it does not know. */
export function badgeKind(state: number | undefined): BadgeKind {
  if (state === undefined || !Number.isInteger(state) || state < 0 || state > CLIENT_STATE.disconnected)
    return "unknown";
  if (ACTIVE.includes(state)) return "active";
  if (state === CLIENT_STATE.error) return "error";
  return state === CLIENT_STATE.disconnected ? "gone" : "transitional";
}
