/** Several arguments in one text, as `ffmpeg-args` has them (status.md section 8). No shell reads it: nothing but blanks and quotes counts. */

/**
 * The arguments. Blanks separate them unless they stand in single or double quotes, which may begin and end anywhere
 * in an argument and do not belong to it. A quote that is not closed reaches to the end.
 */
export function splitArguments(text: string): string[] {
  const parts = /(?:"[^"]*(?:"|$)|'[^']*(?:'|$)|[^\s"'])+/g;
  return [...text.matchAll(parts)].map(([argument]) => argument.replace(/"([^"]*)(?:"|$)|'([^']*)(?:'|$)/g, "$1$2"));
}
