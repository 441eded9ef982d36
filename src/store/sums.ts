/** What rows say, as numbers that can be added up in any order. Plain JSON. */
export type Sum = {
  /** Names and types of the columns, those of structs by their members. */
  schema: string;
  rows: number;
  /** Sums of the lower and of the upper half of every row's MD5, which is a number of 128 bits. */
  lower: string;
  upper: string;
};

/** What a file says, told by who wrote it: `sha256` of its bytes, and the sum of its rows. */
export type FileSum = Sum & { sha256: string };
