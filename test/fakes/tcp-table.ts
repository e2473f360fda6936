/** What the kernel tells about a TCP connection over 127.0.0.1 (proc(5), /proc/net/tcp). */

import { readFile } from "node:fs/promises";

const TIMERS = ["none", "retransmission", "keepalive", "time-wait", "window-probe"] as const;

export interface TcpRow {
  /** Bytes that the peer has not acknowledged. */
  readonly unacknowledged: number;
  /** Bytes that the program has not read. */
  readonly unread: number;
  /** What the kernel waits for on this end. */
  readonly timer: (typeof TIMERS)[number];
}

/** Returns what there is of the end with the port `local`. Throws when there is no such connection. */
export async function tcpRow(local: number, remote: number): Promise<TcpRow> {
  const hex = (port: number) => `0100007F:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const table = await readFile("/proc/net/tcp", "utf8");
  const row = new RegExp(`: ${hex(local)} ${hex(remote)} \\w+ (\\w+):(\\w+) (\\w+):`).exec(table);
  if (!row) throw new Error(`no TCP connection from port ${local} to port ${remote}`);
  const [unacknowledged, unread, timer] = row.slice(1).map((digits) => Number.parseInt(digits, 16));
  return { unacknowledged: unacknowledged!, unread: unread!, timer: TIMERS[timer!]! };
}
