/** A part of the page with a heading that names it and can take the focus, and what several of them are made of. */
import type { ComponentChildren, Ref } from "preact";

interface SectionProps {
  /** The name of its place on the page. */
  readonly id: string;
  readonly title: string;
  readonly count?: number | undefined;
  readonly hint?: string;
  /** At the right of the heading. */
  readonly tools?: ComponentChildren;
  readonly headingRef?: Ref<HTMLHeadingElement>;
  readonly children: ComponentChildren;
}

export function Section({ id, title, count, hint, tools, headingRef, children }: SectionProps) {
  const headingId = `${id}-title`;
  return (
    <section id={id} class="card section" aria-labelledby={headingId}>
      <div class="section-head">
        <div>
          <h2 id={headingId} tabIndex={-1} ref={headingRef ?? null}>
            {title}
            {count !== undefined && <span class="count num">{count}</span>}
          </h2>
          {hint !== undefined && <p class="hint">{hint}</p>}
        </div>
        {tools !== undefined && <div class="tools">{tools}</div>}
      </div>
      {children}
    </section>
  );
}

/** One of a `<dl>`. */
export function Pair({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** A share of something as a bar, with a mark where it was highest. Percent; undefined leaves it empty. */
export function Bar({ percent, peak, tone }: { percent: number | undefined; peak?: number | undefined; tone: string }) {
  return (
    <svg class={`bar tone-${tone}`} viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" focusable="false">
      <rect class="bar-ground" width="100" height="6" />
      <rect class="bar-fill" width={percent ?? 0} height="6" />
      {peak !== undefined && peak > 0 && <rect class="bar-peak" x={Math.min(peak, 98.5)} width="1.5" height="6" />}
    </svg>
  );
}
