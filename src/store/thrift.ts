/** A field of a Thrift struct: its number, and its value with its type. */
export type ThriftField = readonly [id: number, value: ThriftValue];

export type ThriftValue =
  | { i32: number }
  | { i64: number }
  | { text: string }
  | { struct: readonly ThriftField[] }
  | { structs: readonly (readonly ThriftField[])[] }
  | { i32s: readonly number[] }
  | { texts: readonly string[] };

/** A struct in Thrift's compact protocol, in which Parquet keeps its headers. Fields in the order of their numbers. */
export function encodeThrift(fields: readonly ThriftField[]): Buffer {
  const bytes: number[] = [];
  writeStruct(bytes, fields);
  return Buffer.from(bytes);
}

// ---------------------------------------------------------------------------------------------------------------------

const types = { i32: 5, i64: 6, text: 8, list: 9, struct: 12 };

function writeStruct(bytes: number[], fields: readonly ThriftField[]): void {
  let last = 0;
  for (const [id, value] of fields) {
    // Parquet's structs have no gap of more than 15 between two numbers.
    bytes.push(((id - last) << 4) | typeOf(value));
    last = id;
    writeValue(bytes, value);
  }
  bytes.push(0);
}

function typeOf(value: ThriftValue): number {
  if ('i32' in value) return types.i32;
  if ('i64' in value) return types.i64;
  if ('text' in value) return types.text;
  return 'struct' in value ? types.struct : types.list;
}

function writeValue(bytes: number[], value: ThriftValue): void {
  if ('i32' in value) writeVarint(bytes, zigzag(value.i32));
  else if ('i64' in value) writeVarint(bytes, zigzag(value.i64));
  else if ('text' in value) writeText(bytes, value.text);
  else if ('struct' in value) writeStruct(bytes, value.struct);
  else if ('structs' in value) {
    writeListHead(bytes, value.structs.length, types.struct);
    for (const each of value.structs) writeStruct(bytes, each);
  } else if ('texts' in value) {
    writeListHead(bytes, value.texts.length, types.text);
    for (const each of value.texts) writeText(bytes, each);
  } else {
    writeListHead(bytes, value.i32s.length, types.i32);
    for (const each of value.i32s) writeVarint(bytes, zigzag(each));
  }
}

function writeListHead(bytes: number[], length: number, type: number): void {
  if (length < 15) bytes.push((length << 4) | type);
  else {
    bytes.push(0xf0 | type);
    writeVarint(bytes, length);
  }
}

function writeText(bytes: number[], text: string): void {
  const encoded = Buffer.from(text, 'utf8');
  writeVarint(bytes, encoded.length);
  bytes.push(...encoded);
}

/** Only what is not negative is written here. */
function zigzag(value: number): number {
  return value * 2;
}

function writeVarint(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
}
