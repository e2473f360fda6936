/** What the state codes of clients mean for a badge (status.md section 4). Their names are in texts.ts. */

export type StateKind = "active" | "transitional" | "error" | "gone" | "unknown";

const ACTIVE = [4, 6, 9, 17, 20, 29];
const ERROR = 30;
const GONE = 31;

export function stateKind(code: number | undefined): StateKind {
  if (code === undefined || !Number.isInteger(code) || code < 0 || code > GONE) return "unknown";
  if (ACTIVE.includes(code)) return "active";
  if (code === ERROR) return "error";
  return code === GONE ? "gone" : "transitional";
}
