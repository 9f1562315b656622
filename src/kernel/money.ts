const AT_MOST_TWO_DECIMALS = /^(\d+)(?:\.(\d{1,2}))?$/;

/**
 * A price in whole cents; undefined when it is negative, not finite or has more than two decimals. The shortest decimal text of
 * the number decides, so binary rounding plays no part.
 */
export function centsFromPrice(price: number): number | undefined {
  const match = AT_MOST_TWO_DECIMALS.exec(String(price));
  if (!match) return undefined;
  const [, whole = '0', decimals = ''] = match;
  return Number(whole) * 100 + Number(decimals.padEnd(2, '0'));
}

export function priceFromCents(priceCents: number): number {
  return priceCents / 100;
}
