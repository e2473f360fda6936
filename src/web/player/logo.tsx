/** A channel's logo; its first letters where it has none or the picture is broken. */
import { useEffect, useState } from "preact/hooks";
import type { Channel } from "./playlist.ts";

/** Letters that stand for a channel without logo. */
const INITIALS = 2;

export function Logo({ channel }: { readonly channel: Channel }) {
  const [isBroken, setBroken] = useState(false);
  useEffect(() => setBroken(false), [channel.logo]);
  const isShown = channel.logo !== "" && !isBroken;
  return (
    <span class="logo" aria-hidden="true">
      {isShown ? (
        <img src={channel.logo} alt="" loading="lazy" referrerpolicy="no-referrer" onError={() => setBroken(true)} />
      ) : (
        <span>{initials(channel.name)}</span>
      )}
    </span>
  );
}

function initials(name: string): string {
  const words = name.split(/[\s-]+/).filter(Boolean);
  const letters = words.length > 1 ? words.map((word) => [...word][0] ?? "") : [...name];
  return letters.slice(0, INITIALS).join("").toUpperCase();
}
