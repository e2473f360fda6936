/** Sockets that listen and are never in our own event loop: the supervisor makes them, its workers adopt them. */
import { errno, libc } from "./libc.ts";
import { bindSocket, closeSocket, openSocket, SOCK_STREAM, SystemCallError } from "./socket.ts";

/** Connections that may wait while no worker runs (config.md section 10 asks for 128; the kernel may cap it). */
const BACKLOG = 512;

/**
 * @param address `sockaddr` of that family
 * @param setOptions called between `socket` and `bind`
 * @returns a non-blocking descriptor, closed on exec; `Bun.spawn` hands it down all the same
 * @throws SystemCallError
 */
export function openListeningSocket(
  family: number,
  address: Uint8Array,
  setOptions: (fd: number) => void = () => {},
): number {
  const fd = openSocket(family, SOCK_STREAM);
  try {
    setOptions(fd);
    bindSocket(fd, address);
    startListening(fd);
    return fd;
  } catch (error) {
    closeSocket(fd);
    throw error;
  }
}

function startListening(fd: number): void {
  if (libc && libc.listen(fd, BACKLOG) < 0) throw new SystemCallError("listen", errno(libc));
}
