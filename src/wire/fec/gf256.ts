/** Arithmetic in the field of 256 elements in which parity is reckoned (multicast.md section 9.5). Sums are XOR. */

/** x⁸ + x⁴ + x³ + x² + 1; its generator is 2. */
const POLYNOMIAL = 0x11d;
/** Of the multiplicative group. */
const ORDER = 255;

/** Twice as long as needed, so that the sum of two logarithms is an index. */
const POWERS = new Uint8Array(2 * ORDER);
const LOGARITHMS = new Uint8Array(ORDER + 1);
for (let exponent = 0, value = 1; exponent < ORDER; exponent++) {
  POWERS[exponent] = POWERS[exponent + ORDER] = value;
  LOGARITHMS[value] = exponent;
  value <<= 1;
  if (value > ORDER) value ^= POLYNOMIAL;
}

/** 2 to the power of `exponent`, which may be any integer. */
export function power(exponent: number): number {
  return POWERS[((exponent % ORDER) + ORDER) % ORDER]!;
}

/** The exponent to which 2 is `value`, 1…255. */
export function logarithm(value: number): number {
  return LOGARITHMS[value]!;
}

export function multiply(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : POWERS[LOGARITHMS[a]! + LOGARITHMS[b]!]!;
}

/** Of a value that is not 0. */
export function inverse(value: number): number {
  return POWERS[ORDER - LOGARITHMS[value]!]!;
}

/** 64 KiB, which only they pay for who lose packets. */
let products: readonly Uint8Array[] | undefined;

/** The products of `factor` with all 256 elements, in their order. */
export function productsOf(factor: number): Uint8Array {
  products ??= Array.from({ length: ORDER + 1 }, (_, a) =>
    Uint8Array.from({ length: ORDER + 1 }, (_, b) => multiply(a, b)),
  );
  return products[factor]!;
}
