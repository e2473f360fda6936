/** Keys of keyboards and remote controls (status.md section 12). */

export type KeyAction =
  | { readonly do: "digit"; readonly digit: string }
  | { readonly do: "step"; readonly by: 1 | -1 }
  | { readonly do: "seek"; readonly byS: number }
  | { readonly do: "enter" | "escape" | "toggle-play" | "mute" | "full-screen" | "sidebar" };

const SEEK_S = 5;
const PREVIOUS: KeyAction = { do: "step", by: -1 };
const NEXT: KeyAction = { do: "step", by: 1 };

const ACTIONS: ReadonlyMap<string, KeyAction> = new Map<string, KeyAction>([
  ["Enter", { do: "enter" }],
  ["Escape", { do: "escape" }],
  ["ArrowUp", PREVIOUS],
  ["PageDown", PREVIOUS],
  ["ChannelDown", PREVIOUS],
  ["ArrowDown", NEXT],
  ["PageUp", NEXT],
  ["ChannelUp", NEXT],
  ["ArrowLeft", { do: "seek", byS: -SEEK_S }],
  ["ArrowRight", { do: "seek", byS: SEEK_S }],
  [" ", { do: "toggle-play" }],
  ["MediaPlayPause", { do: "toggle-play" }],
  ["m", { do: "mute" }],
  ["f", { do: "full-screen" }],
  ["s", { do: "sidebar" }],
  ["BrowserFavorites", { do: "sidebar" }],
]);

interface KeyPress {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
}

/** Shortcuts of the browser and the system stay theirs. */
export function keyAction({ key, ctrlKey, altKey, metaKey }: KeyPress): KeyAction | undefined {
  if (ctrlKey || altKey || metaKey) return undefined;
  if (/^\d$/.test(key)) return { do: "digit", digit: key };
  return ACTIONS.get(key.length === 1 ? key.toLowerCase() : key);
}
