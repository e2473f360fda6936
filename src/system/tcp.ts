/** Options of the listening TCP sockets, which every accepted client inherits. */
import { libc } from "./libc.ts";
import { SO_KEEPALIVE, SO_SNDBUF, SOL_SOCKET, setBufferSize, tryOption } from "./socket.ts";

const IPPROTO_TCP = 6;
const TCP_KEEPIDLE = 4;
const TCP_KEEPINTVL = 5;
const TCP_KEEPCNT = 6;
const TCP_USER_TIMEOUT = 18;

const KEEPALIVE_IDLE_S = 30;
const KEEPALIVE_INTERVAL_S = 5;
const KEEPALIVE_PROBES = 3;
/**
 * How long sent data may stay unacknowledged. The kernel counts a closed window too, so this is also the longest pause
 * of a player that survives; rtp2httpd's 10 s would cut off everybody who answers the door.
 */
const USER_TIMEOUT_MS = 60_000;
/** Left alone, the kernel would take up to 4 MB for a client that has stopped reading. */
const SEND_BUFFER_BYTES = 1024 * 1024;
/** Of a client that gets a list, a guide or a page's script: enough for 2 MB/s over 50 ms. */
const SMALL_SEND_BUFFER_BYTES = 128 * 1024;

/** Sets keepalive, user timeout and the send-buffer cap on a listening socket. Does nothing where libc cannot be opened. */
export function tuneListeningSocket(fd: number): void {
  if (!libc || fd < 0) return;
  tryOption(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  tryOption(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
  tryOption(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
  tryOption(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
  tryOption(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, USER_TIMEOUT_MS);
  setBufferSize(fd, "send", SEND_BUFFER_BYTES);
}

/** Makes the kernel keep less for a client whose answer lies in our memory anyway. */
export function limitSendBuffer(fd: number): void {
  if (libc && fd >= 0) tryOption(fd, SOL_SOCKET, SO_SNDBUF, SMALL_SEND_BUFFER_BYTES);
}
