/** Links for players outside of the browser. */
import type { Channel } from "./playlist.ts";

/** @param path on the page's server */
export function absoluteUrl(path: string): string {
  return new URL(path, location.origin).href;
}

export function vlcUrl(path: string): string {
  return `vlc://${absoluteUrl(path)}`;
}

/** A playlist with this one entry, to be given to any player. */
export function saveAsPlaylist({ name }: Channel, path: string): void {
  const text = `#EXTM3U\n#EXTINF:-1,${name}\n${absoluteUrl(path)}\n`;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "audio/x-mpegurl" }));
  link.download = `${name.replaceAll(/[^\p{L}\p{N} ._-]/gu, "_")}.m3u`;
  link.click();
  // The download has begun by the next task.
  setTimeout(() => URL.revokeObjectURL(link.href), 0);
}

/** Pages without TLS have no clipboard of their own: there a selection is copied. Resolves to whether it worked. */
export async function copyText(text: string): Promise<boolean> {
  if (navigator.clipboard) {
    return navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
  }
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  return isCopied;
}
