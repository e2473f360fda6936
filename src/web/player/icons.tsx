/** The player's own small set of icons: 24 × 24, drawn with lines in the colour of the text. */

const PATHS = {
  play: "M7 4.5v15l12.5-7.5z",
  pause: "M8 5v14M16 5v14",
  volume: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11",
  muted: "M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5",
  expand: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  shrink: "M9 4v5H4M15 4v5h5M9 20v-5H4M15 20v-5h5",
  pip: "M3.5 5h17v14h-17zM12 12.5h6v4.5h-6z",
  list: "M4 6h16M4 12h16M4 18h10",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5",
  search: "M10.5 4a6.5 6.5 0 1 1 0 13a6.5 6.5 0 0 1 0-13M15.5 15.5L20 20",
  replay: "M4.5 12a7.5 7.5 0 1 0 2.5-5.6M4.5 4v4h4M12 8.5V12l2.5 2",
  source: "M5 7h11M13 4l3 3l-3 3M19 17H8M11 14l-3 3l3 3",
  close: "M6 6l12 12M18 6L6 18",
  reload: "M19 12a7 7 0 1 1-2-4.9M19 4v4h-4",
  warning: "M12 4L2.5 20h19zM12 10v4.5M12 17.2v.3",
  external: "M10 5H5v14h14v-5M14 4h6v6M20 4l-9 9",
  download: "M12 4v11M7.5 11L12 15.5L16.5 11M5 20h14",
  link: "M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1",
  back: "M12 6l-6 6l6 6",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} class={name === "play" ? "filled" : undefined} />
    </svg>
  );
}
