/** Follows every citation in src/ and test/ to its page in src/spec and to a heading there (src/spec/README.md). */
import { describe, expect, test } from "bun:test";
import { join } from "node:path";

const ROOT = join(import.meta.dir, "..");
const SPEC = join(ROOT, "src/spec");
/** Documents of the project that have no numbered sections. */
const OTHER_DOCUMENTS: readonly string[] = ["README.md", "SECURITY.md"];

/** They show what citations look like, right ones and wrong ones. */
const EXPLAINERS: readonly string[] = ["test/spec.test.ts", "src/spec/README.md"];

/** Numbers of the headings of a page: `9` and `9.2` of `## 9. Title` and `### 9.2 Title`. */
type Headings = ReadonlySet<string>;

const NUMBER = String.raw`\d+(?:\.\d+)*`;
const LIST = `${NUMBER}(?:(?:, | and | to |–)${NUMBER})*`;
/** `page.md section 3`, `page.md sections 3, 4.1 and 7 to 9`, `page.md §3`; the word may be missing. */
const CITATION = new RegExp(String.raw`([\w-]+\.md)\b(?:\x60?,? (?:(sections?) |(§) ?)?(${LIST}))?`, "g");
const RFC_CITATION = new RegExp(String.raw`RFC ?\d+,? (?:sections? |§ ?)${LIST}`, "g");
const OWN_CITATION = new RegExp(String.raw`(?:(\bsections?) |(§) ?)(${LIST})`, "g");

