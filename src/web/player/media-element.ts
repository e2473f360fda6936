/** What a `<video>` has buffered, in seconds of its own clock. */

export function bufferedEnd({ buffered }: HTMLVideoElement): number | undefined {
  return buffered.length === 0 ? undefined : buffered.end(buffered.length - 1);
}

/** Between what is seen and what has arrived; undefined before anything has. */
export function latencyS(video: HTMLVideoElement): number | undefined {
  const end = bufferedEnd(video);
  return end === undefined ? undefined : Math.max(0, end - video.currentTime);
}

export function isBuffered({ buffered }: HTMLVideoElement, seconds: number): boolean {
  for (let i = 0; i < buffered.length; i++) {
    if (seconds >= buffered.start(i) && seconds <= buffered.end(i)) return true;
  }
  return false;
}
