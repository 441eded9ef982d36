/**
 * A number as English readers group it, fractions to three digits. Whole ones without ICU, whose first use in a process
 * takes as long as reading thousands of rows.
 */
export function formatNumber(value: number): string {
  if (!Number.isSafeInteger(value)) return value.toLocaleString('en-US', { maximumFractionDigits: 3 });
  return String(value).replace(/\B(?=(?:\d{3})+$)/g, ',');
}
