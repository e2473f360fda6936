/** Rows of figures: a table where there is room for it, cards where there is none. */
import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

/** Below this width the columns would not fit. */
const NARROW = "(max-width: 1099px)";

export interface Column<Row> {
  /** Its class gives the column its width. */
  readonly id: string;
  readonly title: string;
  readonly isNumber?: boolean;
  /** A heading that only a screen reader needs. */
  readonly isTitleHidden?: boolean;
  /** On a card it needs no title for the eye. */
  readonly speaksForItself?: boolean;
  cell(row: Row): ComponentChildren;
}

interface DataTableProps<Row> {
  readonly name: string;
  /** The first one names the row. */
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  keyOf(row: Row): string;
  classOf(row: Row): string;
  /** Takes the focus when the row that had it goes away. */
  readonly heir: RefObject<HTMLElement | null>;
}

export function DataTable<Row>(props: DataTableProps<Row>) {
  return useMedia(NARROW) ? <Cards {...props} /> : <Table {...props} />;
}

function Table<Row>({ name, columns, rows, keyOf, classOf, heir }: DataTableProps<Row>) {
  return (
    <table class="table num">
      <caption class="visually-hidden">{name}</caption>
      <thead>
        <tr>
          {columns.map(({ id, title, isNumber, isTitleHidden }) => (
            <th key={id} scope="col" class={`col-${id} ${isNumber ? "number" : ""}`}>
              {isTitleHidden ? <span class="visually-hidden">{title}</span> : title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <TableRow key={keyOf(row)} row={row} columns={columns} className={classOf(row)} heir={heir} />
        ))}
      </tbody>
    </table>
  );
}

interface RowProps<Row> {
  readonly row: Row;
  readonly columns: readonly Column<Row>[];
  readonly className: string;
  readonly heir: RefObject<HTMLElement | null>;
}

function TableRow<Row>({ row, columns, className, heir }: RowProps<Row>) {
  const ref = useRef<HTMLTableRowElement | null>(null);
  useFocusHeir(ref, heir);
  return (
    <tr class={className} ref={ref}>
      {columns.map(({ id, isNumber, cell }, at) =>
        at === 0 ? (
          <th key={id} scope="row">
            {cell(row)}
          </th>
        ) : (
          <td key={id} class={isNumber ? "number" : ""}>
            {cell(row)}
          </td>
        ),
      )}
    </tr>
  );
}

function Cards<Row>({ name, columns, rows, keyOf, classOf, heir }: DataTableProps<Row>) {
  return (
    <ul class="cards num" aria-label={name}>
      {rows.map((row) => (
        <Card key={keyOf(row)} row={row} columns={columns} className={classOf(row)} heir={heir} />
      ))}
    </ul>
  );
}

function Card<Row>({ row, columns, className, heir }: RowProps<Row>) {
  const ref = useRef<HTMLLIElement | null>(null);
  useFocusHeir(ref, heir);
  return (
    <li class={`entry ${className}`} ref={ref}>
      <dl>
        {columns.map(({ id, title, isTitleHidden, speaksForItself, cell }, at) => (
          <div key={id} class={`cell-${id}`}>
            <dt class={at === 0 || isTitleHidden || speaksForItself ? "visually-hidden" : ""}>{title}</dt>
            <dd>{cell(row)}</dd>
          </div>
        ))}
      </dl>
    </li>
  );
}

/** Without it the focus would fall back to the top of the page. */
function useFocusHeir(row: RefObject<HTMLElement | null>, heir: RefObject<HTMLElement | null>): void {
  useLayoutEffect(
    () => () => {
      if (row.current?.contains(document.activeElement)) heir.current?.focus();
    },
    [],
  );
}

function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const follow = () => setMatches(list.matches);
    list.addEventListener("change", follow);
    return () => list.removeEventListener("change", follow);
  }, [query]);
  return matches;
}