function headingsOf(page: string): Headings {
  return new Set(Array.from(page.matchAll(/^#{2,4} (\d+(?:\.\d+)*)\.? /gm), ([, number]) => number!));
}

/** One line, without the marks that begin a line of a comment. */
function flowing(text: string): string {
  return text.replace(/\s*\n\s*(?:\*(?!\*)|\/\/|[*-](?= ))?\s*/g, " ");
}

/** The sections that a list names; a range names its ends and all whole numbers between them. */
function sectionsOf(list: string): string[] {
  return list.split(/, | and /).flatMap((part) => {
    const [first = "", last = first] = part.split(/ to |–/);
    const between: string[] = [];
    for (let number = Number(first) + 1; number < Number(last); number++) between.push(String(number));
    return first === last ? [first] : [first, ...between, last];
  });
}

/** What is wrong with a list of sections; `word` is how it begins. */
function listProblems(headings: Headings, word: string | undefined, list: string): string[] {
  const sections = sectionsOf(list);
  const problems = sections.filter((section) => !headings.has(section)).map((section) => `no section ${section}`);
  if (word === undefined) problems.push("without the word section");
  if (word === "section" && sections.length > 1) problems.push("several sections are called sections");
  return problems;
}

/** Citations in a text that lead nowhere, each with the reason. */
function brokenCitations(text: string, pages: ReadonlyMap<string, Headings>): string[] {
  return Array.from(flowing(text).matchAll(CITATION)).flatMap(([citation, page = "", word, sign, list]) => {
    if (OTHER_DOCUMENTS.includes(page)) return [];
    const headings = pages.get(page);
    if (!headings) return [`${citation}: no such page`];
    if (list === undefined) return [];
    return listProblems(headings, word ?? sign, list).map((problem) => `${citation}: ${problem}`);
  });
}

/** The same for a page that speaks of its own sections. */
function brokenOwnCitations(text: string, headings: Headings): string[] {
  const own = flowing(text).replace(RFC_CITATION, "").replace(CITATION, "");
  return Array.from(own.matchAll(OWN_CITATION)).flatMap(([citation, word, sign, list = ""]) =>
    listProblems(headings, word ?? sign, list).map((problem) => `${citation}: ${problem}`),
  );
}

async function readPages(): Promise<Map<string, string>> {
  const names = Array.from(new Bun.Glob("*.md").scanSync(SPEC)).filter((name) => name !== "README.md");
  return new Map(
    await Promise.all(names.map(async (name) => [name, await Bun.file(join(SPEC, name)).text()] as const)),
  );
}

describe("the finder", () => {
  const pages = new Map([
    ["page.md", headingsOf("# Page\n## 1. One\n### 1.1 Part\n## 2. Two\n## 3. Three\n#### 3.1.2 Deep\n")],
  ]);
  const broken = (text: string) => brokenCitations(text, pages);

  test("reads the numbers of headings", () => {
    expect([...pages.get("page.md")!]).toEqual(["1", "1.1", "2", "3", "3.1.2"]);
  });

  test.each([
    "page.md section 1",
    "`page.md` section 1.1, and more",
    "page.md sections 1 and 2",
    "page.md sections 1, 1.1 and 2 to 3",
    "page.md, section 3.1.2.",
    "page.md §1–3 and page.md §1.1",
    "RFC 9112 section 77; page.md section 2",
    "a page.md without a number",
    "/**\n * page.md\n * section 2 */",
    "README.md 9 and src/SECURITY.md",
    "file.md5 is no page",
  ])("is content with %j", (text) => {
    expect(broken(text)).toEqual([]);
  });

  test.each([
    ["page.md section 4", "page.md section 4: no section 4"],
    ["page.md section 1.2", "page.md section 1.2: no section 1.2"],
    ["page.md sections 2 to 4", "page.md sections 2 to 4: no section 4"],
    ["page.md sections 1 and 9", "page.md sections 1 and 9: no section 9"],
    ["page.md §9", "page.md §9: no section 9"],
    ["// page.md\n// section 5", "page.md section 5: no section 5"],
    ["other.md section 1", "other.md section 1: no such page"],
    ["an other.md", "other.md: no such page"],
    ["page.md 1", "page.md 1: without the word section"],
    ["page.md section 1, 2", "page.md section 1, 2: several sections are called sections"],
  ])("reports %j", (text, problem) => {
    expect(broken(text)).toEqual([problem]);
  });

  test("follows what a page says of its own sections", () => {
    const own = (text: string) => brokenOwnCitations(text, pages.get("page.md")!);
    expect(own("see §2, sections 1 and 3; RFC 4585 section 99; other.md section 12")).toEqual([]);
    expect(own("see §8 and section\n1.7")).toEqual(["§8: no section 8", "section 1.7: no section 1.7"]);
  });
});

describe("citations", async () => {
  const texts = await readPages();
  const pages = new Map(Array.from(texts, ([name, text]) => [name, headingsOf(text)]));

  test("in src/ and test/ lead to pages and headings that exist", async () => {
    const problems: string[] = [];
    let count = 0;
    for (const path of new Bun.Glob("{src,test}/**/*.{ts,tsx,md,css,html,sh,c,h}").scanSync(ROOT)) {
      if (EXPLAINERS.includes(path)) continue;
      const text = await Bun.file(join(ROOT, path)).text();
      count += flowing(text).match(CITATION)?.length ?? 0;
      problems.push(...brokenCitations(text, pages).map((problem) => `${path}: ${problem}`));
    }
    expect(problems).toEqual([]);
    expect(count).toBeGreaterThan(200);
  });

  test("of a page to itself lead to its headings", () => {
    const problems = Array.from(texts, ([name, text]) =>
      brokenOwnCitations(text, pages.get(name)!).map((problem) => `${name}: ${problem}`),
    );
    expect(problems.flat()).toEqual([]);
  });

  test("can be made of every page that README.md lists, and of no other", async () => {
    const readme = await Bun.file(join(SPEC, "README.md")).text();
    const listed = Array.from(readme.matchAll(/^\| (\S+\.md) +\|/gm), ([, name]) => name!);
    expect(listed.sort()).toEqual([...pages.keys()].sort());
  });

  test("can name any section once only", () => {
    for (const [name, text] of texts) {
      const numbers = text.match(/^#{2,4} \d[\d.]* /gm) ?? [];
      expect(`${name}: ${numbers.length} sections`).toBe(`${name}: ${pages.get(name)!.size} sections`);
    }
  });
});
