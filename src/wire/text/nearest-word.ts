/** The word that somebody probably meant: a known one that differs little, or one that has it as a part. */

/** Nobody mistypes a longer one, and comparing costs the product of the lengths. */
const MAX_LENGTH = 64;
/** So many letters may hold one mistake. */
const LETTERS_PER_MISTAKE = 3;

/** Undefined when none of the `known` is near. Letter case and the kind of dash do not count. */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  const plain = plainWord(word);
  if (plain.length < 2 || plain.length > MAX_LENGTH) return undefined;
  const similar = known
    .map((candidate) => ({ candidate, distance: editDistance(plain, plainWord(candidate)) }))
    .filter(({ candidate, distance }) => distance <= mistakes(Math.min(plain.length, candidate.length)))
    .toSorted((a, b) => a.distance - b.distance);
  return similar[0]?.candidate ?? withParts(plain, known);
}

function plainWord(word: string): string {
  return word.toLowerCase().replaceAll("_", "-");
}

function mistakes(letters: number): number {
  return Math.max(1, Math.floor(letters / LETTERS_PER_MISTAKE));
}

/** `token` for `r2h-token`: the shortest that has all parts of the word among its own. */
function withParts(plain: string, known: readonly string[]): string | undefined {
  const parts = plain.split("-");
  const fitting = known.filter((candidate) => {
    const own = plainWord(candidate).split("-");
    return parts.every((part) => own.includes(part));
  });
  return fitting.toSorted((a, b) => a.length - b.length)[0];
}

/** How many letters are to be added, left out, replaced, or swapped with their neighbour (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (isSame ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, beforeLast[j - 2]! + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
