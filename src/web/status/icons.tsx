/** The few pictures of the page, as lines in the colour of the text. Each stands beside words, so that none needs a name. */
import type { ComponentChildren } from "preact";

function Icon({ children }: { children: ComponentChildren }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

/** Water through a gate. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path class="mark-gate" d="M9 4v11M23 4v11M5 6h22" />
      <path class="mark-water" d="M3 21c3.2-3 6.4-3 9.6 0s6.4 3 9.6 0c2.3-2.1 4.5-2.7 6.8-1.9" />
      <path class="mark-water" d="M3 27.5c3.2-3 6.4-3 9.6 0s6.4 3 9.6 0c2.3-2.1 4.5-2.7 6.8-1.9" />
    </svg>
  );
}

export function CheckIcon() {
  return (
    <Icon>
      <circle cx="12" cy="12" r="9" />
      <path d="m8 12.3 2.8 2.8L16 9.6" />
    </Icon>
  );
}

export function WarningIcon() {
  return (
    <Icon>
      <path d="M12 4 2.8 20h18.4zM12 10v4.5M12 17.2v.3" />
    </Icon>
  );
}

export function QuietIcon() {
  return (
    <Icon>
      <path d="M20 14.5A8.5 8.5 0 1 1 9.5 4a7 7 0 0 0 10.5 10.5z" />
    </Icon>
  );
}

export function ScreenIcon() {
  return (
    <Icon>
      <rect x="3" y="5" width="18" height="12" rx="2" />
      <path d="M8 21h8" />
    </Icon>
  );
}
